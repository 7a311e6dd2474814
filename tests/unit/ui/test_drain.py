"""The end of the service: with a clock of its own, and as a process with eight open replies."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from fakes.clock import FakeClock
from fakes.page_process import PageProcess
from fakes.page_stack_chat import reply_to
from fakes.serving_process import until
from fakes.stack import HELD, Stack, running_stack
from ui.drain import LAST_WORDS_SECONDS, Drain
from ui.errors import ProblemError
from ui.texts import texts_in

CHATS = 8
# Between the last piece and the end of the process: about one on a machine with nothing else to
# do, most of it for Python to leave. Waiting for the open pages would take a minute.
SOON_SECONDS = 30.0
PATIENCE_SECONDS = 60.0


@pytest.fixture
def clock() -> FakeClock:
    """A clock that moves with the drain's own sleep."""
    return FakeClock()


def drain_with(clock: FakeClock, seconds: float = 10.0) -> Drain:
    """Return a drain that lives by `clock`."""
    return Drain(seconds, clock, clock.sleep)


async def test_nothing_is_refused_before_the_end(clock: FakeClock) -> None:
    """A service that runs is ready, and takes every turn."""
    drain = drain_with(clock)
    with drain.turn():
        drain.check()
    assert drain.reasons() == []


async def test_new_turn_is_refused_while_a_running_one_ends(clock: FakeClock) -> None:
    """What runs goes on; nothing begins; who asks whether the service is ready is told."""
    drain = drain_with(clock)
    with drain.turn():
        finishing = asyncio.create_task(drain.finish())
        await clock.sleep(0)
        drain.check()
        with pytest.raises(ProblemError) as caught, drain.turn():
            pass
        assert caught.value.kind == "leaving"
        assert drain.reasons() == ["draining"]
        assert not finishing.done()
    ended_at = clock()
    await finishing
    assert clock() - ended_at < 1.0


async def test_turn_is_cut_at_the_bound_and_may_say_so(clock: FakeClock) -> None:
    """A reply without end does not keep the service; it has a moment for its last words."""
    drain = drain_with(clock, seconds=3.0)
    with drain.turn():
        await drain.finish()
        with pytest.raises(ProblemError) as caught:
            drain.check()
    assert caught.value.kind == "cut_off"
    assert 3.0 + LAST_WORDS_SECONDS <= clock() < 3.5 + LAST_WORDS_SECONDS


async def test_idle_service_ends_at_once(clock: FakeClock) -> None:
    """Nobody is waited for but who sent a message just now."""
    await drain_with(clock).finish()
    assert clock() < 1.0


@dataclass
class Farewell:
    """What was seen of a page that was told to end while it wrote eight replies."""

    whole: dict[str, str] = field(default_factory=dict)
    replies: dict[str, str] = field(default_factory=dict)
    last_piece_at: float = 0.0
    ended_at: float = 0.0
    code: int = -1
    refusal: str = ""
    running_then: int = 0
    readiness: httpx.Response | None = None
    posted: httpx.Response | None = None
    heartbeat_ended: bool = False
    log: str = ""

    def idle(self, url: str) -> None:
        """Hold a stream of heartbeats, as an open page does, until it ends in order."""
        with httpx.stream("GET", f"{url}/gradio_api/heartbeat/idle", timeout=None) as stream:
            for _ in stream.iter_lines():
                pass
        self.heartbeat_ended = True

    def look_around(self, url: str, late: Client) -> None:
        """Note what a ninth visitor meets."""
        with pytest.raises(AppError) as caught:
            late.predict(message="还在吗？", language="zh", api_name="/chat")
        self.refusal = str(caught.value)
        self.readiness = httpx.get(f"{url}/ready")
        self.posted = httpx.post(f"{url}/gradio_api/call/chat", json={"data": ["hello"]})


def farewell_of(page: PageProcess, stack: Stack) -> Farewell:
    """Chat eight times, tell the page to end in the middle, and note what happens."""
    seen = Farewell()
    clients = [Client(page.url, verbose=False) for _ in range(CHATS + 1)]
    questions = [f"我累了，第{number}次" for number in range(CHATS)]
    jobs = [
        client.submit(message=question, style="gentle", api_name="/chat")
        for client, question in zip(clients, questions, strict=False)
    ]
    idle = threading.Thread(target=seen.idle, args=(page.url,))
    idle.start()
    until(lambda: all(job.outputs() for job in jobs), PATIENCE_SECONDS)
    page.terminate()
    until(lambda: not page.answers(), PATIENCE_SECONDS)
    seen.look_around(page.url, clients[-1])
    seen.running_then = stack.streaming
    stack.delay = 0.0
    until(lambda: all(job.done() for job in jobs), PATIENCE_SECONDS)
    seen.last_piece_at = time.monotonic()
    seen.replies = {
        question: job.outputs()[-1] for question, job in zip(questions, jobs, strict=True)
    }
    seen.code = page.ended(PATIENCE_SECONDS)
    seen.ended_at = time.monotonic()
    idle.join(PATIENCE_SECONDS)
    for client in clients:
        client.close()
    seen.whole = {body["messages"][-1]["content"]: reply_to(stack, body) for body in stack.asked}
    seen.log = page.log.read_text()
    return seen


@pytest.fixture(scope="module")
def farewell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farewell]:
    """What was seen, once for all the tests below."""
    log: Path = tmp_path_factory.mktemp("ui") / "ui.log"
    with running_stack(Stack(delay=HELD)) as stack:
        page = PageProcess(log, stack.urls)
        try:
            page.ready()
            yield farewell_of(page, stack)
        finally:
            page.close()


def test_running_replies_end_whole(farewell: Farewell) -> None:
    """All eight readers get all that their model said, and nobody else is answered."""
    assert len(farewell.replies) == CHATS
    assert farewell.replies == farewell.whole


def test_process_ends_in_order_soon_after_the_last_reply(farewell: Farewell) -> None:
    """Open pages do not keep it: the status is 0, and the log holds no error."""
    assert farewell.code == 0
    assert farewell.ended_at - farewell.last_piece_at < SOON_SECONDS
    assert farewell.heartbeat_ended
    assert '"level": "error"' not in farewell.log
    assert "Traceback" not in farewell.log


def test_ninth_message_is_refused_kindly(farewell: Farewell) -> None:
    """A program learns in words, in its language, that it may come back; at once, too.

    All places are taken, and it does not wait for one of them.
    """
    zh = texts_in("zh")
    assert zh("problem.leaving") in farewell.refusal
    assert zh("problem.again_soon") in farewell.refusal
    assert farewell.running_then == CHATS


def test_plain_http_is_told_when_to_come_back(farewell: Farewell) -> None:
    """`curl` gets 503, a code, and a time."""
    assert farewell.posted is not None
    assert farewell.posted.status_code == 503
    assert int(farewell.posted.headers["retry-after"]) > 0
    assert farewell.posted.json()["error"]["code"] == "draining"


def test_probe_says_that_the_service_drains(farewell: Farewell) -> None:
    """Whoever routes requests sends no more of them."""
    assert farewell.readiness is not None
    assert farewell.readiness.status_code == 503
    assert farewell.readiness.json()["reasons"] == ["draining"]
