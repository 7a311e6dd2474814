"""Import rows or questions from a file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.dataset.generation_words import waiting_html, wrong_html
from ui.dataset.importing import (
    QUESTIONS,
    ROWS,
    BadNameError,
    Brought,
    FileGoneError,
    Imports,
    name_from,
)
from ui.dataset.importing_words import imported_html, preview_html
from ui.errors import ProblemError
from ui.events import private
from ui.service_notices import service_html
from ui.tabs.data.desk import Desk
from ui.tabs.tab import NOTHING, Handle, Part
from ui.texts import Texts, texts_for

HELD_OUT, MOST_HELD_OUT = 5, 50


class Importing:
    """Builds the sheet into the current Gradio context.

    Args:
        desk: what the sheets share.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk, self.bench = desk, desk.bench
        self.megabytes = desk.bench.settings.upload_mb
        self.imports = Imports(desk.bench.talk.backend.datasets)
        with gr.Row(elem_classes="ts-stage ts-form"):
            with gr.Column(scale=3, min_width=300, elem_classes="ts-side"):
                self.kind = gr.Radio([ROWS, QUESTIONS], value=ROWS, elem_id="importing-kind")
                self.forms = gr.HTML(elem_id="importing-forms", elem_classes="ts-faint")
                self.file = gr.File(elem_id="importing-file", height=140)
                self.name = gr.Textbox("imported", elem_id="importing-name", max_lines=1)
                self.wrong = gr.HTML(elem_id="importing-name-wrong", elem_classes="ts-below")
                self.held = gr.Slider(
                    0, MOST_HELD_OUT, HELD_OUT, step=1, elem_id="importing-held_out"
                )
                self.take = gr.Button(
                    "", variant="primary", interactive=False, elem_id="importing-take"
                )
            with gr.Column(scale=5, min_width=320):
                self.told = gr.HTML(elem_id="importing-told", elem_classes="ts-section")
                self.review = gr.Button(
                    "", visible=False, scale=0, elem_id="importing-review", min_width=96
                )
                self.preview = gr.HTML(elem_id="importing-preview", elem_classes="ts-section")
        # The file that was brought.
        self.brought = gr.State(None)
        self.wire()

    def wire(self) -> None:
        """Connect the file, its kind, the buttons and the language."""
        told: dict[str, Any] = {"queue": False, **private()}
        quick: dict[str, Any] = {"preprocess": False, **told}
        read = [self.brought, self.told, self.preview, self.take, self.review]
        language = self.bench.language
        # The file is checked to be one that was sent to the page.
        self.file.upload(
            self.reading, [language], [self.told, self.preview, self.take], **quick
        ).then(self.read, [self.file, self.kind, language], [*read, self.name], **told)
        self.file.clear(self.forget, None, read, **quick)
        self.kind.input(
            self.read_again, [self.brought, self.kind, language], [*read, self.forms], **quick
        )
        self.take.click(self.taking, [language], [self.told, self.wrong, self.take], **quick).then(
            self.bring_in,
            [self.brought, self.name, self.held, language],
            [self.told, self.wrong, self.take, self.review, self.desk.dataset],
            **quick,
        )
        self.review.click(lambda: gr.Tabs(selected="review"), None, [self.desk.sheets], **quick)
        self.language_wire(language, quick)

    def language_wire(self, language: Any, quick: dict[str, Any]) -> None:
        """Connect the language: what was read is said again, what was done is not."""
        changed = [self.preview, self.told, self.forms]
        language.change(self.speak, [self.brought, self.kind, language], changed, **quick)

    def reading(self, language: Any) -> list[Any]:
        """Say that a file is being looked through."""
        texts = texts_for(language)
        return [waiting_html(texts, "importing.reading"), "", gr.update(interactive=False)]

    async def read(self, path: Any, kind: Any, language: Any) -> list[Any]:
        """Look through a file that was just brought, and propose its name."""
        if not path:
            return [*self.forget(), gr.skip()]
        name = Path(str(path)).name
        found = await self.look_through(Brought(str(path), name, kind_of(kind)), language)
        return [*found, name_from(name)]

    async def read_again(self, brought: Any, kind: Any, language: Any) -> list[Any]:
        """Look through the same file as one of another kind."""
        texts = texts_for(language)
        told = self.forms_text(texts, kind)
        if not brought:
            return [*self.forget(), told]
        changed = replace(brought, kind=kind_of(kind), preview=None)
        return [*await self.look_through(changed, language), told]

    async def look_through(self, brought: Brought, language: Any) -> list[Any]:
        """Return what an import would do with a file, or why it cannot be read."""
        texts = texts_for(language)
        hidden = gr.update(visible=False)
        try:
            preview = await self.imports.preview(brought)
        except (ProblemError, FileGoneError) as error:
            blocked = gr.update(interactive=False)
            return [brought, problem_html(texts, error), "", blocked, hidden]
        brought = replace(brought, preview=preview)
        able = gr.update(interactive=preview.accepted > 0)
        return [brought, "", preview_html(texts, preview, brought.kind), able, hidden]

    def forget(self) -> list[Any]:
        """Return the sheet without a file."""
        return [None, "", "", gr.update(interactive=False), gr.update(visible=False)]

    def taking(self, language: Any) -> list[Any]:
        """Say that the import goes on, and take no second click meanwhile."""
        texts = texts_for(language)
        return [waiting_html(texts, "importing.taking"), "", gr.update(interactive=False)]

    async def bring_in(self, brought: Any, name: Any, held: Any, language: Any) -> list[Any]:
        """Import the file, and pick the dataset that it became."""
        texts = texts_for(language)
        free, hidden = gr.update(interactive=True), gr.update(visible=False)
        if not brought:
            return ["", "", gr.update(interactive=False), hidden, gr.skip()]
        try:
            done = await self.imports.take(brought, str(name or "").strip(), share(held))
        except BadNameError:
            return ["", wrong_html(texts("generate.bad_name")), free, hidden, gr.skip()]
        except (ProblemError, FileGoneError) as error:
            return [problem_html(texts, error), "", free, hidden, gr.skip()]
        told = imported_html(texts, done)
        if not done.made or done.kind == QUESTIONS:
            return [told, "", free, hidden, gr.skip()]
        picked = await self.desk.picked(texts, done.made)
        return [told, "", free, gr.update(visible=True), picked]

    def speak(self, brought: Any, kind: Any, language: Any) -> list[Any]:
        """Return the sheet in another language."""
        texts = texts_for(language)
        known = brought.preview if brought else None
        preview = preview_html(texts, known, brought.kind) if known else ""
        return [preview, "", self.forms_text(texts, kind)]

    def forms_text(self, texts: Texts, kind: Any) -> str:
        """Return which files are understood, and how large they may be."""
        return texts(f"importing.forms_{kind_of(kind)}", megabytes=self.megabytes)

    def words(self, texts: Texts, _: Catalog) -> list[Any]:
        """Return the labels, the buttons, and the kinds."""
        kinds = [(texts(f"importing.kind.{kind}"), kind) for kind in (ROWS, QUESTIONS)]
        return [
            gr.update(label=texts("importing.kind"), choices=kinds),
            gr.update(label=texts("importing.file")),
            gr.update(label=texts("importing.name"), info=texts("generate.name_info")),
            gr.update(label=texts("importing.held_out"), info=texts("importing.held_out_info")),
            gr.update(value=texts("importing.take")),
            gr.update(value=texts("running.review")),
        ]


