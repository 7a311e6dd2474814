"""Start an evaluation, watch it, and find those of before."""

import hashlib
from collections.abc import Sequence
from typing import Any

import gradio as gr
from pydantic import ValidationError

from contracts.evaluation import EvaluationRequest
from contracts.job import Job
from ui.access.visitors import current_user
from ui.catalog import BASE, Catalog
from ui.errors import ProblemError
from ui.events import QUICK
from ui.proof.evaluation_list import cost_html, job_html, list_html, orders_of
from ui.proof.source import Proofs
from ui.service_notices import service_html
from ui.tabs.prove.desk import Desk
from ui.tabs.tab import Handle, news, words_only
from ui.texts import Texts, texts_for
from ui.upstream.jobs import Watched

FIELDS = ("dataset_id", "tuned", "per_style", "turns", "prompted", "probe", "judge")
ORDERS = ("cancel", "resume", "open")


class Start:
    """Builds the sheet into the current Gradio context.

    Args:
        desk: what the sheets share.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        with gr.Row(elem_classes="ts-stage"):
            with gr.Column(elem_classes="ts-panel", scale=0, min_width=300):
                self.title = gr.HTML(elem_classes="ts-section")
                self.fields = self.form()
                self.cost = gr.HTML(elem_id="prove-cost")
                self.problem = gr.HTML(elem_id="prove-problem")
                self.start = gr.Button("", variant="primary", elem_id="prove-start")
            with gr.Column(scale=1, min_width=300):
                self.job = gr.HTML(elem_id="prove-job", elem_classes="ts-section")
                with gr.Row(elem_classes="ts-p-actions"):
                    self.orders = [
                        gr.Button("", size="sm", scale=0, visible=False, elem_id=f"prove-{name}")
                        for name in ORDERS
                    ]
                self.past = gr.HTML(elem_id="prove-past", elem_classes="ts-section")
        # Which evaluation is followed, and what the sheet was last made from.
        self.followed, self.seen = gr.State(""), gr.State(None)
        self.known = [self.followed, self.seen, *self.fields]
        self.changed = [self.followed, self.seen, self.fields[0], self.fields[1], self.cost]
        self.changed += [self.job, *self.orders, self.past]
        self.named = [self.job, self.past, self.problem]
        self.handle = self.worded()

    def form(self) -> list[Any]:
        """Return the fields, in the order of `FIELDS`."""
        picking: dict[str, Any] = {"choices": [], "interactive": True}
        return [
            gr.Dropdown(**picking, elem_id="prove-dataset"),
            gr.Dropdown(**picking, elem_id="prove-tuned"),
            gr.Slider(1, 200, value=20, step=1, elem_id="prove-per-style"),
            gr.Slider(1, 8, value=3, step=1, elem_id="prove-turns"),
            gr.Checkbox(value=True, elem_id="prove-prompted"),
            gr.Checkbox(value=True, elem_id="prove-probe"),
            gr.Checkbox(value=False, elem_id="prove-judge"),
        ]

    def worded(self) -> Handle:
        """Return how words are put to the sheet."""
        buttons = [self.start, *self.orders]

        def words(texts: Texts, _: Catalog) -> list[Any]:
            named = [
                gr.update(label=texts(f"prove.{name}"), info=texts(f"prove.{name}_info"))
                for name in FIELDS
            ]
            said = [gr.update(value=texts(f"prove.{name}")) for name in ("start", *ORDERS)]
            return [f"<h3>{texts('prove.new')}</h3>", *named, *said]

        return words_only([self.title, *self.fields, *buttons], words)

    def wire(self) -> None:
        """Connect the form and the orders; the desk looks for news."""
        desk, language = self.desk, self.desk.bench.language
        for field in self.fields:
            field.input(self.estimate, [*self.fields, language], [self.cost], **QUICK)
        outputs = [self.followed, self.problem, *self.fields]
        starting = self.start.click(self.begin, [*self.fields, language], outputs, **QUICK)
        starting.then(desk.look, **desk.looking)
        ordering = [self.followed, language]
        for name, button in zip(ORDERS[:2], self.orders[:2], strict=True):
            order = getattr(self, name)
            button.click(order, ordering, [self.problem], **QUICK).then(desk.look, **desk.looking)
        # Pressing the sheet itself is what opens it, however it was built.
        self.orders[2].click(
            self.opened, [self.followed, desk.listed], [desk.evaluation], **QUICK
        ).then(None, None, None, js=OPEN_REPORT, **QUICK)

    async def look(
        self, texts: Texts, watched: Watched, proofs: Proofs, followed: Any, seen: Any, *form: Any
    ) -> list[Any]:
        """Return the updates of `changed`: what is new; the form keeps what was picked.

        A choice is never sent back: while this look was under way, another may have been made.
        """
        job = watched.chosen
        listed = await self.desk.datasets.listed()
        catalog = await self.desk.bench.talk.source.known()
        datasets = [one.id for one in listed.shown(form[0])]
        models = [model.name for model in catalog.models if model.name != BASE]
        problem = watched.problem or proofs.problem or listed.problem
        picked = [kept(form[0], datasets), kept(form[1], models)]
        orders = orders_of(job)
        now: list[Any] = [
            gr.update(choices=datasets),
            gr.update(choices=models),
            await self.cost_of(texts, [*picked, *form[2:]], watched.jobs or ()),
            service_html(texts, problem) + job_html(texts, job),
            *(gr.update(visible=orders[name]) for name in ORDERS),
            list_html(texts, proofs.reports, watched.jobs),
        ]
        made, *fresh = news(seen, now)
        for place, value in enumerate(picked):
            if value != form[place]:
                fresh[place] = now[place] | {"value": value}
        return [job.id if job else followed, made, *fresh]

    async def estimate(self, *values: Any) -> str:
        """Return what the form would ask."""
        *form, language = values
        watched = await self.desk.jobs.watched()
        return await self.cost_of(texts_for(language), form, watched.jobs or ())

    async def cost_of(self, texts: Texts, form: Sequence[Any], jobs: Sequence[Job]) -> str:
        """Return how many replies the form asks for, and how long they take."""
        listed = await self.desk.datasets.listed()
        dataset = listed.find(form[0])
        try:
            return cost_html(texts, request_of(form), len(dataset.styles) if dataset else 0, jobs)
        except ValidationError:
            return ""

    async def begin(self, *values: Any) -> list[Any]:
        """Start an evaluation: pressed twice, it is one; return what to follow, or what is wrong.

        The key is of who asks what, and of the last evaluation of the very same: while that goes
        on, and until a new one is known, it is the same key.
        """
        *form, language = values
        texts = texts_for(language)
        told = [gr.update(info=texts(f"prove.{name}_info")) for name in FIELDS]
        try:
            request = request_of(form)
            key = key_of(request, (await self.desk.jobs.watched()).jobs or ())
            job = await self.desk.calls.start(request, key)
        except ValidationError as error:
            field = str(error.errors()[0]["loc"][0])
            return [gr.skip(), missing_html(texts, field), *marked(texts, field, told)]
        except ProblemError as problem:
            field = str(problem.values.get("field") or "")
            return [gr.skip(), service_html(texts, problem), *marked(texts, field, told)]
        self.desk.jobs.stale()
        return [job.id, "", *told]

    async def cancel(self, followed: Any, language: Any) -> str:
        """Ask the evaluation that is followed to stop."""
        return await self.ordered(self.desk.calls.jobs.cancel, followed, language)

    async def resume(self, followed: Any, language: Any) -> str:
        """Go on with the evaluation that is followed: what was asked is not asked again."""
        return await self.ordered(self.desk.calls.jobs.resume, followed, language)

    async def ordered(self, order: Any, followed: Any, language: Any) -> str:
        """Give an order; return why it was not taken."""
        try:
            await order(str(followed or ""))
        except ProblemError as problem:
            return service_html(texts_for(language), problem)
        self.desk.jobs.stale()
        return ""

    async def opened(self, followed: Any, _: Any) -> Any:
        """Pick the evaluation that was followed."""
        reports = (await self.desk.source.proofs()).reports or ()
        known = any(report.id == followed for report in reports)
        return gr.update(value=followed) if known else gr.skip()


OPEN_REPORT = "() => document.querySelectorAll('#prove-sheets [role=tab]')[1]?.click()"


def kept(picked: Any, known: Sequence[str]) -> str | None:
    """Return what was picked while there is such a thing, else the first."""
    return picked if picked in known else next(iter(known), None)


def request_of(form: Sequence[Any]) -> EvaluationRequest:
    """Return what the form asks for. Raises ValidationError."""
    return EvaluationRequest.model_validate(dict(zip(FIELDS, form, strict=True)))


def key_of(request: EvaluationRequest, jobs: Sequence[Job]) -> str:
    """Return the key under which a request is one and the same."""
    asked = request.model_dump(mode="json")
    before = next((job.id for job in jobs if job.request == asked and job.state.final), "")
    parts = f"{current_user()}/{before}/{request.model_dump_json()}"
    return hashlib.sha256(parts.encode()).hexdigest()


def marked(texts: Texts, field: str, told: Sequence[Any]) -> list[Any]:
    """Return the fields' updates with a mark beside the one that was refused."""
    return [
        gr.update(info=texts("prove.look_here")) if name == field else update
        for name, update in zip(FIELDS, told, strict=True)
    ]


def missing_html(texts: Texts, field: str) -> str:
    """Return what is said where the form itself is not whole."""
    name = texts(f"prove.{field}") if field in FIELDS else field
    return (
        f'<div class="ts-notice" role="alert"><strong>{texts("prove.missing", field=name)}'
        "</strong></div>"
    )
