"""What happens when somebody asks, asks again, stops or clears: what each column shows next.

Every event returns, in this order: the columns, the explanation of a problem, the problem, the
hand-off, the examples, the box, and the buttons that send and stop.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

import gradio as gr

from contracts.sample import Message
from ui.catalog import Catalog
from ui.chat.panel import BESIDE_MODELS, NONE
from ui.chat.talk import Reply, Talk, history_of, question_of
from ui.errors import ProblemError
from ui.handoff import handoff_html
from ui.kept.conversations import Setup
from ui.notices import problem_html
from ui.texts import texts_for

Rows = list[dict[str, str]]
# What follows the columns.
OTHERS = 7


class Turns:
    """The events of a conversation that only the page keeps.

    Args:
        talk: asks the models.
        columns: how many models may be asked at once.
        setup: makes sense of the values of the panel's controls.
    """

    def __init__(self, talk: Talk, columns: int, setup: Callable[[Sequence[Any]], Setup]) -> None:
        self.talk = talk
        self.columns = columns
        self.setup = setup

    def setup_of(self, values: Sequence[Any]) -> Setup:
        """Return how is asked, from the inputs of an event: columns, controls, language."""
        return self.setup(values[self.columns : -1])

    def models_in(self, data: Sequence[Any]) -> list[str | None]:
        """Return the models that an event asks, from all that the browser sends with it."""
        setup = self.setup(data[-(self.columns + BESIDE_MODELS + 1) : -1])
        return [name or None for name in setup.models if name != NONE]

    async def ask(self, text: Any, *values: Any) -> AsyncGenerator[list[Any], None]:
        """Add the question to every column and stream the answers."""
        histories = [history_of(value) for value in values[: self.columns]]
        question = str(text or "").strip()
        if not question:
            yield self.unchanged()
            return
        async with aclosing(self.answer(question, histories, *values)) as states:
            async for state in states:
                yield state

    async def again(self, *values: Any) -> AsyncGenerator[list[Any], None]:
        """Ask the last question once more, without its answers."""
        histories = [history_of(value) for value in values[: self.columns]]
        question = last_question(histories[0])
        if question is None:
            yield self.unchanged()
            return
        before = [before_last_question(history) for history in histories]
        async with aclosing(self.answer(question, before, *values)) as states:
            async for state in states:
                yield state

    async def answer(
        self, text: str, histories: Sequence[Sequence[Message]], *values: Any
    ) -> AsyncGenerator[list[Any], None]:
        """Stream the answers to `text`; where none may begin, say why and leave all as it is."""
        models = [name or None for name in self.setup_of(values).models if name != NONE]
        try:
            with self.talk.turn(models):
                async with aclosing(self.stream(text, histories, *values)) as states:
                    async for state in states:
                        yield state
        except ProblemError as problem:
            *explained, _, _ = await self.ended(problem, values[-1])
            yield [*explained, gr.skip(), gr.skip()]

    async def stream(
        self, text: str, histories: Sequence[Sequence[Message]], *values: Any
    ) -> AsyncGenerator[list[Any], None]:
        """Stream the answers to `text`; what failed is explained, and may be asked again."""
        setup, language = self.setup_of(values), values[-1]
        asked = [place for place, name in enumerate(setup.models) if name != NONE]
        models = [setup.models[place] or None for place in asked]
        question = question_of(setup, text, models, [histories[place] for place in asked])
        said = [rows_of(history) for history in histories]
        for place in asked:
            said[place].append({"role": "user", "content": text})
        care = handoff_html(texts_for(language), text, str(language))
        yield [*said, "", None, care, hidden(), "", hidden(), visible()]
        replies: list[Reply] = []
        problem, silent = None, False
        try:
            async with aclosing(self.talk.stream(question)) as states:
                async for replies in states:
                    told, silent = silent, any(reply.silent for reply in replies)
                    explanation = gr.skip() if told is silent else silence(silent, language)
                    others = [gr.skip()] * (OTHERS - 1)
                    yield [*with_replies(said, asked, replies), explanation, *others]
        except ProblemError as error:
            problem = error
        problem = problem or next((reply.problem for reply in replies if reply.problem), None)
        yield await self.ended(problem, language)

    async def ended(self, problem: ProblemError | None, language: Any) -> list[Any]:
        """Return the end of a turn: what went wrong, if anything, and the buttons at rest."""
        catalog = await self.talk.source.explained() if problem else Catalog()
        explanation = problem_html(texts_for(language), catalog, problem)
        return [
            *[gr.skip()] * self.columns,
            explanation,
            problem,
            *[gr.skip()] * 3,
            visible(),
            hidden(),
        ]

    def unchanged(self) -> list[Any]:
        """Return no change at all."""
        return [gr.skip()] * (self.columns + OTHERS)

    def stopped(self) -> list[Any]:
        """Return the buttons at rest; what was said stays."""
        unchanged = [gr.skip()] * self.columns
        return [*unchanged, "", None, *[gr.skip()] * 3, visible(), hidden()]

    def cleared(self) -> list[Any]:
        """Return the empty conversation."""
        empty: list[Rows] = [[] for _ in range(self.columns)]
        return [*empty, "", None, "", visible(), "", visible(), hidden()]


def silence(silent: bool, language: Any) -> str:
    """Return the note that serving says nothing, while it does."""
    problem = ProblemError("serving", "silent") if silent else None
    return problem_html(texts_for(language), Catalog(), problem)


def visible() -> Any:
    """Return the update that shows a component."""
    return gr.update(visible=True)


def hidden() -> Any:
    """Return the update that hides a component."""
    return gr.update(visible=False)


def rows_of(messages: Sequence[Message]) -> Rows:
    """Return messages as the chat component takes them."""
    return [{"role": message.role, "content": message.content} for message in messages]


def with_replies(
    said: Sequence[Rows], asked: Sequence[int], replies: Sequence[Reply]
) -> list[Rows]:
    """Return each column, those that were asked with their reply so far."""
    texts = {place: reply.text for place, reply in zip(asked, replies, strict=True)}
    return [
        [*rows, {"role": "assistant", "content": texts[place]}] if texts.get(place) else rows
        for place, rows in enumerate(said)
    ]


def last_question(history: Sequence[Message]) -> str | None:
    """Return what was asked last, or None."""
    return next((row.content for row in reversed(history) if row.role == "user"), None)


def before_last_question(history: Sequence[Message]) -> list[Message]:
    """Return what was said before the last question."""
    places = [index for index, row in enumerate(history) if row.role == "user"]
    return list(history[: places[-1]]) if places else []
