"""What happens when somebody asks, asks again, edits a question or stops: the reply as it comes."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from ui.access.visitors import current_session, current_user
from ui.catalog import Catalog
from ui.chat.pace import Pace
from ui.chat.panel import BESIDE_MODELS
from ui.chat.screen import Screen, messages_of, read_screen, rows_of
from ui.chat.talk import Talk, question_of
from ui.chat.turns import silence
from ui.errors import ProblemError, StoreError
from ui.handoff import handoff_html
from ui.kept.branches import Said
from ui.kept.conversations import Setup
from ui.kept.keeping import Keeping
from ui.kept.kept_turn import KeptTurn
from ui.kept.scribe import Scribe, Spot, in_store
from ui.tabs.chat.window import Window
from ui.texts import Texts, texts_for

# Whoever opens something else waits so long, at most, for what was said to be kept.
LEAVE_SECONDS = 2.0
Updates = dict[Any, Any]


@dataclass(frozen=True)
class Asked:
    """What is asked, and where: after `before`; `question` is its message if it is kept already."""

    text: str
    before: tuple[Said, ...]
    parent: int | None
    question: int | None = None


class Dialogue:
    """The events that stream.

    Args:
        talk: asks the model.
        kept: where conversations are kept.
        window: what shows them.
        setup: makes sense of the values of the panel's controls.
    """

    def __init__(
        self,
        talk: Talk,
        kept: Keeping,
        window: Window,
        setup: Callable[[Sequence[Any]], Setup],
    ) -> None:
        self.talk = talk
        self.kept = kept
        self.window = window
        self.setup = setup
        # The replies that are being made, by the page that asked.
        self.turns: dict[str, KeptTurn] = {}

    def models_in(self, data: Sequence[Any]) -> list[str | None]:
        """Return the model that an event asks, from all that the browser sends with it."""
        return [self.setup(data[-(BESIDE_MODELS + 2) : -1]).models[0] or None]

    async def ask(self, text: Any, screen: Screen, *values: Any) -> AsyncGenerator[Updates, None]:
        """Say something at the end of what is shown; what was never answered is replaced."""
        async with aclosing(self.answer(new_question(text, screen.path), screen, values)) as states:
            async for state in states:
                yield state

    async def again(self, screen: Screen, *values: Any) -> AsyncGenerator[Updates, None]:
        """Ask for another reply to the last question; the first one stays beside it."""
        async with aclosing(self.answer(last_again(screen.path), screen, values)) as states:
            async for state in states:
                yield state

    async def edit(
        self, data: gr.EditData, screen: Screen, *values: Any
    ) -> AsyncGenerator[Updates, None]:
        """Ask something else in place of an earlier question, which stays beside it."""
        asked = edited(data, screen.path)
        async with aclosing(self.answer(asked, screen, values)) as states:
            async for state in states:
                yield state

    async def answer(
        self, asked: Asked | None, screen: Screen, values: Sequence[Any]
    ) -> AsyncGenerator[Updates, None]:
        """Stream the reply; where none may begin, say why and leave all as it is."""
        setup, texts = self.setup(values[:-1]), texts_for(values[-1])
        running = self.turns.get(current_session())
        if asked is None or (running and not running.ended):
            yield {self.window.composer.box: gr.skip()}
            return
        try:
            with self.talk.turn([setup.models[0] or None]):
                states = self.stream(asked, screen, setup, texts)
                async with aclosing(states):
                    async for state in states:
                        yield state
        except ProblemError as problem:
            catalog = await self.talk.source.explained()
            yield self.window.failed(texts, catalog, problem)

    async def stream(
        self, asked: Asked, screen: Screen, setup: Setup, texts: Texts
    ) -> AsyncGenerator[Updates, None]:
        """Stream the reply and keep it; who leaves stops it."""
        turn = self.begin(asked, screen, setup)
        rows = [*rows_of(asked.before), {"role": "user", "content": asked.text}]
        try:
            yield self.begun(rows, asked.text, texts)
            told, silent, pace = "", False, Pace()
            while not turn.ended:
                await turn.changed()
                if told:  # the first words come at once
                    await asyncio.wait({turn.task}, timeout=pace.pause)
                if turn.muted:
                    return
                state: Updates = {self.window.composer.box: gr.skip()}
                if turn.reply.text != told:
                    told = turn.reply.text
                    state[self.window.chat] = [*rows, {"role": "assistant", "content": told}]
                if turn.reply.silent != silent:
                    silent = turn.reply.silent
                    state[self.window.composer.problem] = silence(silent, texts.language)
                if turn.kept and not screen.id:
                    screen = replace(screen, id=turn.scribe.name)
                    state |= {self.window.screen: screen, self.window.current: screen.id}
                with pace.drawing():
                    yield state
            turn.task.result()
            yield await self.ended(turn, screen, texts)
        finally:
            turn.stop()

    def begin(self, asked: Asked, screen: Screen, setup: Setup) -> KeptTurn:
        """Begin to ask, and to keep what is said."""
        session, user = current_session(), current_user()
        spot = Spot(user, screen.id, asked.parent, asked.question)
        scribe = Scribe(self.kept.conversations, spot, asked.text, setup)
        history = messages_of(asked.before)
        question = question_of(setup, asked.text, [setup.models[0] or None], [history])
        turn = KeptTurn(self.talk, scribe, question)
        self.turns[session] = turn
        turn.task.add_done_callback(lambda _: self.forget(session, turn))
        return turn

    def forget(self, session: str, turn: KeptTurn) -> None:
        """Drop a turn that has ended."""
        if self.turns.get(session) is turn:
            del self.turns[session]

    def begun(self, rows: list[dict[str, str]], text: str, texts: Texts) -> Updates:
        """Return the question as it was sent, and the way to stop."""
        return {
            self.window.chat: rows,
            self.window.composer.box: "",
            self.window.below: "",
            self.window.ask: gr.update(visible=False),
            self.window.composer.handoff: handoff_html(texts, text, texts.language),
            **self.window.failed(texts, Catalog(), None),
            **self.window.speaking,
        }

    async def ended(self, turn: KeptTurn, screen: Screen, texts: Texts) -> Updates:
        """Return what is kept now, and what went wrong; a question that was refused is given back.

        What could not be kept stays on the page as long as the page does.
        """
        shown: Updates = self.window.resting
        try:
            name = turn.scribe.name if turn.kept else screen.id
            if name and not (turn.kept and turn.refusal):
                user = turn.scribe.spot.user
                screen = await in_store(read_screen, self.kept, user, name)
        except StoreError as error:
            turn.refusal = turn.refusal or error
        if not turn.kept or not turn.refusal:
            shown = self.window.opened(texts, screen)
        if not turn.kept:
            shown[self.window.composer.box] = turn.question.text
        catalog = await self.talk.source.explained() if turn.problem else Catalog()
        return shown | self.window.failed(texts, catalog, turn.refusal or turn.problem)

    def stop(self) -> Updates:
        """End the reply of this page; what was said stays."""
        turn = self.turns.get(current_session())
        if turn is None or turn.ended:
            return self.window.resting
        turn.stop()
        return {self.window.composer.stop: gr.skip()}

    async def leave(self) -> None:
        """End the reply of this page, which shows something else from now on."""
        if turn := self.turns.get(current_session()):
            await turn.leave(LEAVE_SECONDS)

    async def settle(self, user: str, name: str) -> None:
        """Wait a moment until a reply that a closed page left is kept, if there is one."""
        asked = (user, name)
        left = {
            turn.task
            for turn in self.turns.values()
            if (turn.scribe.spot.user, turn.scribe.name) == asked
        }
        if left:
            await asyncio.wait(left, timeout=LEAVE_SECONDS)


def new_question(text: Any, path: tuple[Said, ...]) -> Asked | None:
    """Return what is said at the end of a path; None if it is nothing."""
    said = storable(text)
    if not said:
        return None
    before = path[:-1] if path and path[-1].role == "user" else path
    parent = path[-1].parent if len(before) < len(path) else (path[-1].id if path else None)
    return Asked(said, before, parent)


def last_again(path: tuple[Said, ...]) -> Asked | None:
    """Return the last question of a path, to be asked once more; None if there is none."""
    places = [place for place, said in enumerate(path) if said.role == "user"]
    if not places:
        return None
    said = path[places[-1]]
    return Asked(said.content, path[: places[-1]], said.parent, said.id)


def edited(data: gr.EditData, path: tuple[Said, ...]) -> Asked | None:
    """Return what is asked in place of a question; None if it is nothing."""
    place, text = data.index, storable(data.value)
    if not isinstance(place, int) or not 0 <= place < len(path) or not text:
        return None
    said = path[place]
    return Asked(text, path[:place], said.parent) if said.role == "user" else None


def storable(text: Any) -> str:
    """Return a text from a browser; half of a surrogate pair, which no file holds, is replaced."""
    return str(text or "").encode("utf-8", "replace").decode().strip()
