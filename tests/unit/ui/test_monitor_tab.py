"""The tab that shows how everything is."""

from types import SimpleNamespace
from typing import Any

import pytest

from contracts.gpu import GpuReport
from fakes.stack import Stack
from ui.catalog import CatalogSource
from ui.chat.talk import Talk
from ui.config import UiSettings
from ui.drain import Drain
from ui.kept.keeping import keeping
from ui.page import Page
from ui.tabs import TABS
from ui.tabs.monitor import Monitor, minutes_of
from ui.texts import texts_in
from ui.training.source import TrainingSource
from ui.upstream.backend import Backend
from ui.watch.monitor import MonitorSource
from unit.ui.test_train_tab import UNCHANGED, NoTime, owner

ZH, EN = texts_in("zh"), texts_in("en")
TAB_IDS = [tab.id for tab in TABS]


@pytest.fixture
async def tab(backend: Backend, stack: Stack) -> Monitor:
    """The tab of a page, which asks the stand-ins each time."""
    settings = UiSettings.from_environ(stack.urls)
    talk = Talk(backend, CatalogSource(backend), settings.max_tokens, Drain(5))
    page = Page(settings, talk, keeping(settings.state_dir))
    methods = [function.fn for function in page.blocks.fns.values()]
    found = next(each.__self__ for each in methods if isinstance(owner(each), Monitor))
    assert isinstance(found, Monitor)
    found.source = MonitorSource(backend, talk.drain, NoTime())
    found.source._training = TrainingSource(backend, NoTime())
    return found


def chosen(index: int) -> Any:
    """Return the event of a tab that is opened."""
    return SimpleNamespace(index=index)


async def test_clock_runs_while_the_tab_is_seen(tab: Monitor) -> None:
    """Who looks at another one costs the services nothing."""
    assert not tab.clock.timer.active
    assert tab.clock.watch(chosen(TAB_IDS.index("monitor"))).active
    assert not tab.clock.watch(chosen(TAB_IDS.index("chat"))).active


async def test_tab_shows_how_everything_is(tab: Monitor) -> None:
    """An update for each part, in the reader's language and by the reader's clock."""
    seen, *shown = await tab.look("480", None, "en")
    assert len(shown) == len(tab.shown)
    checked, health, alarms, gpus, run, stage, legend, plot, store, links = shown
    assert seen == shown
    assert "<time" in checked
    assert EN("service.trainer") in health
    assert EN("alert.none") in alarms
    assert "H100" in gpus
    assert EN("run.flat", step=420, planned=900) in run
    assert stage["visible"]
    assert plot["x_lim"] == [0, 900]
    assert EN("train.curve") in legend
    assert EN("monitor.store") in store
    assert EN("monitor.no_charts") in links


async def test_nothing_moves_while_nothing_is_new(tab: Monitor, stack: Stack) -> None:
    """Text that is being marked stays marked; what changed is shown."""
    seen, *_ = await tab.look("0", None, "zh")
    seen, checked, *others = await tab.look("0", seen, "zh")
    assert others[:-2] + others[-1:] == [UNCHANGED] * 8  # the room on the disk may have changed
    stack.gpus = GpuReport(available=False)
    _, _, health, _, gpus, *_ = await tab.look("0", seen, "zh")
    assert health == UNCHANGED
    assert ZH("gpu.no_library") in gpus


async def test_language_is_followed_once_the_tab_was_opened(tab: Monitor) -> None:
    """Before, nobody is asked."""
    assert await tab.speak("0", None, "zh") == [UNCHANGED] * 11
    seen, *_ = await tab.look("0", None, "zh")
    _, _, health, *_ = await tab.speak("0", seen, "en")
    assert EN("service.trainer") in health


async def test_services_that_are_gone_leave_a_tab(tab: Monitor, stack: Stack) -> None:
    """With what to do, and without a curve."""
    stack.trainer_up = False
    _, _, _, _, gpus, run, stage, *_ = await tab.look("0", None, "zh")
    assert ZH("gpu.unknown") in gpus
    assert ZH("train.down") in run
    assert not stage["visible"]


@pytest.mark.parametrize(
    ("told", "minutes"), [("480", 480), ("-210", -210), ("", 0), (None, 0), ("9999", 0), ("x", 0)]
)
def test_zone_of_the_reader_is_taken_if_it_is_one(told: Any, minutes: int) -> None:
    """It comes from a browser."""
    assert minutes_of(told) == minutes
