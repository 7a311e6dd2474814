"""Start a generation: quota, styles, turns, teacher, and what it will cost."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.dataset.generation import Generation, Started
from ui.dataset.generation_form import BUDGET, FIELDS, FormError, digest_of, filled, request_of
from ui.dataset.generation_words import (
    complaint_html,
    estimate_html,
    plan_html,
    question_choices,
    waiting_html,
    wrong_html,
)
from ui.events import QUICK
from ui.tabs.data.desk import Desk
from ui.tabs.data.generate_form import Form
from ui.tabs.tab import NOTHING, Handle, Part
from ui.texts import Texts, texts_for


class Generate:
    """Builds the sheet into the current Gradio context.

    Args:
        desk: what the sheets share.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk, self.bench = desk, desk.bench
        self.generation = Generation(desk.bench.talk.backend.datasets, desk.jobs)
        self.form = Form()
        with self.form.side:
            self.estimated_html = gr.HTML(elem_id="generate-estimated")
            self.notice = gr.HTML(elem_id="generate-notice")
            self.estimate = gr.Button("", elem_id="generate-estimate")
            self.start = gr.Button("", variant="primary", elem_id="generate-start")
            self.note = gr.HTML(elem_id="generate-note", elem_classes="ts-faint")
        # What was estimated, for which form; what was started, and which words stand below fields.
        self.estimated, self.started = gr.State(None), gr.State(None)
        self.wire()

    @property
    def asked(self) -> list[Any]:
        """What an answer of the form is made from."""
        return [self.bench.language, self.estimated, *self.form.inputs]

    def wire(self) -> None:
        """Connect the fields, the buttons, the sheet's opening and the language."""
        told = [self.form.plan, self.estimated_html]
        changes = [field.change for field in self.form.inputs]
        gr.on(changes, self.retell, self.asked, told, trigger_mode="always_last", **QUICK)
        styles = self.form.fields["styles"]
        self.form.all.click(self.pick_all, None, [styles], **QUICK)
        self.form.none.click(lambda: [], None, [styles], **QUICK)
        errors = [*self.form.errors.values(), self.notice]
        measured = [self.estimated, self.estimated_html, *errors, self.estimate]
        self.estimate.click(
            self.measuring, [self.bench.language], [self.notice, self.estimate], **QUICK
        ).then(self.measure, self.asked, measured, **QUICK)
        begun = [self.started, self.desk.job, self.desk.sheets, self.start]
        self.start.click(
            self.beginning, [self.bench.language], [self.notice, self.start], **QUICK
        ).then(
            self.begin,
            [self.started, *self.asked],
            [self.estimated, self.estimated_html, *errors, *begun],
            **QUICK,
        )
        sets = [self.form.fields["questions"]]
        opened = [self.desk.sheet.select, self.bench.tab.select]
        gr.on(opened, self.offer, [self.bench.language], sets, **QUICK)
        gr.on(opened, self.retell, self.asked, told, **QUICK)
        worded = [*told, *sets, *errors]
        self.bench.language.change(self.speak, self.asked, worded, **QUICK)

    async def pick_all(self) -> Any:
        """Return every style of the library."""
        catalog = await self.bench.talk.source.known()
        return [style.id for style in catalog.library]

    async def retell(self, language: Any, estimated: Any, *values: Any) -> list[Any]:
        """Return what the form asks for now, and whether the estimate is still of it."""
        texts = texts_for(language)
        return [await self.plan(texts, values), self.shown(texts, estimated, values)]

    async def plan(self, texts: Texts, values: Sequence[Any]) -> str:
        """Return the number of rows that the form asks for."""
        catalog = await self.bench.talk.source.known()
        try:
            request = request_of(named(values))
        except FormError:
            request = None
        return plan_html(texts, request, len(catalog.library))

    def shown(self, texts: Texts, estimated: Any, values: Sequence[Any]) -> str:
        """Return the estimate, if there is one."""
        if not estimated:
            return ""
        digest, estimate = estimated
        try:
            request, budget = filled(named(values))
        except FormError:
            return estimate_html(texts, estimate, stale=True)
        stale = digest != digest_of(request)
        return estimate_html(texts, estimate, stale=stale, budget=budget)

    async def offer(self, language: Any) -> Any:
        """Return the question sets that may be asked; the choice stays."""
        texts = texts_for(language)
        return gr.update(choices=question_choices(texts, await self.generation.question_sets()))

    def measuring(self, language: Any) -> list[Any]:
        """Say that the teacher is asked, and take no second click meanwhile."""
        texts = texts_for(language)
        return [waiting_html(texts, "generate.measuring"), gr.update(interactive=False)]

    async def measure(self, language: Any, estimated: Any, *values: Any) -> list[Any]:
        """Return what the form's generation would take, or what is wrong with it."""
        texts = texts_for(language)
        free = gr.update(interactive=True)
        try:
            request, _ = filled(named(values))
        except FormError as error:
            return [gr.skip(), gr.skip(), *self.wrong(texts, error), free]
        result = await self.generation.estimate(texts, request)
        if result.problem:
            return [gr.skip(), gr.skip(), *self.refused(result.problem), free]
        found = (digest_of(request), result.estimate)
        return [found, self.shown(texts, found, values), *self.right(), free]

    def beginning(self, language: Any) -> list[Any]:
        """Say that it starts, and take no second click meanwhile."""
        texts = texts_for(language)
        return [waiting_html(texts, "generate.starting"), gr.update(interactive=False)]

    async def begin(self, started: Any, language: Any, estimated: Any, *values: Any) -> list[Any]:
        """Start what the form asks for; where it cannot be, say at which field and why."""
        texts = texts_for(language)
        free, stay = gr.update(interactive=True), [gr.skip()] * 3
        known = [estimated, gr.skip()]
        try:
            request, budget = filled(named(values))
            if budget is not None:
                found = await self.generation.within(texts, request, budget, estimated)
                if found.estimate:
                    estimated = (digest_of(request), found.estimate)
                    known = [estimated, self.shown(texts, estimated, values)]
                if found.problem:
                    return [*known, *self.refused(found.problem), *stay, free]
        except FormError as error:
            return [*known, *self.wrong(texts, error), *stay, free]
        begun = await self.generation.start(texts, request, started or Started())
        if begun.problem:
            return [*known, *self.refused(begun.problem), *stay, free]
        job = begun.started.job
        return [*known, *self.right(), begun.started, job, gr.Tabs(selected="running"), free]

    def wrong(self, texts: Texts, error: FormError) -> list[Any]:
        """Return the words below each field that is wrong, and none elsewhere."""
        found = error.complaints
        below = self.below({name: complaint_html(texts, one) for name, one in found.items()})
        return [*below[:-1], wrong_html(texts("generate.look_above"))]

    def refused(self, said: tuple[str, str]) -> list[Any]:
        """Return the words of a refusal: below its field, or beside the buttons."""
        field, html = said
        return self.below({field: html}) if field else [*self.below({})[:-1], html]

    def right(self) -> list[Any]:
        """Return that nothing is wrong."""
        return self.below({})

    def below(self, found: dict[str, str]) -> list[Any]:
        """Return what stands below each field, and nothing beside the buttons."""
        return [*(found.get(name, "") for name in self.form.errors), ""]

    async def speak(self, language: Any, estimated: Any, *values: Any) -> list[Any]:
        """Return the sheet in another language; what was wrong is said at the next try."""
        told = await self.retell(language, estimated, *values)
        return [*told, await self.offer(language), *self.right()]

    def words(self, texts: Texts, _: Catalog) -> list[Any]:
        """Return the words of the buttons and the note below them."""
        return [
            gr.update(value=texts("generate.estimate")),
            gr.update(value=texts("generate.start")),
            texts("generate.note"),
        ]


def named(values: Sequence[Any]) -> dict[str, Any]:
    """Return the values of the form by their field."""
    return dict(zip([*FIELDS, BUDGET], values, strict=True))


def build(desk: Desk) -> Handle:
    """Build the sheet into the current Gradio context."""
    sheet = Generate(desk)
    form = sheet.form
    styles = form.fields["styles"]
    buttons = [sheet.estimate, sheet.start, sheet.note]

    def words(texts: Texts, catalog: Catalog) -> list[Any]:
        return [*form.words(texts, catalog), *sheet.words(texts, catalog)]

    return Handle(
        Part([styles], [styles], form.choices),
        Part([], [*form.worded, *buttons], words),
        NOTHING,
        [],
    )
