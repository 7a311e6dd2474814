"""Trying a card: a question, and what the teacher answers in this style."""

from typing import Any

import gradio as gr

from contracts.studio import PreviewRequest, StylePreview
from contracts.style import Style
from ui.errors import ProblemError
from ui.examples import EXAMPLES
from ui.service_notices import service_html
from ui.style.cards import document_of
from ui.style.draft import Draft
from ui.style.faults import faults_of
from ui.style.preview import preview_html, waiting_html
from ui.tabs.styles.events import Changes
from ui.texts import LANGUAGES, Texts, texts_for
from ui.upstream.style_calls import StyleCalls

EXAMPLES_SHOWN = 3
LONGEST = 2000


class Trial:
    """Builds the preview into the current Gradio context.

    Args:
        calls: to datagen.
    """

    def __init__(self, calls: StyleCalls) -> None:
        self.calls = calls
        self.title = gr.HTML(elem_classes="ts-section")
        self.question = gr.Textbox(
            lines=2, max_lines=5, max_length=LONGEST, elem_id="styles-question"
        )
        with gr.Row(elem_classes="ts-orders"):
            self.examples = [
                gr.Button("", size="sm", scale=0, elem_id=f"styles-example-{number}")
                for number in range(EXAMPLES_SHOWN)
            ]
        self.ask = gr.Button("", variant="primary", elem_id="styles-ask")
        self.reply = gr.HTML(elem_id="styles-reply", elem_classes="ts-section")
        # What is asked, or was answered: question, card, seed, and the answer.
        self.asked = gr.State(None)

    def begin(self, texts: Texts, draft: Draft, question: Any, before: Any) -> Changes:
        """Return the tab while the teacher writes; or why it is not asked."""
        said = str(question or "").strip()
        document = document_of(draft)
        if not said or faults_of(document):
            why = "styles.no_question" if not said else "styles.not_valid"
            return {self.reply: f'<p class="ts-faint">{texts(why)}</p>', self.asked: None}
        card = Style.model_validate(document)
        seed = (before or {}).get("seed", 6) + 1
        asked = {"question": said[:LONGEST], "card": card, "seed": seed, "found": None}
        return {
            self.reply: waiting_html(texts, said, card),
            self.asked: asked,
            self.ask: gr.update(interactive=False),
        }

    async def answer(self, asked: Any, language: Any) -> Changes:
        """Ask the teacher. Returns within `PREVIEW_SECONDS`, and never raises."""
        free: Changes = {self.ask: gr.update(interactive=True)}
        if not asked or asked["found"]:
            return free
        texts = texts_for(language)
        request = PreviewRequest(card=asked["card"], question=asked["question"], seed=asked["seed"])
        try:
            found = await self.calls.preview(request)
        except ProblemError as problem:
            return free | {self.reply: service_html(texts, problem)}
        answered = asked | {"found": found}
        return free | {self.asked: answered} | self.show(texts, answered)

    def show(self, texts: Texts, asked: Any) -> Changes:
        """Return the answer once more, perhaps in another language."""
        found = (asked or {}).get("found")
        if not isinstance(found, StylePreview):
            return {}
        return {self.reply: preview_html(texts, asked["question"], found, asked["card"])}

    def offer(self, draft: Draft) -> Changes:
        """Return the example questions in the language of a card, and an empty answer."""
        spoken = document_of(draft).get("language")
        questions = EXAMPLES[spoken if spoken in LANGUAGES else "zh"]
        fresh: Changes = dict(zip(self.examples, questions, strict=False))
        return fresh | {self.reply: "", self.asked: None}

    def words(self, texts: Texts) -> Changes:
        """Return what is always said."""
        return {
            self.title: f"<h3>{texts('styles.preview')}</h3>"
            f'<p class="ts-faint">{texts("styles.preview_hint")}</p>',
            self.question: gr.update(
                label=texts("styles.question"), placeholder=texts("styles.question_hint")
            ),
            self.ask: gr.update(value=texts("styles.ask")),
        }
