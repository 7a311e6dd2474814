"""What the page adds to the time to the first token, and how it bears fifty people who chat.

    python benchmarks/ui_latency.py [--pairs 200] [--users 1 20] [--crowd 50] [--seconds 60]

The page is a process of its own, and so is the fake vLLM behind it: the first token after 100 ms,
20 ms for each further one. Each user asks in turns, straight from vLLM and by the page: the pairs
lie in one run, so that a busy machine bears on both. By the page there are two ways, taken in turns
too: `page`, what a browser does with the Chat tab (`/gradio_api/queue/join`, then its stream of
events), and `api`, what a program does (`/gradio_api/call/chat`). The clock runs from the moment
before the first request until the first piece of the reply has come.

Then the crowd chats for a minute: each asks, reads for a second, and asks again in the same chat.
Ends with status 1 where the page adds 50 ms or more for one user (median), 150 ms or more for
twenty, or where the crowd meets an error or takes the page above 1 GB of memory.
"""

import argparse
import asyncio
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from page_visitor import Visitor, WrongReplyError  # noqa: E402

from fakes.paced_vllm import MARK  # noqa: E402 - the fakes are no package
from fakes.page_process import PageProcess  # noqa: E402
from fakes.serving_process import free_port, until  # noqa: E402

LIMITS = {1: 0.050, 20: 0.150}
CROWD_BYTES = 1_000_000_000
# Of a reply: short ones for the pairs, since it is the first word that counts there.
PAIR_WORDS, CROWD_WORDS = 15, 60
READING_SECONDS = 1.0
START_SECONDS = 60.0
WAYS = ("page", "api")
SERVICES = ("SERVING_URL", "SERVING_CONTROL_URL", "TRAINER_URL", "DATAGEN_URL")
SOURCES = ("tests", "libs/contracts/src", "libs/kit/src", "services/datagen/src")
SETTINGS = {"UI_CHATS_PER_MINUTE": "6000", "UI_QUEUE_SIZE": "256"}


@dataclass
class Found:
    """What was measured with so many users at once, in seconds."""

    users: int
    straight: list[float] = field(default_factory=list)
    ways: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in WAYS})

    def added(self, way: str) -> float:
        """Return the difference of the medians."""
        return statistics.median(self.ways[way]) - statistics.median(self.straight)


@dataclass
class Crowd:
    """What happened to the crowd."""

    replies: int = 0
    errors: list[str] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    memory: int = 0


async def straight(http: httpx.AsyncClient, vllm: str, question: str) -> float:
    """Ask vLLM itself; return the seconds until the first piece."""
    body = {
        "model": "tonesmith",
        "messages": [{"role": "user", "content": question}],
        "stream": True,
    }
    seconds, began = 0.0, time.perf_counter()
    async with http.stream("POST", f"{vllm}/v1/chat/completions", json=body) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            if not seconds and MARK in line:
                seconds = time.perf_counter() - began
    return seconds


async def measured(page: str, vllm: str, users: int, pairs: int) -> Found:
    """Return the times of so many pairs, shared among the users."""
    found = Found(users)
    async with visitors(page, users, PAIR_WORDS) as people:
        await asyncio.gather(*(pair(person, vllm, Found(users)) for person in people))
        share = -(-pairs // users)
        await asyncio.gather(*(in_turns(person, vllm, found, share) for person in people))
    return found


async def in_turns(person: Visitor, vllm: str, found: Found, pairs: int) -> None:
    """Measure one user's pairs, one after the other."""
    for _ in range(pairs):
        await pair(person, vllm, found)


async def pair(person: Visitor, vllm: str, found: Found) -> None:
    """Ask straight and by the page, in turns, in any order."""
    asking = ["straight", *WAYS]
    secrets.SystemRandom().shuffle(asking)
    for way in asking:
        if way == "straight":
            found.straight.append(await straight(person.http, vllm, person.question))
        else:
            seconds = await (person.by_page() if way == "page" else person.by_api())
            found.ways[way].append(seconds)


@asynccontextmanager
async def visitors(page: str, users: int, words: int) -> AsyncIterator[list[Visitor]]:
    """Yield people who have opened the page, each with connections of their own."""
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(httpx.AsyncClient(timeout=30)) for _ in range(users)
        ]
        config = (await clients[0].get(f"{page}/config")).json()
        yield [Visitor(http, page, config, words) for http in clients]


async def crowded(page: str, users: int, seconds: float, process: psutil.Process) -> Crowd:
    """Let people chat, and watch the page's memory meanwhile."""
    crowd = Crowd()
    end = time.monotonic() + seconds
    async with visitors(page, users, CROWD_WORDS) as people:
        watching = asyncio.create_task(watch(process, crowd))
        # They come one after the other in the first three seconds, as people do.
        chats = (chat(one, crowd, end, 3 * place / users) for place, one in enumerate(people))
        await asyncio.gather(*chats)
        watching.cancel()
    return crowd


