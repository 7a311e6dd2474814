"""Votes on replies, and what a reply should have said: they become preference data."""

from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr

from ui.access.visitors import current_user
from ui.catalog import Catalog
from ui.chat.branch_picker import below_html, excerpt
from ui.chat.screen import Screen, feedback_of
from ui.chat.turns import hidden, visible
from ui.errors import StoreError
from ui.events import private
from ui.kept.ballots import Ballots, Value
from ui.kept.branches import Said
from ui.kept.scribe import in_store
from ui.tabs.chat.dialogue import Updates, storable
from ui.tabs.chat.window import Window
from ui.texts import Texts, texts_for

VALUES: dict[Any, Value] = {True: 1, False: -1}


class Verdicts:
    """The events of votes and corrections.

    Args:
        ballots: takes them.
        window: what shows them.
    """

    def __init__(self, ballots: Ballots, window: Window) -> None:
        self.ballots = ballots
        self.window = window
        # The reply that a correction is written for.
        self.judged = gr.State(0)

    @property
    def outputs(self) -> list[Any]:
        """All that an event may change."""
        window, below = self.window, self.window.composer
        return [
            self.judged,
            window.screen,
            window.chat,
            window.below,
            window.ask,
            window.asked_for,
            window.correction,
            below.problem,
            below.failed,
        ]

    def wire(self, language: gr.Radio) -> None:
        """Connect the thumbs and the buttons."""
        window = self.window
        quick: dict[str, Any] = {
            "outputs": self.outputs,
            "queue": False,
            "preprocess": False,
            **private(),
        }
        known = [window.screen, language]
        window.chat.like(self.vote, known, **quick)
        window.correct.click(self.begin, known, **quick)
        window.keep.click(self.correct, [window.correction, self.judged, *known], **quick)
        window.close.click(self.close, None, **quick)

    async def vote(self, data: gr.LikeData, screen: Screen, language: Any) -> Updates:
        """Note a vote; what is no thumb takes it back. Then ask how it should have been."""
        said = reply_at(screen, data.index)
        value = VALUES.get(data.liked if isinstance(data.liked, bool) else None, 0)
        kept = screen.votes.get(said.id, (0, None))[1] if said else None
        texts = texts_for(language)
        done = await self.cast(screen, said, value, kept if value else None, texts)
        if said is None or not value or done.get(self.window.composer.failed):
            return done | {self.window.ask: hidden()}
        return done | self.asking(said, kept, texts)

    def begin(self, screen: Screen, language: Any) -> Updates:
        """Ask how the last reply should have been."""
        said, texts = screen.last_reply, texts_for(language)
        if said is None:
            return {self.window.ask: hidden()}
        return self.asking(said, screen.votes.get(said.id, (0, None))[1], texts)

    def resume(self, message: str, screen: Screen, language: Any) -> Updates:
        """Ask once more about a reply that was corrected before."""
        said = next((said for said in screen.path if str(said.id) == message), None)
        if said is None:
            return {self.window.ask: hidden()}
        kept = screen.votes.get(said.id, (0, None))[1]
        return self.asking(said, kept, texts_for(language))

    def asking(self, said: Said, correction: str | None, texts: Texts) -> Updates:
        """Return the updates that ask how a reply should have been."""
        quote = escape(texts("chat.corrected", reply=excerpt(said.content)))
        return {
            self.judged: said.id,
            self.window.ask: visible(),
            self.window.asked_for: f'<p class="ts-faint">{quote}</p>',
            self.window.correction: correction or "",
        }

    async def correct(self, text: Any, message: Any, screen: Screen, language: Any) -> Updates:
        """Note how a reply should have been; who corrects it says that it was not good enough."""
        said = next((said for said in screen.path if said.id == message), None)
        correction = storable(text) or None
        value = screen.votes.get(said.id, (0, None))[0] if said else 0
        if correction and not value:
            value = -1
        done = await self.cast(screen, said, value, correction, texts_for(language))
        if done.get(self.window.composer.failed):
            return done
        return done | {self.window.ask: hidden()}

    def close(self) -> Updates:
        """Ask no more."""
        return {self.window.ask: hidden()}

    async def cast(
        self, screen: Screen, said: Said | None, value: Value, correction: str | None, texts: Texts
    ) -> Updates:
        """Note a vote and show it, or say why it cannot be."""
        problem = None
        if said is not None:
            user = current_user()
            try:
                await in_store(self.ballots.cast, user, screen.id, said.id, value, correction)
            except StoreError as error:
                problem = error
            else:
                votes = {**screen.votes, said.id: (value, correction)}
                screen = replace(screen, votes=votes)
        return {
            self.window.screen: screen,
            self.window.chat: gr.update(feedback_value=feedback_of(screen)),
            self.window.below: below_html(texts, screen),
            **self.window.failed(texts, Catalog(), problem),
        }


def reply_at(screen: Screen, place: Any) -> Said | None:
    """Return the reply in a row of the page, or None."""
    if not isinstance(place, int) or not 0 <= place < len(screen.path):
        return None
    said = screen.path[place]
    return said if said.role == "assistant" else None