def kind_of(kind: Any) -> str:
    """Return the kind of file that was picked; rows where a browser says anything else."""
    return QUESTIONS if kind == QUESTIONS else ROWS


def share(percent: Any) -> float:
    """Return a share that a slider holds in percent."""
    try:
        return min(max(float(percent), 0.0), float(MOST_HELD_OUT)) / 100
    except (TypeError, ValueError):
        return HELD_OUT / 100


def problem_html(texts: Texts, error: ProblemError | FileGoneError) -> str:
    """Return why a file cannot be read or imported."""
    if isinstance(error, FileGoneError):
        return wrong_html(texts("importing.gone"))
    return service_html(texts, error)


def build(desk: Desk) -> Handle:
    """Build the sheet into the current Gradio context."""
    sheet = Importing(desk)
    worded = [sheet.kind, sheet.file, sheet.name, sheet.held, sheet.take, sheet.review]

    def words(texts: Texts, catalog: Catalog) -> list[Any]:
        return sheet.words(texts, catalog)

    def forms(texts: Texts, _: Catalog, kind: Any) -> list[Any]:
        return [sheet.forms_text(texts, kind)]

    kinds = Part([sheet.kind], [sheet.forms], forms)
    return Handle(kinds, Part([], worded, words), NOTHING, [])
