"""Generations, live: progress of each style, and why rows were refused."""

from collections.abc import Awaitable, Callable
from typing import Any

import gradio as gr

from contracts.job import Job, JobState
from ui.catalog import Catalog
from ui.dataset.generation_progress import (
    job_html,
    job_label,
    none_html,
    reasons_html,
    styles_html,
)
from ui.dataset.generation_watch import GenerationWatch
from ui.dataset.generation_words import told_html
from ui.errors import ProblemError
from ui.events import QUICK
from ui.service_notices import service_html
from ui.tabs.data.desk import Desk, made_by
from ui.tabs.tab import NOTHING, Handle, Part, news
from ui.texts import Texts, texts_for
from ui.upstream.jobs import Watched

BUTTONS = ("pause", "resume", "cancel", "review", "really", "keep")
GOING_ON = frozenset({JobState.QUEUED, JobState.RUNNING})
CAN_RESUME = frozenset({JobState.CANCELLED, JobState.FAILED, JobState.INCOMPLETE})
Order = Callable[[str], Awaitable[Job]]


class Running:
    """Builds the sheet into the current Gradio context.

    Args:
        desk: what the sheets share.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk, self.bench = desk, desk.bench
        calls = desk.bench.talk.backend.datasets
        self.orders = calls.jobs
        self.watch = GenerationWatch(calls, desk.jobs)
        self.picker = gr.Dropdown([], interactive=True, filterable=False, elem_id="running-picker")
        self.problem = gr.HTML(elem_id="running-problem", elem_classes="ts-problem-block")
        self.card = gr.HTML(elem_id="running-card", elem_classes="ts-section")
        self.build_orders()
        with gr.Row(elem_classes="ts-two"):
            self.styles = gr.HTML(elem_id="running-styles", elem_classes="ts-section")
            self.reasons = gr.HTML(elem_id="running-reasons", elem_classes="ts-section")
        # What the sheet was last made from, and the job that was told to stop.
        self.seen, self.stopping = gr.State(None), gr.State("")
        self.shown: list[Any] = [self.picker, self.problem, self.card, self.styles, self.reasons]
        self.shown += [self.pause, self.resume, self.cancel, self.review, self.asking]
        self.wire()

    def build_orders(self) -> None:
        """Build the buttons, with the question that goes before a cancellation."""
        with gr.Row(elem_classes="ts-orders"):
            self.pause = order_button("pause")
            self.resume = order_button("resume", "primary")
            self.cancel = order_button("cancel", "stop")
            self.review = order_button("review", "primary")
        self.asked = gr.State("")
        with gr.Row(elem_classes="ts-ask", elem_id="running-ask", visible=False) as self.asking:
            self.question = gr.HTML(elem_id="running-question")
            self.really = order_button("really", "stop", visible=True)
            self.keep = order_button("keep", visible=True)
        self.told = gr.HTML(elem_id="running-told")
        self.note = gr.HTML(elem_id="running-note", elem_classes="ts-faint")

    def wire(self) -> None:
        """Connect the clock, the picker, the buttons and the language."""
        known = [self.seen, self.desk.job, self.stopping, self.asked, self.bench.language]
        changed = [self.seen, self.stopping, *self.shown]
        looks = [self.desk.clock.timer.tick, self.desk.sheet.select, self.desk.job.change]
        looks += [self.bench.tab.select, self.asked.change]
        gr.on(looks, self.look, known, changed, **QUICK)
        self.bench.language.change(self.speak, known, [*changed, self.told], **QUICK)
        self.picker.input(
            lambda picked: [picked, "", ""],
            [self.picker],
            [self.desk.job, self.told, self.asked],
            **QUICK,
        )
        ordered = [self.told, self.stopping, self.asked, self.desk.job]
        one = [self.picker, self.bench.language]
        self.pause.click(self.halt, one, ordered, **QUICK)
        self.really.click(self.halt, one, ordered, **QUICK)
        self.resume.click(self.go_on, one, ordered, **QUICK)
        self.cancel.click(lambda picked: picked, [self.picker], [self.asked], **QUICK)
        self.keep.click(lambda: "", None, [self.asked], **QUICK)
        opened = [self.desk.dataset, self.desk.sheets]
        self.review.click(self.open_review, one, opened, **QUICK)

    async def look(
        self, seen: Any, picked: Any, stopping: Any, asked: Any, language: Any
    ) -> list[Any]:
        """Return what the sheet is made from now, and of it what is new."""
        texts = texts_for(language)
        watched = await self.watch.watched(str(picked or ""))
        chosen = watched.chosen
        waits = chosen is not None and chosen.id == stopping and chosen.state in GOING_ON
        now = await self.render(texts, watched, bool(waits), asked)
        made, *fresh = news(seen, now)
        return [made, stopping if waits or chosen is None else "", *fresh]

    async def speak(self, seen: Any, *known: Any) -> list[Any]:
        """Return the sheet in another language, once it was opened."""
        if not seen:
            return [gr.skip()] * (3 + len(self.shown))
        return [*await self.look(seen, *known), ""]

    async def render(self, texts: Texts, watched: Watched, stopping: bool, asked: Any) -> list[Any]:
        """Return the values of `shown`."""
        job = watched.chosen
        choices = [(job_label(texts, one), one.id) for one in watched.jobs or ()]
        known = {job_id for _, job_id in choices}
        if job and job.id not in known:
            choices.append((job_label(texts, job), job.id))
        picker = gr.update(choices=choices, value=job.id if job else None, visible=bool(job))
        problem = service_html(texts, watched.problem)
        if job is None:
            empty = "" if watched.jobs is None else none_html(texts)
            return [picker, problem, empty, "", "", *buttons(None), gr.update(visible=False)]
        return [
            picker,
            problem,
            self.card_of(texts, job, stopping),
            styles_html(texts, job, await self.names(texts)),
            reasons_html(texts, job, await self.watch.examples(job)),
            *buttons(job, stopping=stopping),
            gr.update(visible=asked == job.id and job.state in GOING_ON and not stopping),
        ]

    def card_of(self, texts: Texts, job: Job, stopping: bool) -> str:
        """Return the card of a generation; while it stops, that it does."""
        pace = self.watch.pace
        card = job_html(texts, job, pace.rows_per_second(job), pace.seconds_left(job))
        return card + (told_html(texts, "running.stopping") if stopping else "")

    async def names(self, texts: Texts) -> dict[str, str]:
        """Return the names of the styles in the reader's language, by id."""
        catalog = await self.bench.talk.source.known()
        return {one.id: getattr(one.names, texts.language) for one in catalog.library}

    async def halt(self, picked: Any, language: Any) -> list[Any]:
        """Ask a generation to stop; its rows stay."""
        texts = texts_for(language)
        problem = await self.order(self.orders.cancel, picked)
        return [service_html(texts, problem), "" if problem else picked, "", picked]

    async def go_on(self, picked: Any, language: Any) -> list[Any]:
        """Queue a generation again; it goes on where it was."""
        texts = texts_for(language)
        problem = await self.order(self.orders.resume, picked)
        told = service_html(texts, problem) or told_html(texts, "running.resumed")
        return [told, "", "", picked]

    async def order(self, order: Order, picked: Any) -> ProblemError | None:
        """Tell a job something; return why that could not be."""
        try:
            await order(str(picked or ""))
        except ProblemError as problem:
            return problem
        finally:
            self.desk.jobs.stale()
        return None

    async def open_review(self, picked: Any, language: Any) -> list[Any]:
        """Pick the dataset that a generation made, and open its review."""
        texts = texts_for(language)
        watched = await self.desk.jobs.watched(str(picked or ""))
        made = made_by(watched.chosen) if watched.chosen else ""
        if not made:
            return [gr.skip(), gr.skip()]
        return [await self.desk.picked(texts, made), gr.Tabs(selected="review")]

    def words(self, texts: Texts, _: Catalog) -> list[Any]:
        """Return the words that do not depend on a job."""
        return [
            gr.update(label=texts("running.picker")),
            *(gr.update(value=texts(f"running.{name}")) for name in BUTTONS),
            told_html(texts, "running.question"),
            texts("running.note"),
        ]


def order_button(name: str, variant: Any = "secondary", *, visible: bool = False) -> gr.Button:
    """Build a button."""
    return gr.Button(
        "", variant=variant, scale=0, visible=visible, elem_id=f"running-{name}", min_width=96
    )


def buttons(job: Job | None, *, stopping: bool = False) -> list[Any]:
    """Return which of pause, resume, cancel and review can be pressed."""
    if job is None:
        return [gr.update(visible=False)] * 4
    moving = job.state in GOING_ON
    return [
        gr.update(visible=moving, interactive=not stopping),
        gr.update(visible=job.state in CAN_RESUME),
        gr.update(visible=moving, interactive=not stopping),
        gr.update(visible=bool(made_by(job))),
    ]


def build(desk: Desk) -> Handle:
    """Build the sheet into the current Gradio context."""
    sheet = Running(desk)
    worded = [sheet.picker, *(getattr(sheet, name) for name in BUTTONS)]
    words = Part([], [*worded, sheet.question, sheet.note], sheet.words)
    return Handle(NOTHING, words, NOTHING, [])
