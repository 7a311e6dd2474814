"""The blind arena: two replies, a vote, then the names. What is not shown yet stays here.

The pair lies in the session's state on the server. Only its texts go to the browser before the
vote; names, models and marks follow in the answer to the vote.
"""

import asyncio
import random
from pathlib import Path
from typing import Any

import gradio as gr

from ui.access.visitors import current_user
from ui.catalog import Catalog
from ui.errors import ProblemError
from ui.events import QUICK
from ui.look import FOLDER as LOOK
from ui.proof.arena import OUTCOMES, Outcome, Seated, duels, next_duel
from ui.proof.arena_seats import finished_html, pair_html, revealed_html, told_html
from ui.proof.arena_tally import tally_html
from ui.service_notices import service_html
from ui.tabs.prove.desk import BLIND, Desk
from ui.tabs.tab import words_only
from ui.texts import Texts, texts_for

FOCUS_NEXT = "() => setTimeout(() => document.querySelector('#arena-next')?.focus(), 60)"
FOCUS_PAIR = "() => setTimeout(() => document.querySelector('#arena-question')?.focus(), 60)"


class Arena:
    """Builds the sheet into the current Gradio context.

    Args:
        desk: what the sheets share.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.chance = random.SystemRandom()
        self.told = gr.HTML(elem_id="arena-told")
        self.pair = gr.HTML(elem_id="arena-pair", elem_classes="ts-section")
        row: dict[str, Any] = {"elem_classes": "ts-p-ballot", "visible": False}
        with gr.Row(elem_id="arena-ballot", **row) as self.ballot:
            self.buttons = [
                gr.Button("", elem_id=f"arena-{outcome}", min_width=110) for outcome in OUTCOMES
            ]
        self.next = gr.Button("", variant="primary", visible=False, elem_id="arena-next")
        self.keys = gr.HTML(elem_id="arena-keys")
        self.tally = gr.HTML(elem_id="arena-tally", elem_classes="ts-section")
        # The pair that is shown, and how it was voted: on the server only.
        self.seated, self.outcome = gr.State(None), gr.State("")
        self.shown = [self.seated, self.outcome, self.told, self.pair]
        self.shown += [self.ballot, self.next, self.tally]

        def words(texts: Texts, _: Catalog) -> list[Any]:
            names = [gr.update(value=texts(f"arena.vote_{name}")) for name in OUTCOMES]
            keys = f'<p class="ts-faint">{texts("arena.keys")}</p>'
            return [*names, gr.update(value=texts("arena.next")), keys]

        worded = [*self.buttons, self.next, self.keys]
        self.handle = words_only(worded, words)

    def wire(self) -> None:
        """Connect the sheet's opening, the votes, the next pair and the keys."""
        desk, language = self.desk, self.desk.bench.language
        hidden = [desk.sheet, desk.evaluation, *desk.named]
        desk.items[BLIND].select(
            self.enter,
            [desk.evaluation, self.seated, self.outcome, language],
            [*hidden, *self.shown],
            **QUICK,
        )
        keys = Path(LOOK, "arena.js").read_text(encoding="utf-8")
        desk.items[BLIND].select(None, None, None, js=keys, **QUICK)
        known = [self.seated, self.outcome, language]
        for outcome, button in zip(OUTCOMES, self.buttons, strict=True):
            voting = button.click(self.voter(outcome), known, self.shown, **QUICK)
            voting.then(None, None, None, js=FOCUS_NEXT, **QUICK)
        drawing = self.next.click(self.draw, [self.seated, language], self.shown, **QUICK)
        drawing.then(None, None, None, js=FOCUS_PAIR, **QUICK)
        language.change(self.speak, [desk.sheet, *known], self.shown, **QUICK)

    async def enter(self, picked: Any, seated: Any, outcome: Any, language: Any) -> list[Any]:
        """Hide every name, and show the pair that waits for a vote, else the next one."""
        emptied = [emptied_of(item) for item in self.desk.named]
        hidden = [BLIND, gr.update(visible=False), *emptied]
        report = await self.desk.found(picked)
        if report is None:
            problem = (await self.desk.source.proofs()).problem
            return [*hidden, *self.nothing(texts_for(language), problem)]
        waits = isinstance(seated, Seated) and not outcome
        if waits and seated.duel.evaluation == report.id:
            return [*hidden, *await self.render(texts_for(language), seated, "")]
        return [*hidden, *await self.another(report.id, language)]

    def voter(self, outcome: Outcome) -> Any:
        """Return what happens when a vote is cast."""

        async def vote(seated: Any, before: Any, language: Any) -> list[Any]:
            if not isinstance(seated, Seated) or before:
                return [gr.skip()] * len(self.shown)
            votes = self.desk.votes
            await asyncio.to_thread(votes.cast, current_user(), seated, outcome)
            return await self.render(texts_for(language), seated, outcome)

        return vote

    async def draw(self, seated: Any, language: Any) -> list[Any]:
        """Show the next pair of the same evaluation."""
        if not isinstance(seated, Seated):
            return [gr.skip()] * len(self.shown)
        return await self.another(seated.duel.evaluation, language)

    async def speak(self, sheet: Any, seated: Any, outcome: Any, language: Any) -> list[Any]:
        """Show the same pair in another language, while it is seen."""
        if sheet != BLIND or not isinstance(seated, Seated):
            return [gr.skip()] * len(self.shown)
        return await self.render(texts_for(language), seated, outcome)

    async def another(self, evaluation: str, language: Any) -> list[Any]:
        """Return the next pair for this person, or that there is none."""
        texts, votes = texts_for(language), self.desk.votes
        try:
            every = duels(evaluation, await self.desk.source.replies(evaluation))
        except ProblemError as problem:
            return self.nothing(texts, problem)
        past = await asyncio.to_thread(votes.past, current_user(), evaluation)
        seated = next_duel(every, past, self.chance)
        if seated is not None:
            return await self.render(texts, seated, "")
        cast = await asyncio.to_thread(votes.everybody, evaluation)
        *ends, _ = self.nothing(texts, None)
        ends[3] = finished_html(texts, len(every))
        return [*ends, tally_html(texts, cast, len(past))]

    async def render(self, texts: Texts, seated: Seated, outcome: Any) -> list[Any]:
        """Return the updates of `shown`: without any name while there is no vote."""
        evaluation, votes = seated.duel.evaluation, self.desk.votes
        names = await self.desk.names(texts)
        own = await asyncio.to_thread(votes.past, current_user(), evaluation)
        waiting = await asyncio.to_thread(votes.on_their_way, current_user())
        every = len(duels(evaluation, await self.desk.source.replies(evaluation)))
        told = told_html(texts, len(own), every, waiting)
        if outcome not in OUTCOMES:
            pair, tally = pair_html(texts, seated, names), ""
        else:
            cast = await asyncio.to_thread(votes.everybody, evaluation)
            pair = revealed_html(texts, seated, outcome, names)
            tally = tally_html(texts, cast, len(own))
        voted = bool(tally)
        buttons = [gr.update(visible=not voted), gr.update(visible=voted)]
        return [seated, outcome, told, pair, *buttons, tally]

    def nothing(self, texts: Texts, problem: ProblemError | None) -> list[Any]:
        """Return the updates of `shown` where there is no pair, and why."""
        said = service_html(texts, problem) or finished_html(texts, 0)
        return [None, "", "", said, gr.update(visible=False), gr.update(visible=False), ""]


def emptied_of(item: Any) -> Any:
    """Return the update that takes every name out of a component."""
    return "" if isinstance(item, gr.HTML) else gr.update(choices=[], value=[])
