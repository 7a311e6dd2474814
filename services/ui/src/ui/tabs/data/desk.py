"""What the sheets of the Data tab share: the dataset that is looked at, and the jobs that go on."""

import asyncio
from typing import Any

import gradio as gr

from contracts.job import Job
from ui.catalog import Catalog
from ui.dataset.dataset_list import DatasetList, Listed
from ui.dataset.dataset_words import dataset_label, facts_html, going_html, none_html
from ui.events import QUICK
from ui.service_notices import service_html
from ui.tabs.clock import Clock
from ui.tabs.tab import Workbench, news, words_only
from ui.texts import Texts, texts_for
from ui.upstream.jobs import JobWatch

REFRESH_SECONDS = 2.0


class Desk:
    """Builds the picker of a dataset above the sheets.

    Args:
        bench: what tabs are built with.

    Attributes:
        dataset: the picked dataset's id, or None; sheets listen to its `change`.
        datasets: what there is, for all pages together.
        jobs: the jobs that make datasets, for all pages together.
        job: the id of the job that was started or picked here; sheets listen to its `change`.
        clock: ticks while the Data tab is seen.
        sheets: the row of sheets; `sheet` is the one that is being built.
    """

    sheets: gr.Tabs
    sheet: gr.Tab

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        calls = bench.talk.backend.datasets
        self.datasets, self.jobs = DatasetList(calls), JobWatch(calls.jobs)
        with gr.Row(elem_classes="ts-desk"):
            self.dataset = gr.Dropdown(
                choices=[], value=None, elem_id="data-dataset", interactive=True, scale=0
            )
            self.facts = gr.HTML(elem_id="data-facts")
        self.problem = gr.HTML(elem_id="data-problem", elem_classes="ts-problem-block")
        self.going = gr.HTML(elem_id="data-going")
        # What the picker was last made from; the job that this page started, or picked.
        self.seen, self.job = gr.State(None), gr.State("")
        self.clock = Clock(bench, REFRESH_SECONDS)
        self.shown: list[Any] = [self.dataset, self.facts, self.problem, self.going]
        self.wire()

        def words(texts: Texts, _: Catalog) -> list[Any]:
            return [gr.update(label=texts("data.dataset"))]

        self.handle = words_only([self.dataset], words, [self.dataset])

    def wire(self) -> None:
        """Connect the tab's opening, the clock, the picker and the language."""
        known = [self.seen, self.dataset, self.bench.language]
        changed = [self.seen, *self.shown]
        bench = self.bench
        for event in (bench.tab.select, self.clock.timer.tick, self.dataset.input):
            event(self.look, known, changed, **QUICK)
        bench.language.change(self.speak, known, changed, **QUICK)

    async def look(self, seen: Any, picked: Any, language: Any) -> list[Any]:
        """Return what the picker is made from now, and of it what is new; the choice stays."""
        texts = texts_for(language)
        # At once: a service that hangs is told of after one patience, not two.
        watched, listed = await asyncio.gather(self.jobs.watched(), self.datasets.listed())
        if self.datasets.expect(frozenset(made_by(job) for job in watched.jobs or ()) - {""}):
            listed = await self.datasets.listed()
        now = [*self.render(texts, listed, picked), going_html(texts, watched.chosen)]
        made, choice, *rest = news(seen, now)
        # A choice is never sent back: while this look was under way, another may have been made.
        sent = {name: said for name, said in choice.items() if name != "value"}
        return [made, sent if listed.find(picked) else choice, *rest]

    async def speak(self, seen: Any, picked: Any, language: Any) -> list[Any]:
        """Return the picker in another language, once the tab was opened."""
        if not seen:
            return [gr.skip()] * (1 + len(self.shown))
        return await self.look(seen, picked, language)

    def render(self, texts: Texts, listed: Listed, picked: Any) -> list[Any]:
        """Return what is shown of the datasets; without a choice the newest is picked."""
        shown = listed.shown(picked)
        chosen = listed.find(picked) or next(iter(shown), None)
        known = listed.datasets is not None
        return [
            picker(texts, listed, chosen.id if chosen else None) if known else gr.skip(),
            none_html(texts) if known and not shown else facts_html(texts, chosen),
            service_html(texts, listed.problem),
        ]

    async def picked(self, texts: Texts, dataset_id: str) -> Any:
        """Return the update of `dataset` that picks a dataset which was just made."""
        self.datasets.stale()
        return picker(texts, await self.datasets.listed(), dataset_id)


def picker(texts: Texts, listed: Listed, chosen: str | None) -> Any:
    """Return the update of the picker."""
    choices = [(dataset_label(texts, one), one.id) for one in listed.shown(chosen)]
    return gr.update(choices=choices, value=chosen, interactive=bool(choices))


def made_by(job: Job) -> str:
    """Return the dataset that an ended job has made, or nothing."""
    return str(job.result.get("dataset_id") or "") if job.state.final else ""
