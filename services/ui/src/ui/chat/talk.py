"""One turn of talk: a question to one or more models, each asked as it was trained to be."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any

from contracts.sample import Message
from ui.access.rates import Buckets
from ui.access.visitors import current_session, current_user
from ui.catalog import Catalog, CatalogSource, label_of
from ui.chat.answers import Draft, stream_replies
from ui.chat.prompt import chat_messages, visible_reply
from ui.drain import Drain
from ui.errors import ProblemError
from ui.kept.conversations import Setup
from ui.upstream.backend import Backend
from ui.upstream.serving_calls import ChatRequest

# Characters of one question; the served context is a few thousand tokens.
QUESTION_LIMIT = 4000
# Exchanges that go along with a question: small models lose the thread long before.
HISTORY_LIMIT = 20
TEMPERATURE_LIMIT = 2.0


@dataclass(frozen=True)
class Question:
    """What somebody asks, of which models, in which style; `system` replaces the style's own."""

    text: str
    histories: tuple[tuple[Message, ...], ...]
    style: str | None
    models: tuple[str | None, ...]
    temperature: float
    max_tokens: int
    top_p: float | None = None
    seed: int | None = None
    system: str = ""


def question_of(
    setup: Setup, text: str, models: Sequence[str | None], histories: Sequence[Sequence[Message]]
) -> Question:
    """Return a question that is asked as a conversation says; None: the promoted model."""
    return Question(
        text=text,
        histories=tuple(tuple(history) for history in histories),
        style=setup.style or None,
        models=tuple(models),
        temperature=0.0 if setup.temperature is None else setup.temperature,
        max_tokens=setup.max_tokens or 1,
        top_p=setup.top_p,
        seed=setup.seed,
        system=setup.system,
    )


@dataclass(frozen=True)
class Reply:
    """A reply as far as it may be shown; `silent` while serving answers nothing at all."""

    text: str
    problem: ProblemError | None
    finished: bool
    silent: bool = False


class Talk:
    """Asks models.

    Args:
        backend: the services.
        source: what there is to ask.
        max_tokens: the longest reply that may be asked for.
        drain: says when replies have to end.
        rates: how often each person may ask; None: as often as they like.
    """

    def __init__(
        self,
        backend: Backend,
        source: CatalogSource,
        max_tokens: int,
        drain: Drain,
        rates: Buckets | None = None,
    ) -> None:
        self.backend = backend
        self.source = source
        self.max_tokens = max_tokens
        self.drain = drain
        self.rates = rates

    @contextmanager
    def turn(self, models: Sequence[str | None]) -> Iterator[None]:
        """Count a turn while it lasts; `models` are those it asks.

        Raises ProblemError once the service drains, and where somebody asks too often.
        """
        if self.drain.draining:
            self.count_refusal(models, ProblemError("ui", "leaving"))
        elif self.rates and (wait := self.rates.take(current_user())):
            problem = ProblemError("ui", "rate", seconds=ceil(wait))
            self.count_refusal(models, problem)
            raise problem
        with self.drain.turn():
            yield

    def count_refusal(self, models: Sequence[str | None], problem: ProblemError) -> None:
        """Count replies that were asked for and never begun."""
        for name in models:
            self.backend.metrics.requests.labels(label_of(name), problem.outcome).inc()

    async def stream(self, question: Question) -> AsyncGenerator[list[Reply], None]:
        """Yield the replies of all asked models as they grow.

        Raises:
            ProblemError: there is no model, the question is too long, or the service ends.
        """
        if len(question.text) > QUESTION_LIMIT:
            raise ProblemError("serving", "too_long", limit=QUESTION_LIMIT)
        catalog = await self.source.known()
        try:
            requests = [
                self.request(catalog, question, model, history)
                for model, history in zip(question.models, question.histories, strict=True)
            ]
        except ProblemError as problem:
            self.count_refusal(question.models, problem)
            raise
        async with aclosing(stream_replies(self.backend, requests)) as states:
            async for drafts in states:
                self.drain.check()
                yield [shown(catalog, draft) for draft in drafts]

    def request(
        self, catalog: Catalog, question: Question, name: str | None, history: Sequence[Message]
    ) -> ChatRequest:
        """Return what one model is sent. Raises ProblemError."""
        model = catalog.model(name)
        if model is None:
            raise ProblemError("serving", "no_model" if catalog.state == "ready" else "connect")
        style = catalog.style_for(model.name, question.style)
        recent = history[-2 * HISTORY_LIMIT :]
        conditioning = catalog.conditioning_for(model.name)
        own = question.system.strip()
        messages = chat_messages(style, conditioning, recent, question.text, own)
        return ChatRequest(
            model=model.name,
            messages=tuple(messages),
            temperature=min(max(question.temperature, 0.0), TEMPERATURE_LIMIT),
            max_tokens=min(max(question.max_tokens, 1), self.max_tokens),
            top_p=question.top_p,
            seed=question.seed,
            kind=model.label,
            session=current_session(),
        )


def shown(catalog: Catalog, draft: Draft) -> Reply:
    """Return a draft as the page shows it; a reply that ends empty is a problem."""
    name = draft.request.model
    text = visible_reply(draft.text, catalog.conditioning_for(name), catalog.styles_for(name))
    problem = draft.problem
    if draft.finished and not problem and not text.strip():
        problem = ProblemError("serving", "empty")
    return Reply(text, problem, draft.finished, draft.silent)


def history_of(value: Any) -> list[Message]:
    """Return a chat component's value as messages: text only, in order, nothing empty.

    Takes Gradio's data model as well as its JSON, whose contents are lists of parts.
    """
    rows = value.model_dump() if hasattr(value, "model_dump") else value
    messages = []
    for row in rows or []:
        if not isinstance(row, dict):
            continue
        content = row.get("content")
        parts = content if isinstance(content, list) else [content]
        text = "".join(
            part if isinstance(part, str) else str(part.get("text") or "")
            for part in parts
            if isinstance(part, str | dict)
        )
        if row.get("role") in ("user", "assistant") and text.strip():
            messages.append(Message(role=row["role"], content=text))
    return messages
