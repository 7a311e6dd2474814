"""The versions of a card: what changed between two of them, and back to an old one."""

from typing import Any

import gradio as gr

from contracts.style import StyleVersion
from ui.errors import ProblemError
from ui.service_notices import service_html
from ui.style.diff import diff_html
from ui.style.draft import Draft, card_text
from ui.tabs.styles.events import Changes
from ui.texts import Texts
from ui.upstream.style_calls import StyleCalls

# The card as it stands now, beside the numbers of the stored ones.
NOW = "now"
VERSIONS_SHOWN = 200


class History:
    """Builds the versions into the current Gradio context.

    Args:
        calls: to datagen.
    """

    def __init__(self, calls: StyleCalls) -> None:
        self.calls = calls
        with gr.Row(elem_classes="ts-fields"):
            self.older = picker("styles-older")
            self.newer = picker("styles-newer")
        with gr.Row(elem_classes="ts-orders"):
            self.restore = gr.Button(
                "", size="sm", scale=0, elem_id="styles-restore", visible=False
            )
        self.diff = gr.HTML(elem_id="styles-diff", elem_classes="ts-section")
        # The stored versions of the card that is open.
        self.known = gr.State(None)

    async def load(self, texts: Texts, draft: Draft) -> Changes:
        """Ask for the versions, and show what the latest step changed."""
        if not draft.version:
            return self.nothing() | {
                self.diff: f'<p class="ts-faint">{texts("styles.no_versions")}</p>'
            }
        try:
            versions = (await self.calls.versions(draft.id))[-VERSIONS_SHOWN:]
        except ProblemError as problem:
            return self.nothing() | {self.diff: service_html(texts, problem)}
        return {self.known: versions} | self.offer(texts, versions, draft)

    def offer(self, texts: Texts, versions: list[StyleVersion], draft: Draft) -> Changes:
        """Return the pickers: the unsaved text against the newest, else the last two."""
        numbers = [str(one.version) for one in reversed(versions)]
        choices = [(texts("styles.version", number=name), name) for name in numbers]
        now = [(texts("styles.now"), NOW)] if draft.dirty else []
        newer = NOW if now else numbers[0]
        older = numbers[0] if now else numbers[min(1, len(numbers) - 1)]
        return {
            self.older: gr.update(choices=choices, value=older),
            self.newer: gr.update(choices=[*now, *choices], value=newer),
            **self.compare(texts, versions, draft, older, newer),
        }

    def compare(self, texts: Texts, versions: Any, draft: Draft, older: Any, newer: Any) -> Changes:
        """Return the difference of two versions."""
        known = {str(one.version): card_text(one.style) for one in versions or []}
        known[NOW] = draft.text
        before, after = known.get(str(older)), known.get(str(newer))
        if before is None or after is None:
            return {self.diff: "", self.restore: gr.update(visible=False)}
        names = [
            texts("styles.now") if name == NOW else texts("styles.version", number=name)
            for name in (older, newer)
        ]
        label = texts("styles.diff", older=names[0], newer=names[1])
        newest = max(one.version for one in versions)
        return {
            self.diff: diff_html(texts, before, after, label),
            self.restore: gr.update(
                visible=str(older) != str(newest), value=texts("styles.restore", number=older)
            ),
        }

    def nothing(self) -> Changes:
        """Return the tab without a card."""
        empty = gr.update(choices=[], value=None)
        return {
            self.known: None,
            self.older: empty,
            self.newer: empty,
            self.diff: "",
            self.restore: gr.update(visible=False),
        }

    def words(self, texts: Texts) -> Changes:
        """Return what is always said."""
        return {
            self.older: gr.update(label=texts("styles.older")),
            self.newer: gr.update(label=texts("styles.newer")),
        }


def picker(name: str) -> gr.Dropdown:
    """Return a picker of versions."""
    return gr.Dropdown(choices=[], interactive=True, filterable=False, elem_id=name, min_width=160)
