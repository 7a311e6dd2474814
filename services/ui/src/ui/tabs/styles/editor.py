"""One card: a form and its text, which follow each other, and what is wrong as it is typed."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from ui.style.card_yaml import UnreadableError, write_yaml
from ui.style.cards import head_html
from ui.style.draft import Draft
from ui.style.faults import Fault, beside, faults_html, faults_of, unreadable
from ui.style.form import FIELDS, Field, form_of, merged
from ui.style.source import Library
from ui.tabs.styles.events import Changes
from ui.texts import Texts

BUTTONS = ("save", "discard", "duplicate", "archive", "back")


class Editor:
    """Builds the head of a card: its name, and what can be done with it."""

    def __init__(self) -> None:
        with gr.Row(elem_classes="ts-style-bar"):
            self.back = gr.Button("", size="sm", scale=0, elem_id="styles-back")
            self.head = gr.HTML(elem_id="styles-head")
            with gr.Row(elem_classes="ts-orders", scale=0):
                self.discard = gr.Button("", size="sm", scale=0, elem_id="styles-discard")
                self.duplicate = gr.Button("", size="sm", scale=0, elem_id="styles-duplicate")
                self.archive = gr.Button("", size="sm", scale=0, elem_id="styles-archive")
                self.save = gr.Button(
                    "", variant="primary", size="sm", scale=0, elem_id="styles-save"
                )
        self.fields: list[Any] = []

    def build_form(self) -> None:
        """Build the fields; the order is that of the card, two beside each other where short."""
        beside_each_other = {"id", "names.zh", "description.zh", "lexicon.openers",
                             "lexicon.particles", "avoid", "temperature"}  # fmt: skip
        left = list(FIELDS)
        while left:
            count = 2 if left[0].path in beside_each_other else 1
            with gr.Row(elem_classes="ts-fields"):
                self.fields += [component(field) for field in left[:count]]
            left = left[count:]

    def build_text(self) -> None:
        """Build the text of the whole card."""
        self.code = gr.Code(
            language="yaml", interactive=True, elem_id="styles-yaml", lines=18, max_lines=40
        )

    def build_faults(self) -> None:
        """Build what says what is wrong."""
        self.faults = gr.HTML(elem_id="styles-faults", elem_classes="ts-section")

    @property
    def inputs(self) -> list[Any]:
        """What a person writes in."""
        return [self.code, *self.fields]

    def settled(self, draft: Draft, written: Sequence[Any]) -> Draft:
        """Return the draft with what was typed last, though nobody has read it yet."""
        text = str(written[0] or "")
        filled = self.filled(draft, written)
        if filled != draft or not text.strip():
            return filled
        return draft.with_text(text)

    def filled(self, draft: Draft, written: Sequence[Any]) -> Draft:
        """Return the draft with what the form says; as it is where its text cannot be read."""
        try:
            document = draft.document()
        except UnreadableError:
            return draft
        changed = merged(document, written[1:])
        return draft if changed == document else draft.with_text(write_yaml(changed))

    def show(
        self,
        texts: Texts,
        draft: Draft,
        library: Library,
        *,
        code: bool = True,
        form: bool = True,
        more: Sequence[Fault] = (),
    ) -> Changes:
        """Return the card: its head, its faults, and those of form and text that are not typed in.

        Args:
            texts: the words.
            draft: the card.
            library: what there is.
            code, form: whether they are to be filled.
            more: faults that datagen found.
        """
        changes: Changes = {
            self.head: head_html(texts, draft),
            self.discard: gr.update(visible=draft.dirty and bool(draft.version)),
            self.archive: gr.update(
                visible=bool(draft.version),
                value=texts("styles.restore_away" if draft.archived else "styles.archive"),
            ),
        }
        if code:
            changes[self.code] = draft.text
        try:
            document = draft.document()
        except UnreadableError as error:
            changes[self.faults] = faults_html(texts, [unreadable(error)])
            return changes | self.explained(texts, draft, {}, None)
        faults = [*checked(draft, document, library), *more]
        changes[self.faults] = faults_html(texts, faults)
        values = form_of(document) if form else None
        return changes | self.explained(texts, draft, beside(texts, faults), values, open_=True)

    def explained(
        self,
        texts: Texts,
        draft: Draft,
        wrong: dict[str, str],
        values: Sequence[Any] | None,
        *,
        open_: bool = False,
    ) -> Changes:
        """Return for each field what is said below its label, and its value if it is to change."""
        changes: Changes = {}
        for number, (field, item) in enumerate(zip(FIELDS, self.fields, strict=True)):
            told = texts.table.get(f"style.about_{field.key}", "")
            fixed = field.path == "id" and bool(draft.version)
            classes = ["ts-entry", "ts-invalid"] if field.path in wrong else ["ts-entry"]
            update: dict[str, Any] = {
                "info": wrong.get(field.path, texts("style.about_id_fixed") if fixed else told),
                "interactive": open_ and not fixed,
                "elem_classes": classes,
            }
            if values is not None:
                update["value"] = values[number]
            changes[item] = gr.update(**update)
        return changes

    def words(self, texts: Texts) -> Changes:
        """Return what buttons and labels say."""
        changes: Changes = {
            getattr(self, name): gr.update(value=texts(f"styles.{name}")) for name in BUTTONS
        }
        for field, item in zip(FIELDS, self.fields, strict=True):
            changes[item] = gr.update(label=texts(f"style.{field.key}"))
        changes[self.fields[1]] = gr.update(
            label=texts("style.language"),
            choices=[(texts(f"styles.{name}"), name) for name in ("zh", "en")],
        )
        return changes | {self.code: gr.update(label=texts("styles.yaml"))}


def checked(draft: Draft, document: dict[str, Any], library: Library) -> list[Fault]:
    """Return all that keeps the card from being stored."""
    faults = faults_of(document)
    name = document.get("id")
    if draft.version and name != draft.id:
        return [Fault("id", "fixed", {"id": draft.id}), *faults]
    if not draft.version and name in library.ids:
        return [Fault("id", "taken"), *faults]
    return faults


def component(field: Field) -> Any:
    """Return the component of one field."""
    common: dict[str, Any] = {
        "elem_id": f"styles-field-{field.key}",
        "elem_classes": ["ts-entry"],
        "interactive": True,
        "min_width": 200,
    }
    if field.kind == "number":
        return gr.Slider(0, field.most, value=0.8, step=0.05, **common)
    if field.kind == "choice":
        return gr.Radio([("zh", "zh"), ("en", "en")], **common)
    return gr.Textbox(lines=field.lines, max_lines=max(field.lines, 14), **common)
