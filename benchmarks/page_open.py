"""How long a browser works until the page is there, and until each tab is: Gradio's walk, and ours.

    python benchmarks/page_open.py [--rounds 3]

The page is a process of its own with stand-ins for the services behind it, the browser a headless
Chromium. Two ways, in turns: `gradio` gets the client's script as Gradio publishes it, `ours` as
the page serves it (`ui.swift`). `script` is the time that Chromium spent in scripts, which a busy
machine does not lengthen as much; `wall` ends when what a person waits for is to be seen: the box
to write into, or a tab that is selected and idle for a frame. Prints medians and their ratio.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, Route, expect, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browser.conftest import ARGUMENTS, CHROMIUM  # noqa: E402 - the tests are no package
from browser.screens import NAMES, open_tab  # noqa: E402
from fakes.page_process import PageProcess  # noqa: E402
from fakes.stack import running_stack  # noqa: E402
from ui.swift import ASSETS, swift_scripts  # noqa: E402

PATIENCE = 120_000
WAYS = ("gradio", "ours")
# For what a tab asks the services, once it is there.
SETTLE_MILLISECONDS = 1500
IDLE = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))"
Times = dict[tuple[str, str], list[tuple[float, float]]]


@contextmanager
def served() -> Iterator[str]:
    """Yield the address of a page."""
    with tempfile.TemporaryDirectory() as folder, running_stack() as stack:
        page = PageProcess(Path(folder, "log"), stack.urls, UI_STATE_DIR=f"{folder}/state")
        try:
            page.ready()
            yield page.url
        finally:
            page.close()


def as_published(route: Route) -> None:
    """Answer with Gradio's own script."""
    name = route.request.url.rpartition("/")[2]
    text = (ASSETS / name).read_text(encoding="utf-8")
    route.fulfill(body=text, content_type="text/javascript")


def script_seconds(session: CDPSession) -> float:
    """Return how long Chromium has spent in this page's scripts."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "ScriptDuration"))


def visit(browser: Browser, url: str, way: str, times: Times) -> None:
    """Open the page and each of its tabs once."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    if way == "gradio":
        for name in swift_scripts():
            page.route(f"**/{name}", as_published)
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    timed(page, session, times[way, "page"], lambda: load(page, url))
    for name in NAMES:
        timed(page, session, times[way, name], lambda name=name: open_tab(page, name))
    context.close()


def load(page: Page, url: str) -> None:
    """Open the page until one can write."""
    page.goto(url)
    page.locator("#chat-box textarea").wait_for()
    expect(page.locator("#chat-send")).to_be_enabled()


def timed(page: Page, session: CDPSession, found: list[tuple[float, float]], do: Any) -> None:
    """Do something; note wall and script seconds, the latter with what it sets in motion."""
    before, began = script_seconds(session), time.perf_counter()
    do()
    page.evaluate(IDLE)
    wall = time.perf_counter() - began
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    page.evaluate(IDLE)
    found.append((wall, script_seconds(session) - before))


def report(times: Times) -> None:
    """Print medians, side by side."""
    say(f"{'':10}" + "".join(f"{way + ' wall':>14}{way + ' script':>16}" for way in WAYS))
    for name in ("page", *NAMES):
        cells = ""
        for way in WAYS:
            wall, script = (
                statistics.median(values) for values in zip(*times[way, name], strict=True)
            )
            cells += f"{wall:>13.2f}s{script:>15.2f}s"
        say(f"{name:10}{cells}")
    sums = {way: sum(wall for name in NAMES for wall, _ in times[way, name]) for way in WAYS}
    say(f"all tabs: {sums['gradio'] / sums['ours']:.1f} times as long with Gradio's walk")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    times: Times = defaultdict(list)
    with served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for number in range(rounds):
            for way in WAYS if number % 2 else reversed(WAYS):
                visit(browser, url, way, times)
        browser.close()
    report(times)


if __name__ == "__main__":
    main()
