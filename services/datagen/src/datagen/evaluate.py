"""Ask the contestants the held-out questions and judge each reply; every reply is journalled.

A killed evaluation goes on where its journal ends: no question is asked twice, but for those in
flight when it died.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from contracts.durable import Journal, read_journal
from contracts.evaluation import Reply
from contracts.sample import Message, Turn
from datagen.chat import Answer, ChatClient, Sampling
from datagen.classifier import StyleClassifier
from datagen.defects import find_defects
from datagen.heldout import HeldOut, without_prefix
from datagen.style_prompts import StylePrompt, ask_prompted
from kit.errors import TonesmithError

# Contestant, style, number, turn, form of the style prompt.
Key = tuple[str, str, int, int, str]


class StoppedError(Exception):
    """Somebody asked the evaluation to stop; what is journalled stays."""


@dataclass(frozen=True)
class Asked:
    """One question to one contestant.

    Attributes:
        contestant: who is asked.
        model: the name under which serving has it.
        heldout: the question, with the messages that a contestant without a style prompt gets.
        turn: of the conversation, from 1.
        history: the contestant's own turns before; `heldout.messages` holds them already.
        prompt: the style prompt that takes the place of the dataset's system prompt.
    """

    contestant: str
    model: str
    heldout: HeldOut
    turn: int = 1
    history: tuple[Turn, ...] = ()
    prompt: StylePrompt | None = None

    @property
    def form(self) -> str:
        """The form of its style prompt, empty where it has none."""
        return self.prompt.form if self.prompt else ""

    @property
    def key(self) -> Key:
        """What tells this reply from all others of the evaluation."""
        return self.contestant, self.heldout.style, self.heldout.number, self.turn, self.form

    @property
    def earlier(self) -> list[Message]:
        """The turns before the question, without a system prompt."""
        return [one for one in self.heldout.messages[:-1] if one.role != "system"]

    async def answer(self, client: ChatClient, sampling: Sampling) -> tuple[Answer, int]:
        """Return the contestant's answer, and how many examples its style prompt showed."""
        if self.prompt is None:
            return await client.ask(self.model, self.heldout.messages, sampling), 0
        question = self.heldout.question
        return await ask_prompted(client, self.model, self.prompt, self.earlier, question, sampling)


@dataclass(frozen=True)
class Judge:
    """Turns an answer into a judged reply.

    Args:
        classifier: names the style of a reply.
        prefixes: style names that the model was taught to put on a first line of its own; they
            are cut off before judging, since naming a style is no proof of speaking in it.
    """

    classifier: StyleClassifier
    prefixes: frozenset[str] = frozenset()

    def reply(self, asked: Asked, answer: Answer, examples: int = 0) -> Reply:
        """Return the judged reply; `examples` were in its style prompt."""
        heldout = asked.heldout
        text = without_prefix(answer.text, self.prefixes)
        judged = self.classifier.judge([text])[0]
        situation = heldout.situation
        return Reply(
            contestant=asked.contestant,
            model=asked.model,
            style=heldout.style,
            number=heldout.number,
            situation=situation.id if situation else None,
            question=heldout.question,
            reply=text,
            predicted_style=judged.style if text.strip() else "",
            nearest_style=judged.nearest if text.strip() else "",
            strength=judged.probabilities.get(heldout.style, 0.0) if text.strip() else 0.0,
            on_topic=situation.is_answered_by(text) if situation else None,
            defects=find_defects(text, heldout.question, heldout.language),
            finish_reason=answer.finish_reason,
            turn=asked.turn,
            history=list(asked.history),
            prompt=asked.form,
            examples=examples,
        )


class Judging(Protocol):
    """Whatever turns an answer into a judged reply."""

    def reply(self, asked: Asked, answer: Answer, examples: int = 0) -> Reply:
        """Return the judged reply; `examples` were in its style prompt."""
        ...


class Round:
    """All questions to all contestants, `concurrency` at a time.

    Args:
        client: reaches the models.
        judge: judges each answer as it comes in.
        journal: file of the judged replies.
        on_reply: called with the number of replies so far, after each is on the disk; it may
            raise StoppedError.
    """

    def __init__(
        self,
        client: ChatClient,
        judge: Judging,
        journal: Path,
        *,
        sampling: Sampling,
        concurrency: int,
        on_reply: Callable[[int], None],
    ) -> None:
        self.client = client
        self.judge = judge
        self.path = journal
        self.sampling = sampling
        self.concurrency = concurrency
        self.on_reply = on_reply
        self.answered = 0

    async def run(self, asked: Sequence[Asked]) -> list[Reply]:
        """Return the replies to `asked`, in that order; those in the journal are not asked again.

        Raises:
            TonesmithError: a model does not answer; the replies so far stay in the journal.
            StoppedError: `on_reply` raised it.
        """
        with Journal(self.path) as journal:
            found = {key_of(reply): reply for reply in journalled(self.path)}
            waiting = deque(one for one in asked if one.key not in found)
            self.answered = len(asked) - len(waiting)
            self.on_reply(self.answered)
            try:
                async with asyncio.TaskGroup() as tasks:
                    for _ in range(min(self.concurrency, len(waiting))):
                        tasks.create_task(self._work(waiting, journal, found))
            except* (TonesmithError, StoppedError) as group:
                failure: BaseException = first_leaf(group)
            else:
                return [found[one.key] for one in asked]
        raise failure

    async def _work(self, waiting: deque[Asked], journal: Journal, found: dict[Key, Reply]) -> None:
        while waiting:
            asked = waiting.popleft()
            answer, examples = await asked.answer(self.client, self.sampling)
            reply = self.judge.reply(asked, answer, examples)
            journal.append([reply.model_dump_json()])
            found[asked.key] = reply
            self.answered += 1
            self.on_reply(self.answered)


def pairs(heldout: Iterable[HeldOut], models: dict[str, str]) -> list[Asked]:
    """Return every question to every contestant, so that rivals are asked next to each other."""
    return [Asked(name, model, one) for one in heldout for name, model in models.items()]


def journalled(path: Path) -> list[Reply]:
    """Return the replies in the journal at `path`."""
    return [Reply.model_validate_json(line) for line in read_journal(path)]


def key_of(reply: Reply) -> Key:
    """Return what tells `reply` from all others."""
    return reply.contestant, reply.style, reply.number, reply.turn, reply.prompt


def first_leaf(error: BaseException) -> BaseException:
    """Return the first single exception in a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
