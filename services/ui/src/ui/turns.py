"""What happens when somebody asks, asks again, stops or clears: what each column shows next.

Every event returns, in this order: the columns, the explanation of a problem, the problem, the
examples, the box, and the buttons that send and stop.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import gradio as gr

from contracts.sample import Message
from ui.catalog import Catalog
from ui.errors import ProblemError
from ui.notices import problem_html
from ui.talk import Question, Reply, Talk, history_of
from ui.texts import DEFAULT, as_language, texts_in

Rows = list[dict[str, str]]
# What follows the columns.
OTHERS = 6


class Turns:
    """The events of a conversation.

    Args:
        talk: asks the models.
        columns: how many models are asked at once.
    """

    def __init__(self, talk: Talk, columns: int) -> None:
        self.talk = talk
        self.columns = columns

    @property
    def asked(self) -> int:
        """How many inputs an event has: columns, style, models, sampling (2), language."""
        return 2 * self.columns + 4

    def models_in(self, values: Sequence[Any]) -> list[str | None]:
        """Return the names of the models among the inputs of an event; None: the promoted one."""
        first = self.columns + 1
        return [name or None for name in values[first : first + self.columns]]

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
        try:
            with self.talk.turn(self.models_in(values)):
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
        style, *_, temperature, max_tokens, language = values[self.columns :]
        question = Question(
            text=text,
            histories=tuple(tuple(history) for history in histories),
            style=style,
            models=tuple(self.models_in(values)),
            temperature=float(temperature),
            max_tokens=int(max_tokens),
        )
        said = [[*rows_of(history), {"role": "user", "content": text}] for history in histories]
        yield [*said, "", None, hidden(), "", hidden(), visible()]
        replies: list[Reply] = []
        problem, silent = None, False
        try:
            async with aclosing(self.talk.stream(question)) as states:
                async for replies in states:
                    told, silent = silent, any(reply.silent for reply in replies)
                    explanation = gr.skip() if told is silent else silence(silent, language)
                    others = [gr.skip()] * (OTHERS - 1)
                    yield [*with_replies(said, replies), explanation, *others]
        except ProblemError as error:
            problem = error
        problem = problem or next((reply.problem for reply in replies if reply.problem), None)
        yield await self.ended(problem, language)

    async def ended(self, problem: ProblemError | None, language: Any) -> list[Any]:
        """Return the end of a turn: what went wrong, if anything, and the buttons at rest."""
        texts = texts_in(as_language(language) or DEFAULT)
        catalog = await self.talk.source.explained() if problem else Catalog()
        explanation = problem_html(texts, catalog, problem)
        return [
            *[gr.skip()] * self.columns,
            explanation,
            problem,
            *[gr.skip()] * 2,
            visible(),
            hidden(),
        ]

    def unchanged(self) -> list[Any]:
        """Return no change at all."""
        return [gr.skip()] * (self.columns + OTHERS)

    def stopped(self) -> list[Any]:
        """Return the buttons at rest; what was said stays."""
        unchanged = [gr.skip()] * self.columns
        return [*unchanged, "", None, gr.skip(), gr.skip(), visible(), hidden()]

    def cleared(self) -> list[Any]:
        """Return the empty conversation."""
        return [*([] for _ in range(self.columns)), "", None, visible(), "", visible(), hidden()]


def silence(silent: bool, language: Any) -> str:
    """Return the note that serving says nothing, while it does."""
    texts = texts_in(as_language(language) or DEFAULT)
    problem = ProblemError("serving", "silent") if silent else None
    return problem_html(texts, Catalog(), problem)


def visible() -> Any:
    """Return the update that shows a component."""
    return gr.update(visible=True)


def hidden() -> Any:
    """Return the update that hides a component."""
    return gr.update(visible=False)


def rows_of(messages: Sequence[Message]) -> Rows:
    """Return messages as the chat component takes them."""
    return [{"role": message.role, "content": message.content} for message in messages]


def with_replies(said: Sequence[Rows], replies: Sequence[Reply]) -> list[Rows]:
    """Return each column with its reply so far."""
    return [
        [*rows, {"role": "assistant", "content": reply.text}] if reply.text else rows
        for rows, reply in zip(said, replies, strict=True)
    ]


def last_question(history: Sequence[Message]) -> str | None:
    """Return what was asked last, or None."""
    return next((row.content for row in reversed(history) if row.role == "user"), None)


def before_last_question(history: Sequence[Message]) -> list[Message]:
    """Return what was said before the last question."""
    places = [index for index, row in enumerate(history) if row.role == "user"]
    return list(history[: places[-1]]) if places else []
