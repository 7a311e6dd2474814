"""The library: cards to pick from, and the ways to a new one."""

from typing import Any

import gradio as gr

from ui.style.cards import ARCHIVED, EVERY, cards_html
from ui.style.draft import Draft
from ui.style.source import Library
from ui.tabs.styles.events import Changes
from ui.texts import LANGUAGES, Texts

FILTERS = (EVERY, *LANGUAGES, ARCHIVED)
FILE_TYPES = [".png", ".json", ".jsonl", ".yaml", ".yml"]
# The cards are drawn by us; a click on one, or Enter on its name, says which.
PICK = """element.addEventListener('click', (event) => {
  const card = event.target.closest('.ts-style');
  const button = card && card.querySelector('[data-style]');
  if (button) trigger('click', {style: button.dataset.style});
});"""


class Shelf:
    """Builds the library into the current Gradio context."""

    def __init__(self) -> None:
        with gr.Row(elem_classes="ts-shelf-bar"):
            self.search = gr.Textbox(elem_id="styles-search", scale=2, min_width=180, max_lines=1)
            self.shown = gr.Radio(
                [(name, name) for name in FILTERS],
                value=EVERY,
                elem_id="styles-filter",
                elem_classes="ts-picks",
                scale=0,
                min_width=390,
            )
            with gr.Row(elem_classes="ts-orders", scale=0):
                self.upload = gr.UploadButton(
                    "",
                    file_types=FILE_TYPES,
                    type="binary",
                    size="sm",
                    scale=0,
                    elem_id="styles-import",
                )
                self.new = gr.Button(
                    "", variant="primary", size="sm", scale=0, elem_id="styles-new"
                )
        self.cards = gr.HTML(elem_id="styles-cards", js_on_load=PICK)

    def show(self, texts: Texts, library: Library, words: Any, shown: Any, draft: Draft) -> Changes:
        """Return the grid."""
        wanted = shown if shown in FILTERS else EVERY
        return {self.cards: cards_html(texts, library, str(words or ""), wanted, draft)}

    def words(self, texts: Texts) -> Changes:
        """Return what the library says, whatever is in it."""
        choices = [(texts(f"styles.filter_{name}"), name) for name in FILTERS]
        return {
            self.search: gr.update(
                label=texts("styles.search"), placeholder=texts("styles.search_hint")
            ),
            self.shown: gr.update(choices=choices, label=texts("styles.filter")),
            self.upload: gr.update(label=texts("styles.import")),
            self.new: gr.update(value=texts("styles.new")),
        }
