"""Replies of up to three contestants to the same held-out question."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.errors import ProblemError
from ui.events import QUICK
from ui.proof.sides import MOST_SIDES, ORDERS, chosen, exchanges, pages, sides_html
from ui.proof.words import ranked, who
from ui.service_notices import service_html
from ui.tabs.prove.desk import Desk
from ui.tabs.prove.report import nothing_html
from ui.tabs.tab import words_only
from ui.texts import Texts, texts_for


class Sides:
    """Builds the sheet into the current Gradio context.

    Args:
        desk: what the sheets share.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        with gr.Row(elem_classes="ts-p-filters"):
            self.style = gr.Dropdown(
                choices=[("", "")], value="", interactive=True, elem_id="sides-style", min_width=150
            )
            self.order = gr.Dropdown(
                choices=list(ORDERS), value="drawn", interactive=True, filterable=False,
                elem_id="sides-order", min_width=150,
            )  # fmt: skip
            self.who = gr.Dropdown(
                choices=[], value=[], multiselect=True, max_choices=MOST_SIDES, interactive=True,
                elem_id="sides-who", min_width=220,
            )  # fmt: skip
        self.page = gr.HTML(elem_id="prove-sides", elem_classes="ts-section")
        with gr.Row(elem_classes="ts-p-pager"):
            self.back = gr.Button("", size="sm", scale=0, elem_id="sides-back")
            self.at = gr.HTML(elem_id="sides-at")
            self.on = gr.Button("", size="sm", scale=0, elem_id="sides-on")
        self.number = gr.State(1)
        self.named: list[Any] = [self.page, self.who]
        worded = [self.style, self.order, self.who, self.back, self.on]

        def words(texts: Texts, _: Catalog) -> list[Any]:
            orders = [(texts(f"prove.{name}"), name) for name in ORDERS]
            return [
                gr.update(label=texts("prove.style")),
                gr.update(label=texts("prove.order"), choices=orders),
                gr.update(label=texts("prove.who")),
                gr.update(value=texts("prove.back")),
                gr.update(value=texts("prove.on")),
            ]

        self.handle = words_only(worded, words)

    def wire(self) -> None:
        """Connect the sheet's opening, the filters and the pager."""
        desk = self.desk
        picked = [desk.evaluation, self.style, self.order, self.who, self.number]
        known = [*picked, desk.bench.language]
        changed = [self.style, self.who, self.page, self.at, self.number, self.back, self.on]
        desk.items["sides"].select(
            self.enter, [desk.listed, *known], [desk.sheet, desk.evaluation, *changed], **QUICK
        )
        for event in (desk.evaluation.change, desk.bench.language.change):
            event(self.follow, [desk.sheet, *known], changed, **QUICK)
        for filter_ in (self.style, self.order, self.who):
            filter_.input(self.first, known, changed, **QUICK)
        self.back.click(self.earlier, known, changed, **QUICK)
        self.on.click(self.later, known, changed, **QUICK)

    async def enter(self, listed: Any, *known: Any) -> list[Any]:
        """Show the replies, and the picker."""
        shown = gr.update(visible=bool(str(listed or "")[2:]))
        return ["sides", shown, *await self.look(*known)]

    async def follow(self, sheet: Any, *known: Any) -> list[Any]:
        """Show the replies of another evaluation, while the sheet is seen."""
        return await self.look(*known) if sheet == "sides" else [gr.skip()] * 7

    async def first(self, *known: Any) -> list[Any]:
        """Show the first sheet of what the filters leave."""
        return await self.turned(known, 0)

    async def earlier(self, *known: Any) -> list[Any]:
        """Turn back."""
        return await self.turned(known, int(known[4]) - 1)

    async def later(self, *known: Any) -> list[Any]:
        """Turn over."""
        return await self.turned(known, int(known[4]) + 1)

    async def turned(self, known: Sequence[Any], number: int) -> list[Any]:
        """Show a sheet by its number."""
        picked, style, order, shown, _, language = known
        return await self.look(picked, style, order, shown, number, language)

    async def look(
        self, picked: Any, style: Any, order: Any, shown: Any, number: Any, language: Any
    ) -> list[Any]:
        """Return the filters, the replies and the pager."""
        texts, report = texts_for(language), await self.desk.found(picked)
        empty: list[Any] = [gr.skip(), gr.skip(), nothing_html(texts), "", 1]
        if report is None:
            problem = (await self.desk.source.proofs()).problem
            empty[2] = service_html(texts, problem) or empty[2]
            return [*empty, gr.update(interactive=False), gr.update(interactive=False)]
        try:
            every = exchanges(await self.desk.source.replies(report.id))
        except ProblemError as problem:
            empty[2] = service_html(texts, problem)
            return [*empty, gr.update(interactive=False), gr.update(interactive=False)]
        names = await self.desk.names(texts)
        known = list(dict.fromkeys(one.one.style for one in every))
        wanted = str(style or "") if style in known else ""
        rivals = ranked(report)
        sides = [name for name in shown or [] if name in rivals] or rivals[:MOST_SIDES]
        found = chosen(every, wanted, str(order))
        last = pages(found)
        at = min(max(int(number or 1), 1), last)
        choices = [(texts("prove.every_style"), ""), *((names.get(one, one), one) for one in known)]
        told = texts("prove.page", page=at, pages=last, count=len(found))
        return [
            gr.update(choices=choices, value=wanted),
            gr.update(choices=[(who(texts, name), name) for name in rivals], value=sides),
            sides_html(texts, found, at, names, sides),
            f'<p class="ts-faint">{told}</p>',
            at,
            gr.update(interactive=at > 1),
            gr.update(interactive=at < last),
        ]
