"""The review workbench: accept, refuse, edit and regenerate rows, by keyboard or in bulk."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.errors import ProblemError
from ui.events import QUICK, private
from ui.review.filters import FIELDS, filter_of, style_choices
from ui.review.orders import Order, orders_in
from ui.review.round import Asked, Round
from ui.review.row_list import list_html, whole_html
from ui.review.view import View, pointed, published, view_of
from ui.review.words import (
    bar_html,
    counts_html,
    ending_html,
    help_html,
    jobs_html,
    situation_html,
    told_html,
    why_html,
)
from ui.tabs.data.desk import Desk
from ui.tabs.data.review_parts import (
    SEEN,
    SETTLE,
    TAKE,
    EditBox,
    Ending,
    Fields,
    edit_updates,
    field_update,
)
from ui.tabs.data.review_watch import style_names
from ui.tabs.tab import Handle, words_only
from ui.texts import Texts, texts_for
from ui.upstream.jobs import JobWatch

Values = Sequence[Any]


class ReviewSheet:
    """Builds the sheet into the current Gradio context.

    Args:
        desk: what the sheets of the tab share.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.calls = desk.bench.talk.backend.reviews
        self.watch = JobWatch(self.calls.jobs)
        self.counts = gr.HTML(elem_id="review-counts")
        self.fields = Fields()
        self.told = gr.HTML(elem_id="review-told")
        self.bar = gr.HTML(elem_id="review-bar")
        self.help = gr.HTML(elem_id="review-help")
        with gr.Row(elem_classes="ts-review-desk"):
            with gr.Column(scale=5, min_width=280, elem_classes="ts-review-left"):
                self.list = gr.HTML(elem_id="review-list")
            with gr.Column(scale=6, min_width=280, elem_classes="ts-review-right"):
                self.whole = gr.HTML(elem_id="review-whole")
                self.edit = EditBox()
                self.why = gr.HTML(elem_id="review-why")
        self.jobs = gr.HTML(elem_id="review-jobs")
        self.ending = Ending()
        # What the browser orders, the place that a reload comes back to, and a bell for jobs.
        self.order, self.place = gr.Textbox(visible=False), gr.Textbox(visible=False)
        self.trigger = gr.Button("", visible="hidden", elem_id="review-send")
        self.view, self.jobs_seen = gr.State(None), gr.State("")
        self.bell = gr.Textbox(visible=False)
        self.shown: list[Any] = [self.view, self.place, self.fields.situation, self.fields.chip]
        self.shown += [*self.fields.every, self.list, self.whole, self.counts, self.bar, self.told]
        self.shown += [self.why, *self.edit.shown, self.ending.fold, self.ending.explained]
        self.wire()

    @property
    def kept(self) -> list[Any]:
        """What a reload brings back."""
        return [*self.fields.every, self.fields.situation, self.place]

    def wire(self) -> None:
        """Connect the keys, the fields, the picked dataset, the language and the jobs."""
        desk, bench, fields = self.desk, self.desk.bench, self.fields
        known = [self.order, self.view, self.place, bench.language, desk.dataset]
        known += [fields.situation, *fields.every]
        listened = {
            self.act: ([self.trigger.click, desk.sheet.select, self.bell.change], TAKE),
            self.narrow: ([field.input for field in fields.every[:-1]], TAKE),
            self.typed: ([fields.text.change, fields.text.submit], TAKE),
            self.clear: ([fields.clear.click], TAKE),
            self.follow: ([desk.dataset.change, bench.language.change], SEEN),
        }
        latest: dict[str, Any] = {"trigger_mode": "always_last", **QUICK}
        events = [
            gr.on(triggers, answer, known, self.shown, js=script, **latest)
            for answer, (triggers, script) in listened.items()
        ]
        for event in [*events, *self.wire_writing(known)]:
            event.then(None, None, None, js=SETTLE, **private())
        bench.tab.select(None, [self.order], [self.order], js=TAKE, **private())
        seen = [self.order, self.view, self.jobs_seen, bench.language]
        jobs = [self.jobs_seen, self.jobs, self.bell]
        desk.clock.timer.tick(self.tick, seen, jobs, js=SEEN, **QUICK)

    def wire_writing(self, known: list[Any]) -> list[Any]:
        """Connect what stores something that was written; return the events."""
        edit, ending = self.edit, self.ending
        written = [*known, edit.reply, edit.note, edit.force]
        wanted = [*known, ending.only_accepted, ending.balance]
        made = [*self.shown, self.desk.dataset]
        return [
            edit.save.click(self.save, written, self.shown, **QUICK),
            edit.cancel.click(self.cancel, known, self.shown, **QUICK),
            ending.publish.click(self.publish, wanted, made, **QUICK),
        ]

    async def act(self, told: Any, *known: Any) -> list[Any]:
        """Carry out what the keys have ordered, and look at the rows again."""
        orders, _ = orders_in(told)
        return await self.served(known, orders)

    async def follow(self, told: Any, *known: Any) -> list[Any]:
        """Look again for another dataset or in another language, if the sheet is seen."""
        if not orders_in(told)[1]:
            return [gr.skip()] * len(self.shown)
        return await self.served(known, [])

    async def narrow(self, told: Any, *known: Any) -> list[Any]:
        """Look at other rows, from their first page on."""
        orders, _ = orders_in(told)
        return await self.served(known, orders, first=True)

    async def typed(self, told: Any, *known: Any) -> list[Any]:
        """Look for what was typed; a text that was looked for already is not news."""
        view, text = known[0], str(known[-1] or "")
        if not isinstance(view, View) or view.text == text:
            return [gr.skip()] * len(self.shown)
        return await self.narrow(told, *known)

    async def clear(self, told: Any, *known: Any) -> list[Any]:
        """Look at all rows."""
        orders, _ = orders_in(told)
        return await self.served(known, [*orders, Order(do="clear")])

    async def cancel(self, _: Any, *known: Any) -> list[Any]:
        """Put the box away."""
        view = known[0]
        closed = replace(view, editing=None).fresh() if isinstance(view, View) else None
        return await self.served((closed, *known[1:]), [])

    async def served(self, known: Values, orders: list[Order], *, first: bool = False) -> list[Any]:
        """Return the sheet after some orders."""
        view, place, language, dataset, situation, *fields = known
        before = view_of(view, place, dataset, first=first)
        texts = texts_for(language)
        for order in orders:
            fields, situation, before = pointed(order, fields, situation, before)
            await self.stop_job(order)
        changed = any(order.do in ("filter", "clear") for order in orders)
        if not before.dataset:
            return await self.rendered(texts, before, before, fields, situation, changed=changed)
        asked = Asked(filter_of(fields, situation), fields[FIELDS.index("order")])
        after = await Round(self.calls, before, asked).run(orders)
        self.watch.stale()
        return await self.rendered(texts, before, after, fields, situation, changed=changed)

    async def stop_job(self, order: Order) -> None:
        """Stop a regeneration; the list of jobs says how that went."""
        if order.do == "cancel" and order.key:
            try:
                await self.calls.jobs.cancel(order.key)
            except ProblemError:
                return

    async def save(self, _: Any, *known: Any) -> list[Any]:
        """Store what was written in the box."""
        *known_before, reply, note, force = known
        view, place, language, dataset, situation, *fields = known_before
        before = view_of(view, place, dataset)
        asked = Asked(filter_of(fields, situation), fields[FIELDS.index("order")])
        after = await Round(self.calls, before, asked).save(
            str(reply or ""), str(note or ""), force=bool(force)
        )
        texts = texts_for(language)
        return await self.rendered(texts, before, after, fields, situation)

    async def publish(self, _: Any, *known: Any) -> list[Any]:
        """Make the next version, and pick it."""
        *known_before, only_accepted, balance = known
        view, place, language, dataset, situation, *fields = known_before
        before = view_of(view, place, dataset)
        asked = Asked(filter_of(fields, situation), fields[FIELDS.index("order")])
        texts = texts_for(language)
        this = Round(self.calls, before, asked)
        made = await this.publish(only_accepted=bool(only_accepted), balance=bool(balance))
        if made is None:
            after = await this.look()
            sheet = await self.rendered(texts, before, after, fields, situation)
            return [*sheet, gr.skip()]
        picked = await self.desk.picked(texts, made.id)
        fresh = View(dataset=made.id, told=published(made))
        after = await Round(self.calls, fresh, asked).look()
        return [*await self.rendered(texts, before, after, fields, situation), picked]

    async def tick(self, told: Any, view: Any, seen: Any, language: Any) -> list[Any]:
        """Return how far regenerations are; ring the bell when rows have changed."""
        if not orders_in(told)[1] or not isinstance(view, View) or not view.dataset:
            return [gr.skip()] * 3
        watched = await self.watch.watched()
        found = [job for job in watched.jobs or () if job.request.get("dataset_id") == view.dataset]
        texts = texts_for(language)
        html = jobs_html(texts, found)
        rows = "|".join(f"{job.id}{job.state.value}{job.progress.done}" for job in found)
        now = f"{rows}#{html}"
        if now == seen:
            return [gr.skip()] * 3
        moved = bool(seen) and str(seen).split("#", 1)[0] != rows
        return [now, html, now if moved else gr.skip()]

    async def rendered(
        self, texts: Texts, before: View, after: View, fields: Values, situation: Any,
        *, changed: bool = False,
    ) -> list[Any]:  # fmt: skip
        """Return the values of `shown`."""
        after = replace(after, text=str(fields[-1] or ""))
        names = await style_names(self.desk, texts, after.dataset)
        styles = sorted(after.review.counts.by_style) if after.review else []
        scope = f"{after.dataset}|{situation}|{json.dumps([str(one) for one in fields])}"
        updates = [gr.update(value=value) if changed else gr.skip() for value in fields]
        updates[0] = gr.update(
            choices=style_choices(texts, styles, names, fields[0]),
            **({"value": fields[0]} if changed else {}),
        )
        return [
            after,
            json.dumps({"dataset": after.dataset, "offset": after.offset}),
            situation,
            situation_html(texts, situation),
            *updates,
            list_html(texts, after, names, scope),
            whole_html(texts, after, names),
            counts_html(texts, after),
            bar_html(texts, after),
            told_html(texts, after),
            why_html(texts, after.why),
            *edit_updates(texts, before.editing, after.editing),
            gr.update(visible=after.review is not None),
            ending_html(texts, after),
        ]


def build(desk: Desk) -> Handle:
    """Build the sheet into the current Gradio context."""
    sheet = ReviewSheet(desk)
    fields, edit, ending = sheet.fields, sheet.edit, sheet.ending
    worded = [*fields.every, fields.clear, sheet.help, edit.reply, edit.note, edit.force]
    worded += [edit.save, edit.cancel, ending.fold, ending.only_accepted, ending.balance]
    worded += [ending.publish]

    def words(texts: Texts, _: Catalog) -> list[Any]:
        chosen = [field_update(texts, name) for name in FIELDS]
        labels = ("reply_label", "note_label", "force_label")
        return [
            *chosen,
            gr.update(value=texts("review.clear")),
            help_html(texts),
            *(gr.update(label=texts(f"review.{name}")) for name in labels),
            gr.update(value=texts("review.save")),
            gr.update(value=texts("review.cancel")),
            gr.update(label=texts("review.ending")),
            gr.update(label=texts("review.only_accepted")),
            gr.update(label=texts("review.balance")),
            gr.update(value=texts("review.publish")),
        ]

    return words_only(worded, words, sheet.kept)
