"""A teacher inside the process that answers in any order, and counts what it is asked."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from contracts.sample import Provenance
from datagen.asking import RefusedError, TeacherReply
from datagen.provenance import prompt_digest
from datagen.usage import Usage

Answer = Callable[[dict[str, Any]], str]


class AskedTeacher:
    """Answers requests; the same request has the same answer.

    Args:
        answer: returns the reply to a request's body; an empty one is a refusal.
        order: seed of how long each answer takes, in turns of the event loop.
        most: calls at once.
    """

    model = "asked"
    is_down = False
    budget_left = None

    def __init__(self, answer: Answer, order: int = 0, most: int = 1) -> None:
        self.answer = answer
        self.chance = random.Random(order)
        self.most = most
        self.calls: Counter[str] = Counter()

    def cost(self, _: Usage) -> None:
        """Return that nothing is known of costs."""

    async def ask(
        self, messages: list[dict[str, str]], *, temperature: float, seed: int, **_: Any
    ) -> TeacherReply:
        """Return the reply, after a while."""
        body = {"messages": messages, "temperature": temperature, "seed": seed}
        digest = prompt_digest(body)
        self.calls[f"{digest}/{seed}"] += 1
        for _turn in range(self.chance.randint(0, 9)):
            await asyncio.sleep(0)
        if not (text := self.answer(body)):
            raise RefusedError("it will not")
        origin = Provenance(
            prompt_sha256=digest, seed=seed, request_id=self.chance.randbytes(4).hex()
        )
        return TeacherReply(text, teacher=self.model, provenance=origin)

    async def close(self) -> None:
        """Do nothing."""
