"""The named endpoint `/chat` for programs (`gradio_client`); the page's own events have no name."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.chat.talk import Question, Talk, history_of
from ui.errors import ProblemError
from ui.notices import problem_sentences
from ui.texts import as_language, texts_in

# Where the model stands among the inputs of `/chat`.
MODEL_PLACE = 2
ChatEndpoint = Callable[..., AsyncGenerator[str, None]]


def chat_endpoint(talk: Talk) -> ChatEndpoint:
    """Return the function behind `/chat`."""

    async def chat(
        message: str,
        style: str = "",
        model: str = "",
        temperature: float = 0.4,
        max_tokens: int = 160,
        history: list[dict[str, Any]] | None = None,
        language: str = "en",
    ) -> AsyncGenerator[str, None]:
        """Stream the reply of a model in a style; each piece is the whole reply so far.

        Args:
            message: the question.
            style: id of a style that the model was taught; empty: its first.
            model: a served name such as `base` or `tonesmith`; empty: the promoted one.
            temperature: 0 to 2.
            max_tokens: longest reply.
            history: earlier messages, `{"role": "user" | "assistant", "content": "..."}`.
            language: of error messages, `zh` or `en`.
        """
        question = Question(
            text=message,
            histories=(tuple(history_of(history)),),
            style=style or None,
            models=(model or None,),
            temperature=temperature,
            max_tokens=max_tokens,
        )
        async with aclosing(reply_pieces(talk, question, language)) as pieces:
            async for piece in pieces:
                yield piece

    return chat


async def reply_pieces(talk: Talk, question: Question, language: str) -> AsyncGenerator[str, None]:
    """Yield the reply as it grows. Raises gr.Error, in `language`, where there is none."""
    try:
        with talk.turn(question.models):
            check_names(await talk.source.known(), question)
            async with aclosing(talk.stream(question)) as states:
                async for (reply,) in states:
                    if reply.problem:
                        raise reply.problem
                    if reply.text:
                        yield reply.text
    except ProblemError as problem:
        texts = texts_in(as_language(language) or "en")
        sentences = problem_sentences(texts, await talk.source.explained(), problem)
        raise gr.Error(" ".join(sentences), print_exception=False) from problem


def check_names(catalog: Catalog, question: Question) -> None:
    """Raise ProblemError if a program asks for what is not there, or asks nothing.

    The page falls back on what there is: a choice may be older than the last promotion.
    """
    if not question.text.strip():
        raise ProblemError("serving", "no_question")
    (name,) = question.models
    models = [model.name for model in catalog.models]
    if models and name and name not in models:
        raise ProblemError("serving", "unknown_model", name=name, known=", ".join(models))
    styles = [style.id for style in catalog.styles_for(name)]
    if styles and question.style and question.style not in styles:
        known = ", ".join(styles)
        raise ProblemError("serving", "unknown_style", name=question.style, known=known)
