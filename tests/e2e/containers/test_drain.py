"""`docker compose stop` while people are being answered: every open reply ends whole."""

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from gradio_client import Client

from client import ServiceDownError
from fakes.compose_project import STOP_SECONDS, ComposeProject, until

pytestmark = pytest.mark.container
OF_EACH = 4
# Long replies, and the longer ones straight from serving: it is stopped last.
PAGE_TOKENS, DIRECT_TOKENS = 300, 1000
START_SECONDS = 60


@dataclass
class Reply:
    """What one client got."""

    way: str
    text: str = ""
    finish: str = ""
    last_line: str = ""
    error: str = ""
    ended_at: float = 0.0

    @property
    def whole(self) -> bool:
        """Whether the client was told that this is all."""
        if self.way == "page":
            return bool(self.text) and self.finish == "complete" and not self.error
        ended = self.finish in ("stop", "length") and self.last_line == "data: [DONE]"
        return bool(self.text) and ended and not self.error


@dataclass
class Crowd:
    """Clients that all ask at once, half of them through the page."""

    stack: ComposeProject
    replies: list[Reply] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def ask(self) -> None:
        """Ask, each client in a thread of its own."""
        for way, talk in (("serving", self.directly), ("page", self.through_page)):
            for _ in range(OF_EACH):
                reply = Reply(way)
                self.replies.append(reply)
                self.threads.append(threading.Thread(target=self.listen, args=(talk, reply)))
        for thread in self.threads:
            thread.start()

    def listen(self, talk: Any, reply: Reply) -> None:
        """Hear a reply to its end, whatever that is."""
        try:
            talk(reply)
        except Exception as error:  # noqa: BLE001 - whatever a client gets instead of its end
            reply.error = f"{type(error).__name__}: {error}"
        reply.ended_at = time.monotonic()

    def directly(self, reply: Reply) -> None:
        """Stream from serving's own port."""
        body: dict[str, Any] = {"model": "base", "prompt": "hi", "max_tokens": DIRECT_TOKENS}
        body |= {"stream": True, "temperature": 2, "presence_penalty": 2, "frequency_penalty": 2}
        headers = {"Authorization": f"Bearer {self.stack.serving_key}"}
        url = f"{self.stack.address('serving', 8000)}/v1/completions"
        with (
            httpx.Client(trust_env=False, timeout=STOP_SECONDS) as client,
            client.stream("POST", url, json=body, headers=headers) as answer,
        ):
            for line in answer.iter_lines():
                self.take(reply, line)

    def take(self, reply: Reply, line: str) -> None:
        """Add a line of a stream to a reply."""
        if not line:
            return
        reply.last_line = line
        if line.startswith("data: {"):
            (choice,) = json.loads(line.removeprefix("data: "))["choices"]
            reply.text += choice["text"]
            reply.finish = choice["finish_reason"] or reply.finish

    def through_page(self, reply: Reply) -> None:
        """Stream from the page's API."""
        client = Client(self.stack.url, verbose=False)
        job = client.submit(
            message="hi", model="base", temperature=2, max_tokens=PAGE_TOKENS, api_name="/chat"
        )
        for piece in job:
            reply.text = str(piece)
        reply.finish = "complete" if job.status().success else str(job.status().code)

    @property
    def begun(self) -> bool:
        """Whether every client has the beginning of its reply, and none its end."""
        return all(reply.text and not reply.ended_at for reply in self.replies)


def draining_since(stack: ComposeProject, stopping: threading.Thread) -> float:
    """Return when serving began to drain; 0 if that was never seen."""
    while stopping.is_alive():
        try:
            with stack.launcher() as launcher:
                if launcher.status().state == "draining":
                    return time.monotonic()
        except (ServiceDownError, KeyError):
            return 0.0
        time.sleep(0.05)
    return 0.0


def test_open_replies_end_whole_when_the_stack_is_stopped(
    stack: ComposeProject, figures: dict[str, object]
) -> None:
    """Eight streams, half of them through the page: none is cut."""
    crowd = Crowd(stack)
    crowd.ask()
    until(lambda: crowd.begun, START_SECONDS, lambda: str(crowd.replies))
    began = time.monotonic()
    stopping = threading.Thread(target=stack.compose, args=("stop",))
    stopping.start()
    draining = draining_since(stack, stopping)
    for thread in [*crowd.threads, stopping]:
        thread.join(STOP_SECONDS)
    figures["stop"] = {
        "seconds": round(time.monotonic() - began, 1),
        "serving drains after": round(draining - began, 1),
        "replies end after": sorted(round(one.ended_at - began, 1) for one in crowd.replies),
    }
    assert all(reply.whole for reply in crowd.replies), crowd.replies
    assert any(reply.ended_at > draining > 0 for reply in crowd.replies), "none was still open"


def test_services_end_in_order(stack: ComposeProject) -> None:
    """Each with status 0, not killed after its time was over."""
    stack.compose("stop")
    codes = {
        name: stack.container(name).attrs["State"]["ExitCode"]
        for name in ("datagen", "trainer", "serving", "ui")
    }
    assert codes == dict.fromkeys(codes, 0)
