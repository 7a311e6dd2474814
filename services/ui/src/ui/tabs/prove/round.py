"""Preference data so far, and a second round of training from it."""

import asyncio
import hashlib
from typing import Any

import gradio as gr

from contracts.dataset import DatasetManifest
from contracts.evaluation import EvaluationReport
from contracts.job import Job
from contracts.run import RunRequest
from contracts.votes import PairRequest
from ui.access.visitors import current_user
from ui.catalog import Catalog
from ui.errors import ProblemError
from ui.events import QUICK
from ui.proof.round import counts_html, made_html, note_html, started_html
from ui.service_notices import service_html
from ui.tabs.prove.desk import Desk
from ui.tabs.tab import words_only
from ui.texts import Texts, texts_for

RECIPE = "dpo"
# A version that was made of so many votes is made once, however often the button is pressed.
VERSIONS_KEPT = 50


class Round:
    """Builds the sheet into the current Gradio context.

    Args:
        desk: what the sheets share.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.made: dict[str, DatasetManifest] = {}
        self.lock = asyncio.Lock()
        self.counts = gr.HTML(elem_id="prove-pairs", elem_classes="ts-section")
        self.go = gr.Button("", variant="primary", scale=0, elem_id="prove-second")
        self.said = gr.HTML(elem_id="prove-second-said", elem_classes="ts-section")
        self.named: list[Any] = [self.said]

        def words(texts: Texts, _: Catalog) -> list[Any]:
            return [gr.update(value=texts("prove.second"))]

        self.handle = words_only([self.go], words)

    def wire(self) -> None:
        """Connect the sheet's opening, the language and the button."""
        desk, language = self.desk, self.desk.bench.language
        desk.items["round"].select(
            self.enter, [desk.listed, language], [desk.sheet, desk.evaluation, self.counts], **QUICK
        )
        language.change(self.speak, [desk.sheet, language], [self.counts], **QUICK)
        going = self.go.click(self.train, [desk.evaluation, language], [self.said], **QUICK)
        going.then(self.look, [language], [self.counts], **QUICK)

    async def enter(self, listed: Any, language: Any) -> list[Any]:
        """Show the counts, and the picker."""
        shown = gr.update(visible=bool(str(listed or "")[2:]))
        return ["round", shown, await self.look(language)]

    async def speak(self, sheet: Any, language: Any) -> Any:
        """Show the counts in another language, while they are seen."""
        return await self.look(language) if sheet == "round" else gr.skip()

    async def look(self, language: Any) -> str:
        """Return how many pairs there are, by style."""
        texts, votes = texts_for(language), self.desk.votes
        waiting = await asyncio.to_thread(votes.on_their_way, current_user())
        try:
            counts = await self.desk.source.counts()
        except ProblemError as problem:
            return service_html(texts, problem) + note_html(texts, waiting)
        return counts_html(texts, counts, await self.desk.names(texts), waiting)

    async def train(self, picked: Any, language: Any) -> str:
        """Make pairs of the votes, and start a run on them; return what came of it."""
        texts, report = texts_for(language), await self.desk.found(picked)
        if report is None:
            return note_html(texts, 0, "prove.none")
        try:
            async with self.lock:
                version = await self.pairs(report)
        except ProblemError as problem:
            return service_html(texts, problem)
        said = made_html(texts, version)
        if not version.rows.get("preference") or report.trained is None:
            return said
        try:
            return said + started_html(texts, await self.run(report.trained.model_id, version))
        except ProblemError as problem:
            return said + service_html(texts, problem)

    async def pairs(self, report: EvaluationReport) -> DatasetManifest:
        """Return the version of the dataset with the pairs of today's votes."""
        counts = await self.desk.source.counts()
        name = f"{report.request.dataset_id}/{counts.model_dump_json()}"
        if name not in self.made:
            request = PairRequest(dataset_id=report.request.dataset_id, sources=["votes"])
            self.made[name] = await self.desk.calls.pairs(request)
            self.desk.datasets.stale()
        while len(self.made) > VERSIONS_KEPT:
            self.made.pop(next(iter(self.made)))
        return self.made[name]

    async def run(self, model_id: str, version: DatasetManifest) -> Job:
        """Start the run that goes on from the model that was evaluated; once for each version."""
        trainer = self.desk.bench.talk.backend.trainer
        manifest = await trainer.manifest(model_id)
        runs = {run.id: run.request.base_model for run in await trainer.runs()}
        request = RunRequest(
            name=manifest.name,
            dataset_id=version.id,
            base_model=runs.get(manifest.run_id, manifest.base.name),
            recipe=RECIPE,
            continues=model_id,
        )
        key = hashlib.sha256(f"round/{version.id}/{model_id}".encode()).hexdigest()
        return await trainer.start(request, key)
