"""What happens on the tab: each step of a person, and what it changes."""

from typing import Any

import gradio as gr

from ui.style.card_yaml import UnreadableError
from ui.style.cards import uses_html
from ui.style.draft import Draft, blank, duplicate, opened, read_draft
from ui.style.files import file_of
from ui.tabs.styles.desk import CARD, SHELF, Desk
from ui.tabs.styles.events import Changes
from ui.tabs.styles.orders import why_html
from ui.texts import texts_for


class Steps:
    """Answers the events of the tab; `wiring` says which.

    Args:
        desk: what was built.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def look(
        self, kept: Any, words: Any, shown: Any, entered: Any, offered: Any, language: Any
    ) -> Changes:
        """Return the library as it is now; at first also the card that the browser kept."""
        texts, draft = texts_for(language), read_draft(kept)
        library = await self.desk.source.library()
        changes: Changes = {self.desk.entered: True}
        if not entered and draft.is_open:
            said = why_html(texts("styles.recalled")) if draft.dirty else ""
            changes |= self.desk.put_down(texts, draft, library, said)
        changes |= self.desk.shelf.show(texts, library, words, shown, draft)
        changes[self.desk.seen] = changes[self.desk.shelf.cards]
        return changes | self.desk.clash.offer(texts, library, draft, offered)

    async def tick(
        self, seen: Any, kept: Any, words: Any, shown: Any, offered: Any, language: Any
    ) -> Changes:
        """Return what is new in the library."""
        changes = await self.look(kept, words, shown, True, offered, language)
        if changes[self.desk.shelf.cards] == seen:
            del changes[self.desk.shelf.cards]
        return changes

    async def pick(self, kept: Any, language: Any, event: gr.EventData) -> Changes:
        """Open the card that was clicked."""
        texts, library = texts_for(language), await self.desk.source.library()
        style = library.find(str(event._data.get("style", "")))
        if style is None:
            return {self.desk.said: ""}
        wanted = opened(style, archived=library.is_archived(style.style.id))
        return self.desk.guarded(texts, read_draft(kept), wanted, library)

    async def new(self, kept: Any, language: Any) -> Changes:
        """Open a new card."""
        texts, library = texts_for(language), await self.desk.source.library()
        return self.desk.guarded(
            texts, read_draft(kept), blank(texts.language, library.ids), library
        )

    async def upload(self, content: bytes | None, kept: Any, language: Any) -> Changes:
        """Open the card in a file."""
        texts, library = texts_for(language), await self.desk.source.library()
        outcome = await self.desk.orders.read_file(texts, content or b"", library)
        if outcome.draft is None:
            return {self.desk.said: outcome.said}
        return self.desk.guarded(texts, read_draft(kept), outcome.draft, library, outcome.said)

    async def keep_on(self, kept: Any, language: Any) -> Changes:
        """Go on with the card that is open."""
        texts, draft = texts_for(language), read_draft(kept)
        library = await self.desk.source.library()
        return {
            self.desk.wanted: "",
            self.desk.said: "",
            self.desk.guard: gr.update(visible=False),
            **self.desk.turned(CARD),
            **self.desk.editor.show(texts, draft, library),
        }

    async def let_go(self, wanted: Any, language: Any) -> Changes:
        """Put the open card aside for the one that waits."""
        texts, library = texts_for(language), await self.desk.source.library()
        return self.desk.put_down(texts, read_draft(wanted), library)

    async def type_form(self, kept: Any, language: Any, *written: Any) -> Changes:
        """Follow what was typed into the form."""
        before = read_draft(kept)
        return await self.typed(
            language, before, self.desk.editor.filled(before, written), form=False
        )

    async def type_text(self, kept: Any, language: Any, text: Any) -> Changes:
        """Follow what was typed into the text of the card."""
        before = read_draft(kept)
        return await self.typed(language, before, before.with_text(str(text or "")), code=False)

    async def typed(
        self, language: Any, before: Draft, draft: Draft, *, code: bool = True, form: bool = True
    ) -> Changes:
        """Return the other view of the card, and what is wrong with it."""
        if not before.is_open or draft.text == before.text:
            return {self.desk.kept: gr.skip()}
        texts, library = texts_for(language), await self.desk.source.library()
        changes = self.desk.editor.show(texts, draft, library, code=code, form=form)
        return {self.desk.kept: draft.model_dump_json(), **changes}

    async def save(self, kept: Any, language: Any, *written: Any) -> Changes:
        """Store the card."""
        texts, draft = texts_for(language), self.desk.editor.settled(read_draft(kept), written)
        library = await self.desk.source.library()
        return await self.desk.followed(texts, await self.desk.orders.save(texts, draft, library))

    async def go_back(
        self, words: Any, shown: Any, kept: Any, language: Any, *written: Any
    ) -> Changes:
        """Show the library; the card stays as it is."""
        texts, draft = texts_for(language), self.desk.editor.settled(read_draft(kept), written)
        library = await self.desk.source.library()
        return {
            self.desk.kept: draft.model_dump_json(),
            self.desk.said: "",
            self.desk.guard: gr.update(visible=False),
            self.desk.rebase: gr.update(visible=False),
            **self.desk.turned(SHELF),
            **self.desk.shelf.show(texts, library, words, shown, draft),
        }

    async def undo(self, kept: Any, language: Any) -> Changes:
        """Take the stored card again."""
        draft = read_draft(kept)
        texts, library = texts_for(language), await self.desk.source.library()
        return self.desk.put_down(texts, draft.with_text(draft.saved), library)

    async def copy(self, kept: Any, language: Any, *written: Any) -> Changes:
        """Open a new card with the same words."""
        texts, draft = texts_for(language), self.desk.editor.settled(read_draft(kept), written)
        library = await self.desk.source.library()
        try:
            return self.desk.put_down(texts, duplicate(draft, library.ids), library)
        except UnreadableError:
            return {self.desk.said: why_html(texts("styles.not_valid"))}

    async def put_away(self, kept: Any, language: Any, *written: Any) -> Changes:
        """Put the card away, or back."""
        texts, draft = texts_for(language), self.desk.editor.settled(read_draft(kept), written)
        return await self.desk.followed(texts, await self.desk.orders.archive(texts, draft))

    async def take_theirs(self, kept: Any, language: Any, *written: Any) -> Changes:
        """Make the card an edit of what somebody else stored meanwhile."""
        draft = self.desk.editor.settled(read_draft(kept), written)
        texts = texts_for(language)
        return await self.desk.followed(texts, await self.desk.orders.rebase(texts, draft))

    async def versions(self, kept: Any, language: Any) -> Changes:
        """Ask for the versions of the card."""
        return await self.desk.history.load(texts_for(language), read_draft(kept))

    def compare(self, known: Any, kept: Any, older: Any, newer: Any, language: Any) -> Changes:
        """Show what changed between two versions."""
        draft = read_draft(kept)
        return self.desk.history.compare(texts_for(language), known, draft, older, newer)

    async def restore(self, known: Any, kept: Any, older: Any, language: Any) -> Changes:
        """Store an old version once more."""
        texts, draft = texts_for(language), read_draft(kept)
        outcome = await self.desk.orders.restore(texts, draft, known or [], str(older))
        changes = await self.desk.followed(texts, outcome)
        if outcome.done and outcome.draft:
            changes |= await self.desk.history.load(texts, outcome.draft)
        return changes

    def export(self, kind: str, kept: Any, *written: Any) -> Changes:
        """Return the card as a file for the browser to save."""
        try:
            return {
                self.desk.file: file_of(self.desk.editor.settled(read_draft(kept), written), kind)
            }
        except UnreadableError:
            return {self.desk.file: ""}

    def ask(self, question: Any, kept: Any, language: Any, asked: Any, *written: Any) -> Changes:
        """Begin a preview of the card as it stands now."""
        draft = self.desk.editor.settled(read_draft(kept), written)
        return self.desk.trial.begin(texts_for(language), draft, question, asked)

    def ask_example(self, question: Any, *rest: Any) -> Changes:
        """Begin a preview with one of the examples."""
        return {self.desk.trial.question: question} | self.ask(question, *rest)

    def judge(self, picked: Any, replies: Any, kept: Any, language: Any) -> Changes:
        """Begin to tell styles apart."""
        draft = read_draft(kept)
        return self.desk.clash.begin(texts_for(language), draft, picked, replies)

    async def judged(self, asked: Any, language: Any) -> Changes:
        """Show which styles were mixed up."""
        library = await self.desk.source.library()
        return await self.desk.clash.answer(asked, library, language)

    async def speak(self, kept: Any, side: Any, language: Any, asked: Any, judged: Any) -> Changes:
        """Return the card in another language."""
        texts, draft = texts_for(language), read_draft(kept)
        library = await self.desk.source.library()
        hidden = gr.update(visible=False)
        changes: Changes = {self.desk.said: "", self.desk.guard: hidden, self.desk.rebase: hidden}
        if side == CARD and draft.is_open:
            changes |= self.desk.editor.show(texts, draft, library, code=False, form=False)
            changes |= {
                self.desk.uses: uses_html(texts, draft, library),
                **self.desk.trial.show(texts, asked),
            }
        return changes | self.desk.clash.show(texts, judged, library)
