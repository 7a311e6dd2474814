"""Can a judge tell these styles apart? A few replies of each, and the table of what was heard."""

from typing import Any

import gradio as gr

from contracts.studio import ConfusionRequest, StyleConfusion
from contracts.style import Style
from ui.chat.panel import name_of
from ui.errors import ProblemError
from ui.service_notices import service_html
from ui.style.cards import document_of, options
from ui.style.confusion import confusion_html
from ui.style.draft import Draft
from ui.style.faults import faults_of
from ui.style.source import Library
from ui.tabs.styles.events import Changes
from ui.texts import Texts, texts_for
from ui.upstream.style_calls import StyleCalls

# The card as it stands now; no id begins with a dot.
UNSAVED = ".unsaved"
FEWEST, MOST = 2, 12
REPLIES, FEWEST_REPLIES, MOST_REPLIES = 8, 3, 32


class Clash:
    """Builds the test into the current Gradio context.

    Args:
        calls: to datagen.
    """

    def __init__(self, calls: StyleCalls) -> None:
        self.calls = calls
        self.about = gr.HTML(elem_classes="ts-section")
        self.picked = gr.CheckboxGroup(
            [], elem_id="styles-clash", elem_classes="ts-picks", interactive=True
        )
        with gr.Row(elem_classes="ts-fields"):
            self.replies = gr.Slider(
                FEWEST_REPLIES, MOST_REPLIES, value=REPLIES, step=1, elem_id="styles-replies"
            )
            self.judge = gr.Button("", variant="primary", scale=0, elem_id="styles-judge")
        self.found = gr.HTML(elem_id="styles-matrix", elem_classes="ts-section")
        # What is asked, or was answered, and what the picker offers.
        self.asked, self.offered = gr.State(None), gr.State("")

    def offer(self, texts: Texts, library: Library, draft: Draft, offered: Any) -> Changes:
        """Return the picker's choices, if there are others than before."""
        choices = options(texts, library.styles or ())
        if draft.dirty and not faults_of(document_of(draft)):
            choices = [(texts("styles.clash_unsaved"), UNSAVED), *choices]
        if str(choices) == offered:
            return {}
        return {self.picked: gr.update(choices=choices), self.offered: str(choices)}

    def begin(self, texts: Texts, draft: Draft, picked: Any, replies: Any) -> Changes:
        """Return the tab while the judge listens; or why it does not."""
        chosen = [str(name) for name in picked or []]
        if not FEWEST <= len(chosen) <= MOST:
            told = texts("styles.clash_few", fewest=FEWEST, most=MOST)
            return {self.found: f'<p class="ts-faint">{told}</p>', self.asked: None}
        cards = [unsaved(draft)] if UNSAVED in chosen else []
        styles = [name for name in chosen if name != UNSAVED]
        count = int(replies) if isinstance(replies, int | float) else REPLIES
        request = ConfusionRequest(
            styles=styles, cards=cards, replies=min(max(count, FEWEST_REPLIES), MOST_REPLIES)
        )
        told = texts("styles.judging", number=len(chosen) * request.replies)
        return {
            self.found: f'<p class="ts-writing" role="status">{told}</p>',
            self.asked: {"request": request, "found": None},
            self.judge: gr.update(interactive=False),
        }

    async def answer(self, asked: Any, library: Library, language: Any) -> Changes:
        """Ask datagen. Returns within `CONFUSION_SECONDS`, and never raises."""
        free: Changes = {self.judge: gr.update(interactive=True)}
        if not asked or asked["found"]:
            return free
        texts = texts_for(language)
        try:
            found = await self.calls.confusion(asked["request"])
        except ProblemError as problem:
            return free | {self.found: service_html(texts, problem)}
        answered = asked | {"found": found}
        return free | {self.asked: answered} | self.show(texts, answered, library)

    def show(self, texts: Texts, asked: Any, library: Library) -> Changes:
        """Return the answer once more, perhaps in another language."""
        found = (asked or {}).get("found")
        if not isinstance(found, StyleConfusion):
            return {}
        names = {one.style.id: name_of(texts, one.style) for one in library.everything}
        for card in asked["request"].cards:
            names[card.id] = texts("styles.named_unsaved", name=name_of(texts, card))
        return {self.found: confusion_html(texts, found, names)}

    def words(self, texts: Texts) -> Changes:
        """Return what is always said."""
        return {
            self.about: f'<p class="ts-faint">{texts("styles.clash_hint")}</p>',
            self.picked: gr.update(label=texts("styles.clash_styles")),
            self.replies: gr.update(
                label=texts("styles.replies"), info=texts("styles.replies_hint")
            ),
            self.judge: gr.update(value=texts("styles.judge")),
        }


def unsaved(draft: Draft) -> Style:
    """Return the card as it stands now, with an id of its own beside the stored one's."""
    document = document_of(draft)
    return Style.model_validate(document | {"id": f"{document['id'][:55]}-unsaved"})
