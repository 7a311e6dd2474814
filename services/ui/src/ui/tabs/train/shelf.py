"""Published models: where they come from, and which of them answers."""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable
from html import escape
from typing import Any

import gradio as gr

from contracts.export import ExportRequest
from ui.catalog import Catalog
from ui.errors import ProblemError
from ui.events import QUICK
from ui.service_notices import service_html
from ui.tabs.clock import Clock
from ui.tabs.tab import Handle, news, words_only
from ui.tabs.train.hall import Confirm, Hall, picker
from ui.texts import Texts, texts_for
from ui.training.model_shelf import Shelf, card_html, exports_html, jobs_html, list_html
from ui.training.recipe_stock import answer, newest
from ui.upstream.jobs import JobWatch

REFRESH_SECONDS = 4.0
FORMS = ("adapter", "merged", "int8")
ACTIONS = ("stage", "promote", "rollback", "export")
# What changes which model people speak with is asked first.
ASKED = ("promote", "rollback")
MARK = "|"


class Models:
    """Builds the sheet into the current Gradio context.

    Args:
        hall: what the sheets share.
    """

    def __init__(self, hall: Hall) -> None:
        self.hall, self.trainer = hall, hall.backend.trainer
        self.watches = (JobWatch(self.trainer.promotions), JobWatch(self.trainer.exports))
        self.problem = gr.HTML(elem_id="train-models-problem", elem_classes="ts-problem-block")
        self.listed = gr.HTML(elem_id="train-models", elem_classes="ts-section")
        with gr.Row(elem_classes="ts-stage", visible=False) as self.one:
            with gr.Column(elem_classes="ts-panel", scale=0, min_width=300):
                self.picker = picker("train-model")
                with gr.Row(elem_classes="ts-orders-row"):
                    self.buttons = {
                        name: gr.Button("", size="sm", elem_id=f"train-do-{name}")
                        for name in ACTIONS[:3]
                    }
                self.confirm = Confirm("train-models-confirm")
                self.form = gr.Radio(list(FORMS), value="merged", elem_id="train-form")
                self.buttons["export"] = gr.Button("", size="sm", elem_id="train-export")
            with gr.Column(scale=1, min_width=300):
                self.card = gr.HTML(elem_id="train-model-card", elem_classes="ts-section")
                self.jobs = gr.HTML(elem_id="train-orders", elem_classes="ts-section")
                self.exports = gr.HTML(elem_id="train-exports", elem_classes="ts-section")
        self.seen, self.picked = gr.State(None), gr.State("")
        self.clock = Clock(hall.bench, REFRESH_SECONDS)
        self.shown: list[Any] = [self.listed, self.one, self.picker, self.card, self.jobs]
        self.shown += [self.exports, *self.buttons.values()]
        self.wire()
        self.handle = self.words()

    def wire(self) -> None:
        """Connect opening, the clock, the picker, the language and the orders."""
        hall, language = self.hall, self.hall.bench.language
        known = [self.seen, self.picked, language]
        changed = [self.problem, self.seen, *self.shown]
        hall.sheet.select(self.open, known, [hall.here, *changed], **QUICK)
        for event in (self.clock.timer.tick, hall.bench.tab.select, language.change):
            event(self.tick, [hall.here, *known], [self.seen, *self.shown], **QUICK)
        asked = self.confirm.outputs
        picked = [self.picked, *asked, *changed]
        self.picker.input(self.pick, [self.picker, language], picked, **QUICK)
        for name in ASKED:
            self.buttons[name].click(
                getattr(self, f"ask_{name}"), [self.picker, language], asked, **QUICK
            )
        self.confirm.no.click(self.confirm.over, None, asked, **QUICK)
        given = [self.confirm.about, language]
        self.confirm.yes.click(self.confirmed, given, [*asked, *changed], **QUICK)
        chosen = [self.picker, language]
        self.buttons["stage"].click(self.stage, chosen, changed, **QUICK)
        self.buttons["export"].click(
            self.export, [self.picker, self.form, language], changed, **QUICK
        )

    async def shelf(self) -> Shelf:
        """Return what there is; never raises."""
        trainer = self.trainer
        calls = (trainer.models(), trainer.current(), trainer.exported())
        *found, watched = await asyncio.gather(
            *(answer(call) for call in calls),
            asyncio.gather(*(watch.watched() for watch in self.watches)),
        )
        problems = [each for each in found if isinstance(each, ProblemError)]
        models, current, exports = (
            None if isinstance(each, ProblemError) else each for each in found
        )
        jobs = [job for one in watched for job in one.jobs or ()]
        return Shelf(
            tuple(newest(models or ())),
            current,
            tuple(newest(exports or ())),
            tuple(jobs),
            next(iter(problems), None),
        )

    async def open(self, seen: Any, picked: Any, language: Any) -> list[Any]:
        """Look at the models, now that their sheet is seen."""
        return ["models", *await self.look(seen, picked, language)]

    async def tick(self, here: Any, seen: Any, picked: Any, language: Any) -> list[Any]:
        """Return what is new, while the sheet is seen; a refusal that is shown stays."""
        if here != "models":
            return [gr.skip()] * (1 + len(self.shown))
        return (await self.look(seen, picked, language))[1:]

    async def look(
        self, seen: Any, picked: Any, language: Any, refused: ProblemError | None = None
    ) -> list[Any]:
        """Return the updates of problem, of what was seen, and of what is new."""
        texts, shelf = texts_for(language), await self.shelf()
        if shelf.problem and not shelf.models:
            down = service_html(texts, refused or shelf.problem)
            return ["" if seen is None else gr.skip(), None, down, *self.nothing()]
        told = service_html(texts, refused)
        return [told, *news(seen, self.render(texts, shelf, str(picked or "")))]

    def nothing(self) -> list[Any]:
        """Return the updates of all but the list, while the trainer does not answer."""
        hidden = gr.update(visible=False)
        return [hidden, *([gr.skip()] * (len(self.shown) - 2))]

    async def pick(self, picked: Any, language: Any) -> list[Any]:
        """Show another model, and stay with it."""
        return [picked, *self.confirm.over(), *await self.look(None, picked, language)]

    def ask_promote(self, model_id: Any, language: Any) -> list[Any]:
        """Ask whether a model is to answer from now on."""
        said = texts_for(language)("models.promote_question", model=str(model_id or ""))
        # One question, one promotion: asked again, it is another one.
        about = MARK.join(("promote", str(model_id or ""), secrets.token_hex(8)))
        return self.confirm.ask(about, f"<p>{escape(said)}</p>")

    async def ask_rollback(self, model_id: Any, language: Any) -> list[Any]:
        """Ask whether a name is to answer with the version before."""
        texts, shelf = texts_for(language), await self.shelf()
        model = shelf.model(str(model_id or ""))
        name = model.name if model else ""
        key = "models.rollback_question"
        said = texts(key, name=name, version=shelf.earlier(name) or "")
        return self.confirm.ask(f"rollback{MARK}{name}", f"<p>{escape(said)}</p>")

    async def confirmed(self, about: Any, language: Any) -> list[Any]:
        """Do what was asked about."""
        action, name, key = (*str(about or "").split(MARK), "", "")[:3]
        order: Awaitable[Any]
        if action == "promote":
            order = self.trainer.promote(name, key)
        elif action == "rollback":
            order = self.trainer.rollback(name)
        else:  # a second click: it is done already
            return [*self.confirm.over(), *await self.look(None, "", language)]
        picked = name if action == "promote" else ""
        return [*self.confirm.over(), *await self.ordered(order, picked, language)]

    async def stage(self, model_id: Any, language: Any) -> list[Any]:
        """Have serving load a model beside the one that answers."""
        return await self.ordered(self.trainer.stage(str(model_id or "")), model_id, language)

    async def export(self, model_id: Any, form: Any, language: Any) -> list[Any]:
        """Make another form of a model; while that goes on, a second click is the same order."""
        request = ExportRequest.model_validate({"form": form if form in FORMS else "merged"})
        watched = await self.watches[1].watched()
        over = [job.id for job in watched.jobs or () if job.state.final]
        about = MARK.join((str(model_id), request.form, *over))
        key = f"export-{hashlib.sha256(about.encode()).hexdigest()[:32]}"
        order = self.trainer.export(str(model_id or ""), request, key)
        return await self.ordered(order, model_id, language)

    async def ordered(self, order: Any, picked: Any, language: Any) -> list[Any]:
        """Wait for an order, and show what came of it."""
        refused = None
        try:
            await order
        except ProblemError as problem:
            refused = problem
        for watch in self.watches:
            watch.stale()
        return await self.look(None, picked, language, refused)

    def render(self, texts: Texts, shelf: Shelf, picked: str) -> list[Any]:
        """Return the values of `shown`."""
        model = shelf.model(picked)
        chosen = model.id if model else ""
        live, adapter = shelf.live(chosen), bool(model and model.kind == "adapter")
        back = bool(model and live and shelf.earlier(model.name))
        return [
            list_html(texts, shelf, chosen),
            gr.update(visible=model is not None),
            gr.update(choices=[(each.id, each.id) for each in shelf.models], value=chosen or None),
            card_html(texts, shelf, model),
            jobs_html(texts, shelf.jobs),
            exports_html(texts, shelf, model),
            gr.update(interactive=adapter and shelf.version(chosen) is None),
            gr.update(interactive=adapter and not live),
            gr.update(interactive=back),
            gr.update(interactive=model is not None),
        ]

    def words(self) -> Handle:
        """Return how the sheet is worded."""

        def words(texts: Texts, _: Catalog) -> list[Any]:
            forms = [(texts(f"models.form_{name}"), name) for name in FORMS]
            return [
                gr.update(label=texts("models.name")),
                gr.update(label=texts("models.form"), choices=forms),
                *(gr.update(value=texts(f"models.do_{name}")) for name in ACTIONS),
                gr.update(value=texts("models.yes")),
                gr.update(value=texts("models.no")),
            ]

        worded = [self.picker, self.form, *self.buttons.values()]
        worded += [self.confirm.yes, self.confirm.no]
        return words_only(worded, words)
