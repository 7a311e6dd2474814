"""What the review sheet is built from: the fields of its filter, the box of an edit, the end."""

from typing import Any

import gradio as gr

from ui.look import FOLDER
from ui.review.filters import EVERYTHING, FIELDS, field_choices
from ui.review.view import Editing
from ui.review.words import edit_html
from ui.texts import Texts

# Asks the sheet's script what its keys have ordered since the last event, and whether it is seen.
TAKE = "\n".join(
    line
    for line in (FOLDER / "review.js").read_text(encoding="utf-8").splitlines()
    if not line.lstrip().startswith("//")
)
SEEN = """(_, ...rest) => [JSON.stringify({
  seen: Boolean(document.getElementById("review-list")?.offsetParent)
}), ...rest]"""
SETTLE = "() => { window.tonesmithReview?.settle?.(); }"


class Fields:
    """The fields that say which rows are looked at; `every` in the order of FIELDS."""

    def __init__(self) -> None:
        with gr.Row(elem_classes="ts-review-fields"):
            self.every: list[Any] = [
                gr.Textbox(elem_id="review-text", min_width=150, max_lines=1)
                if name == "text"
                else gr.Dropdown(
                    choices=[("", first)],
                    value=first,
                    interactive=True,
                    filterable=False,
                    elem_id=f"review-{name}",
                    min_width=130,
                )
                for name, first in zip(FIELDS, EVERYTHING, strict=True)
            ]
        self.text = self.every[-1]
        with gr.Row(elem_classes="ts-review-chips"):
            self.chip = gr.HTML(elem_id="review-chip")
            self.clear = gr.Button("", size="sm", scale=0, elem_id="review-clear")
        # Area and emotion, which the coverage map points at.
        self.situation = gr.Textbox(visible=False)


class EditBox:
    """The box in which a reply is written; `column` is seen while one is."""

    def __init__(self) -> None:
        with gr.Column(visible=False, elem_id="review-edit") as self.column:
            self.title = gr.HTML(elem_id="review-edit-title")
            self.reply = gr.Textbox(lines=4, max_lines=14, elem_id="review-reply")
            self.note = gr.Textbox(max_lines=3, elem_id="review-note")
            self.force = gr.Checkbox(visible=False, elem_id="review-force")
            with gr.Row():
                self.save = gr.Button("", variant="primary", size="sm", elem_id="review-save")
                self.cancel = gr.Button("", size="sm", elem_id="review-cancel")
        self.shown: list[Any] = [self.column, self.title, self.reply, self.note, self.force]


class Ending:
    """How a review becomes the next version."""

    def __init__(self) -> None:
        with gr.Accordion("", open=False, visible=False, elem_id="review-ending") as self.fold:
            self.explained = gr.HTML(elem_id="review-explained")
            self.only_accepted = gr.Checkbox(elem_id="review-only-accepted")
            self.balance = gr.Checkbox(elem_id="review-balance")
            self.publish = gr.Button("", variant="primary", size="sm", elem_id="review-publish")


def edit_updates(texts: Texts, before: Editing | None, after: Editing | None) -> list[Any]:
    """Return the updates of the box; what was written in it stays."""
    if after is None:
        return [gr.update(visible=False), "", gr.update(value=""), gr.update(value=""), gr.skip()]
    same = before is not None and before.row.number == after.row.number
    force = gr.update(visible=after.force)
    if not same:
        force = gr.update(visible=after.force, value=False)
    reply, note = (gr.skip(), gr.skip()) if same else (after.row.reply, after.row.note)
    return [gr.update(visible=True), edit_html(texts, after.row), reply, note, force]


def field_update(texts: Texts, name: str) -> Any:
    """Return the words of one field of the filter."""
    label = texts(f"review.field.{name}")
    if name == "text":
        return gr.update(label=label, placeholder=texts("review.search"))
    if name == "style":
        return gr.update(label=label)
    return gr.update(label=label, choices=field_choices(texts, name))