async def chat(person: Visitor, crowd: Crowd, end: float, wait: float) -> None:
    """Ask, read, and ask again until the end; the open page refreshes itself meanwhile."""
    await asyncio.sleep(wait)
    clocks = [asyncio.create_task(clock) for clock in person.clocks(crowd.errors)]
    while time.monotonic() < end:
        try:
            crowd.first.append(await person.by_page())
            crowd.replies += 1
        except (httpx.HTTPError, WrongReplyError) as error:
            crowd.errors.append(f"{type(error).__name__}: {error}")
        await asyncio.sleep(READING_SECONDS)
    for clock in clocks:
        clock.cancel()


async def watch(process: psutil.Process, crowd: Crowd) -> None:
    """Note the most memory that the page takes."""
    while True:
        crowd.memory = max(crowd.memory, process.memory_info().rss)
        await asyncio.sleep(0.5)


@contextmanager
def program(*arguments: str, url: str, sources: Sequence[str]) -> Iterator[None]:
    """Run one of the stand-ins until it is not needed; it is there once `url` answers."""
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in sources)}
    with subprocess.Popen([sys.executable, "-m", *arguments], env=environ) as process:
        try:
            until(lambda: answers(url), START_SECONDS)
            yield
        finally:
            process.kill()


@contextmanager
def behind() -> Iterator[dict[str, str]]:
    """Run the fake vLLM and the other stand-ins; yield the settings that name them."""
    serving, first = free_port(), free_port()
    urls = {name: f"http://127.0.0.1:{first + place}" for place, name in enumerate(SERVICES)}
    urls["SERVING_URL"] = f"http://127.0.0.1:{serving}"
    health, styles = f"{urls['SERVING_URL']}/health", f"{urls['DATAGEN_URL']}/styles"
    vllm = program("fakes.paced_vllm", "--port", str(serving), url=health, sources=SOURCES)
    others = program("fakes.stack", "--first-port", str(first), url=styles, sources=SOURCES)
    with vllm, others:
        yield urls


def answers(url: str) -> bool:
    """Return whether somebody answers there."""
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(description="What the page adds to the first token")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--users", type=int, nargs="*", default=list(LIMITS))
    parser.add_argument("--crowd", type=int, default=50, help="people who chat; 0: none")
    parser.add_argument("--seconds", type=float, default=60)
    told = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-ui-"))
        urls = stack.enter_context(behind())
        settings = SETTINGS | {"UI_STATE_DIR": f"{folder}/state"}
        page = PageProcess(Path(folder) / "ui.log", urls, **settings)
        stack.callback(page.close)
        page.ready()
        serving = urls["SERVING_URL"]
        found = [asyncio.run(measured(page.url, serving, at, told.pairs)) for at in told.users]
        process = psutil.Process(page.process.pid)
        crowd = Crowd()
        if told.crowd:
            crowd = asyncio.run(crowded(page.url, told.crowd, told.seconds, process))
    return report(found, told.crowd, crowd)


def report(found: list[Found], users: int, crowd: Crowd) -> int:
    """Print what was found; return 1 where it is more than it may be."""
    say(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    say(f"{'users':>5} {'way':<9} {'pairs':>5} {'median ms':>9} {'p95 ms':>7} {'added ms':>8}")
    for one in found:
        row(one.users, "straight", one.straight, None)
        for way, seconds in one.ways.items():
            row(one.users, way, seconds, one.added(way))
    bad = [one for one in found for way in WAYS if one.added(way) >= LIMITS.get(one.users, 9e9)]
    if users:
        say(f"crowd of {users}: {crowd.replies} replies, {len(crowd.errors)} errors")
        say(f"first token: median {1000 * statistics.median(crowd.first or [0]):.0f} ms")
        say(f"memory of the page: {crowd.memory / 1e6:.0f} MB at most")
        for error in crowd.errors[:5]:
            say(f"  {error}")
    return 1 if bad or crowd.errors or crowd.memory >= CROWD_BYTES else 0


def row(users: int, way: str, seconds: list[float], added: float | None) -> None:
    """Print a line of the table."""
    median, p95 = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
    difference = "" if added is None else f"{1000 * added:.1f}"
    say(
        f"{users:>5} {way:<9} {len(seconds):>5} {1000 * median:>9.1f} {1000 * p95:>7.1f} "
        f"{difference:>8}"
    )


def say(line: str) -> None:
    """Write a line to standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
