"""What the sheets of the Prove tab share: the evaluation that is looked at, and its sources."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from contracts.evaluation import EvaluationReport
from ui.catalog import Catalog
from ui.dataset.dataset_list import DatasetList
from ui.events import QUICK
from ui.kept.arena_votes import ArenaVotes
from ui.proof.evaluation_list import choices_of, ended
from ui.proof.source import ProofSource
from ui.proof.words import style_names
from ui.tabs.clock import Clock
from ui.tabs.tab import Workbench, words_only
from ui.texts import Texts, texts_for
from ui.upstream.jobs import JobWatch

REFRESH_SECONDS = 2.0
# The sheet on which nothing may be named.
BLIND = "arena"


class Desk:
    """Builds the picker of an evaluation above the sheets.

    Args:
        bench: what tabs are built with.

    Attributes:
        sheet: the id of the sheet that is seen, as a component.
        evaluation: the picked evaluation.
        jobs, source, datasets: what datagen says, for all pages together.
        votes: of the arena.
        items: the sheets by their ids.
        named: components that name contestants; they are emptied while the arena is seen.
    """

    sheets: gr.Tabs

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        backend = bench.talk.backend
        self.calls = backend.proof
        self.jobs, self.source = JobWatch(backend.proof.jobs), ProofSource(backend.proof)
        self.datasets = DatasetList(backend.datasets)
        self.votes = ArenaVotes(bench.kept.state, bench.kept.ballots)
        self.evaluation = gr.Dropdown(
            choices=[],
            value=None,
            interactive=True,
            filterable=False,
            visible=False,
            elem_id="prove-evaluation",
            elem_classes="ts-model",
        )
        self.sheet, self.listed = gr.State("start"), gr.State("")
        self.clock = Clock(bench, REFRESH_SECONDS)
        self.items: dict[str, gr.Tab] = {}
        self.named: list[Any] = []

        def words(texts: Texts, _: Catalog) -> list[Any]:
            return [gr.update(label=texts("prove.evaluation"))]

        self.handle = words_only([self.evaluation], words)

    def wire(self, start: Any) -> None:
        """Connect the tab's opening and the clock, which move the first sheet and the picker."""
        known = [self.sheet, self.listed, self.evaluation, *start.known, self.bench.language]
        changed = [self.listed, self.evaluation, *start.changed]
        self.looking: dict[str, Any] = {"inputs": known, "outputs": changed, **QUICK}
        self.start = start
        for event in (self.bench.tab.select, self.clock.timer.tick, self.bench.language.change):
            event(self.look, **self.looking)
        self.items["start"].select(
            self.enter, inputs=known, outputs=[self.sheet, *changed], **QUICK
        )

    async def enter(self, _: Any, __: Any, picked: Any, *values: Any) -> list[Any]:
        """Show the first sheet, all of it anew: the arena may have emptied it."""
        followed, _seen, *rest = values
        return ["start", *await self.look("start", "", picked, followed, None, *rest)]

    async def look(self, sheet: Any, listed: Any, picked: Any, *values: Any) -> list[Any]:
        """Return what is new on the first sheet and in the picker; nothing while all is blind."""
        count = len(self.start.changed)
        if sheet == BLIND:
            return [gr.skip()] * (2 + count)
        *known, language = values
        texts = texts_for(language)
        watched = await self.jobs.watched(str(known[0] or ""))
        self.source.expect(ended(watched.jobs))
        proofs = await self.source.proofs()
        reports = proofs.reports or ()
        now = texts.language + "".join(report.id for report in reports)
        update = gr.skip() if now == listed else self.picker(texts, reports, picked)
        return [now, update, *await self.start.look(texts, watched, proofs, *known)]

    def picker(
        self, texts: Texts, reports: Sequence[EvaluationReport], picked: Any
    ) -> dict[str, Any]:
        """Return the update of the picker: what was picked stays, else the newest."""
        choices = choices_of(texts, reports)
        ids = [value for _, value in choices]
        value = picked if picked in ids else next(iter(ids), None)
        found: dict[str, Any] = gr.update(choices=choices, value=value, visible=bool(choices))
        return found

    async def found(self, picked: Any) -> EvaluationReport | None:
        """Return the report that is looked at."""
        return (await self.source.proofs()).find(str(picked or ""))

    async def names(self, texts: Texts) -> dict[str, str]:
        """Return the names of the styles."""
        catalog = await self.bench.talk.source.known()
        taught = [entry for model in catalog.models for entry in catalog.styles_for(model.name)]
        return style_names(texts, [*catalog.library, *taught])
