"""How everything is, at a glance: services, alerts, GPUs, and the run that goes on. Read only."""

from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.events import QUICK
from ui.kept.store_words import store_html
from ui.tabs.clock import Clock
from ui.tabs.plot import drawn, loss_plot
from ui.tabs.tab import Handle, Workbench, news, words_only
from ui.texts import Texts, texts_for
from ui.training.curve import legend_html
from ui.training.gpu_table import gpus_html
from ui.training.progress import run_html
from ui.watch.health_list import alarms_html, checked_html, health_html, links_html
from ui.watch.monitor import MonitorSource, Watched

REFRESH_SECONDS = 5.0
PLOT_PIXELS = 300
# The reader's zone, in minutes east of UTC, goes before the inputs that the browser sends along.
ZONE = "(zone, ...rest) => [String(-new Date().getTimezoneOffset()), ...rest]"
FARTHEST_MINUTES = 14 * 60


class Monitor:
    """Builds the tab into the current Gradio context.

    Args:
        bench: what tabs are built with.
    """

    def __init__(self, bench: Workbench) -> None:
        self.settings = bench.settings
        self.source = MonitorSource(bench.talk.backend, bench.talk.drain, kept=bench.kept)
        with gr.Row(elem_classes="ts-checked"):
            self.checked = gr.HTML(elem_id="monitor-checked")
            self.again = gr.Button("", size="sm", scale=0, elem_id="monitor-again")
        self.health = gr.HTML(elem_id="monitor-health", elem_classes="ts-section")
        self.alarms = gr.HTML(elem_id="monitor-alerts", elem_classes="ts-section")
        self.gpus = gr.HTML(elem_id="monitor-gpus", elem_classes="ts-section")
        with gr.Row(elem_classes="ts-stage", elem_id="monitor-one"):
            with gr.Column(elem_classes="ts-panel", scale=0, min_width=300):
                self.run = gr.HTML(elem_id="monitor-run", elem_classes="ts-section")
            with gr.Column(
                elem_classes="ts-plot", scale=1, min_width=300, visible=False
            ) as self.stage:
                self.legend = gr.HTML(elem_classes="ts-legend-block")
                self.plot = loss_plot("monitor-plot", PLOT_PIXELS)
        self.store = gr.HTML(elem_id="monitor-store", elem_classes="ts-section")
        self.links = gr.HTML(elem_id="monitor-links", elem_classes="ts-section")
        # What the tab was last made from, and the reader's zone.
        self.seen, self.zone = gr.State(None), gr.Textbox(visible=False)
        self.clock = Clock(bench, REFRESH_SECONDS)
        self.shown: list[Any] = [self.checked, self.health, self.alarms, self.gpus, self.run]
        self.shown += [self.stage, self.legend, self.plot, self.store, self.links]
        self.wire(bench)

    def wire(self, bench: Workbench) -> None:
        """Connect the tab's opening, the clock, the button and the language."""
        known = [self.zone, self.seen, bench.language]
        changed = [self.seen, *self.shown]
        asking: dict[str, Any] = {"js": ZONE, **QUICK}
        self.clock.timer.tick(self.look, known, changed, **asking)
        self.again.click(self.look, known, changed, **asking)
        bench.tab.select(self.look, known, changed, **asking)
        bench.language.change(self.speak, known, changed, **asking)

    async def look(self, zone: Any, seen: Any, language: Any) -> list[Any]:
        """Return what the tab shows now, and of it what is new."""
        texts = texts_for(language)
        now = self.render(texts, await self.source.watched(), minutes_of(zone))
        return news(seen, now)

    async def speak(self, zone: Any, seen: Any, language: Any) -> list[Any]:
        """Return the tab in another language, once it was opened."""
        if not seen:
            return [gr.skip()] * (1 + len(self.shown))
        return await self.look(zone, seen, language)

    def render(self, texts: Texts, watched: Watched, minutes: int) -> list[Any]:
        """Return the values of `shown`."""
        training = watched.training
        run = training.chosen
        return [
            checked_html(texts, watched.at, minutes),
            health_html(texts, watched.health),
            alarms_html(texts, watched.alarms, self.settings),
            gpus_html(texts, watched.gpus),
            run_html(texts, training),
            gr.update(visible=run is not None),
            legend_html(texts, run, training.events),
            drawn(training),
            store_html(texts, watched.store),
            links_html(texts, self.settings),
        ]


def minutes_of(zone: Any) -> int:
    """Return the reader's zone in minutes east of UTC; 0 where the browser told none."""
    try:
        minutes = int(str(zone))
    except ValueError:
        return 0
    return minutes if abs(minutes) <= FARTHEST_MINUTES else 0


def build(bench: Workbench) -> Handle:
    """Build the tab into the current Gradio context."""
    monitor = Monitor(bench)

    def words(texts: Texts, _: Catalog) -> list[Any]:
        return [gr.update(value=texts("monitor.again"))]

    return words_only([monitor.again], words)
