"""The tab of the training runs."""

from typing import Any

import pytest

from fakes.recorded_runs import OVERFIT, recorded
from fakes.stack import Stack
from ui.backend import Backend
from ui.catalog import CatalogSource
from ui.config import UiSettings
from ui.drain import Drain
from ui.keeping import keeping
from ui.page import Page
from ui.tabs.train import Runs
from ui.talk import Talk
from ui.texts import texts_in
from ui.training import TrainingSource

ZH, EN = texts_in("zh"), texts_in("en")
UNCHANGED = {"__type__": "update"}


class NoTime:
    """A clock at which every answer is old."""

    now = 0.0

    def __call__(self) -> float:
        """Return a later time than ever before."""
        self.now += 1000
        return self.now


@pytest.fixture
async def tab(backend: Backend, stack: Stack) -> Runs:
    """The tab of a page, which asks the stand-ins each time."""
    settings = UiSettings.from_environ(stack.urls)
    talk = Talk(backend, CatalogSource(backend), settings.max_tokens, Drain(5))
    page = Page(settings, talk, keeping(settings.state_dir))
    methods = [function.fn for function in page.blocks.fns.values()]
    found = next(each.__self__ for each in methods if isinstance(owner(each), Runs))
    assert isinstance(found, Runs)
    found.source = TrainingSource(backend, NoTime())
    return found


def owner(function: Any) -> Any:
    """Return whose method a function is."""
    return getattr(function, "__self__", None)


async def test_tab_shows_the_runs_when_it_is_opened(tab: Runs) -> None:
    """Before, nobody asks; from then on the clock runs."""
    assert not tab.timer.active
    timer, seen, listed, one, picker, card, legend, plot = await tab.open("", "", "en")
    assert timer.active
    assert seen
    assert "The loss went flat" in listed
    assert one["visible"]
    assert len(picker["choices"]) == 4
    assert "The loss went flat" in card
    assert "The loss went flat" in legend
    assert plot["x_lim"] == [0, 900]


async def test_nothing_moves_while_nothing_is_new(tab: Runs, stack: Stack) -> None:
    """A picker that is open stays so; a new step is shown."""
    seen, *_ = await tab.tick("", "", "zh")
    assert (await tab.tick(seen, "", "zh"))[1:] == [UNCHANGED] * 6
    stack.runs = [recorded({"id": "r-new", "state": "running", "step": 3, "max_steps": 9})]
    now, listed, *_ = await tab.tick(seen, "", "zh")
    assert now != seen
    assert "r-new" in listed


async def test_language_is_followed(tab: Runs) -> None:
    """The same runs, other words."""
    seen, *_ = await tab.tick("", "", "zh")
    now, listed, *_ = await tab.tick(seen, "", "en")
    assert now != seen
    assert EN("train.why") in listed


async def test_picked_run_stays_picked(tab: Runs) -> None:
    """Whatever begins meanwhile."""
    picked, seen, listed, _, picker, *_ = await tab.pick(OVERFIT["id"], "en")
    assert picked == picker["value"] == OVERFIT["id"]
    assert (await tab.tick(seen, picked, "en"))[0] == seen
    assert listed.count("ts-chosen") == 1


async def test_tab_says_that_the_trainer_is_down(tab: Runs, stack: Stack) -> None:
    """And finds it again by itself."""
    stack.trainer_up = False
    seen, listed, one, *_ = await tab.tick("", "", "zh")
    assert ZH("train.down") in listed
    assert not one["visible"]
    stack.trainer_up = True
    now, listed, one, *_ = await tab.tick(seen, "", "zh")
    assert now != seen
    assert one["visible"]
