"""`docker compose stop` while people are being answered: every open reply ends whole."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from gradio_client import Client

from compose_file import SERVICES
from fakes.compose_project import PROJECT, SERVICE, STOP_SECONDS, ComposeProject, until

pytestmark = pytest.mark.container
OF_EACH = 4
# The starter says a thousand tokens in seconds, so serving gets a tenth of a processor; and it is
# stopped last, so those who talk to it get the longer replies.
PERIOD, SLOW, UNBOUND = 100_000, 10_000, -1
PAGE_TOKENS, DIRECT_TOKENS = 100, 300
START_SECONDS = 60
TRIES = 5


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
        if self.way == "ui":
            return bool(self.text) and self.finish == "complete" and not self.error
        ended = self.finish in ("stop", "length") and self.last_line == "data: [DONE]"
        return bool(self.text) and ended and not self.error


class Crowd:
    """Clients that all ask at once, half of them through the page.

    Args:
        stack: whom they ask.
    """

    def __init__(self, stack: ComposeProject) -> None:
        self.url = f"{stack.address('serving', 8000)}/v1/completions"
        self.headers = {"Authorization": f"Bearer {stack.serving_key}"}
        self.pages = [Client(stack.url, verbose=False) for _ in range(OF_EACH)]
        self.replies: list[Reply] = []
        self.threads: list[threading.Thread] = []

    def ask(self) -> None:
        """Ask, each client in a thread of its own."""
        ways: list[Any] = [(self.through_page, Reply("ui"), page) for page in self.pages]
        ways += [(self.directly, Reply("serving")) for _ in range(OF_EACH)]
        self.replies = [reply for _, reply, *_ in ways]
        self.threads = [threading.Thread(target=self.listen, args=way) for way in ways]
        for thread in self.threads:
            thread.start()

    def listen(self, talk: Any, reply: Reply, *page: Client) -> None:
        """Hear a reply to its end, whatever that is."""
        try:
            talk(reply, *page)
        except Exception as error:  # noqa: BLE001 - whatever a client gets instead of its end
            reply.error = f"{type(error).__name__}: {error}"
        reply.ended_at = time.time()

    def directly(self, reply: Reply) -> None:
        """Stream from serving's own port; the penalty makes the model go on for ever."""
        body = {"model": "base", "prompt": "hi", "max_tokens": DIRECT_TOKENS, "stream": True}
        body |= {"temperature": 0, "repetition_penalty": 0.1}
        with (
            httpx.Client(trust_env=False, timeout=STOP_SECONDS) as client,
            client.stream("POST", self.url, json=body, headers=self.headers) as answer,
        ):
            for line in filter(None, answer.iter_lines()):
                reply.last_line = line
                if line.startswith("data: {"):
                    (choice,) = json.loads(line.removeprefix("data: "))["choices"]
                    reply.text += choice["text"]
                    reply.finish = choice["finish_reason"] or reply.finish

    def through_page(self, reply: Reply, page: Client) -> None:
        """Stream from the page's API."""
        job = page.submit(
            message="hi", model="base", temperature=2, max_tokens=PAGE_TOKENS, api_name="/chat"
        )
        for piece in job:
            reply.text = str(piece)
        reply.finish = "complete" if job.status().success else str(job.status().code)

    @property
    def begun(self) -> bool:
        """Whether every client has the beginning of its reply."""
        return all(reply.text or reply.ended_at for reply in self.replies)

    @property
    def open(self) -> bool:
        """Whether no reply has come to its end."""
        return not any(reply.ended_at for reply in self.replies)

    def join(self) -> None:
        """Wait until everybody has heard the end."""
        for thread in self.threads:
            thread.join(STOP_SECONDS)


@contextmanager
def slowly(stack: ComposeProject) -> Iterator[None]:
    """Give serving little of the processor."""
    container = stack.container("serving")
    container.update(cpu_period=PERIOD, cpu_quota=SLOW)
    try:
        yield
    finally:
        container.update(cpu_quota=UNBOUND)


def all_talking(stack: ComposeProject) -> Crowd:
    """Return a crowd in which nobody has come to the end; a short reply is another try."""
    crowd = Crowd(stack)
    for _ in range(TRIES):
        crowd.ask()
        until(lambda: crowd.begun, START_SECONDS, lambda: str(crowd.replies))
        if crowd.open:
            return crowd
        crowd.join()
    raise AssertionError(crowd.replies)


@contextmanager
def signals(stack: ComposeProject) -> Iterator[dict[str, float]]:
    """Note when each service gets a signal, while the block runs."""
    filters = {"event": ["kill"], "label": [f"{PROJECT}={stack.name}"]}
    events = stack.engine.events(decode=True, filters=filters)
    found: dict[str, float] = {}

    def listen() -> None:
        for event in events:
            found[event["Actor"]["Attributes"][SERVICE]] = event["timeNano"] / 1e9

    listener = threading.Thread(target=listen)
    listener.start()
    yield found
    events.close()
    listener.join()


def test_open_replies_end_whole_when_the_stack_is_stopped(
    stack: ComposeProject, figures: dict[str, object]
) -> None:
    """Eight streams, half of them through the page: none is cut."""
    with signals(stack) as signalled:
        with slowly(stack):
            crowd = all_talking(stack)
            began = time.time()
            stopping = threading.Thread(target=stack.compose, args=("stop",))
            stopping.start()
            crowd.join()
        stopping.join(STOP_SECONDS)
    figures["stop"] = {
        "seconds": round(time.time() - began, 1),
        "signals after": {name: round(at - began, 1) for name, at in signalled.items()},
        "replies end after": {
            way: sorted(round(one.ended_at - began, 1) for one in crowd.replies if one.way == way)
            for way in ("ui", "serving")
        },
    }
    assert all(reply.whole for reply in crowd.replies), crowd.replies
    for way in ("ui", "serving"):
        late = [one for one in crowd.replies if one.way == way and one.ended_at > signalled[way]]
        assert late, f"every reply of {way} had ended before its signal"


def test_services_end_by_themselves(stack: ComposeProject) -> None:
    """Each with status 0, none killed after its time was over."""
    stack.compose("stop")
    names = [service.name for service in SERVICES]
    codes = {name: stack.container(name).attrs["State"]["ExitCode"] for name in names}
    assert codes == dict.fromkeys(names, 0)
