"""Several teachers as one: each question goes to one of them by weight, the same at every start."""

import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from datagen.asking import AwayError, RefusedError, Teacher, TeacherReply
from datagen.config import Settings
from datagen.errors import TeacherDownError
from datagen.metrics import Metrics
from datagen.roster import open_ledger, specs_of
from datagen.teacher import make_teacher, open_teacher
from datagen.usage import Usage

# How often a question that finds all of them away looks again.
LOOK_SECONDS = 1.0


class Asked(Protocol):
    """What a generation asks: one teacher or several."""

    @property
    def model(self) -> str:
        """What the manifest calls it."""

    @property
    def most(self) -> int:
        """Calls at once, at most."""

    @property
    def is_down(self) -> bool:
        """Whether nobody answers at present."""

    @property
    def budget_left(self) -> float | None:
        """Dollars that may still be spent; None: no budget."""

    def cost(self, usage: Usage) -> float | None:
        """Return the dollars of a call that takes `usage`; None: no prices are known."""

    async def ask(
        self, messages: list[dict[str, str]], *, temperature: float, seed: int
    ) -> TeacherReply:
        """Return a reply; raises what `Teacher.ask` raises."""

    async def close(self) -> None:
        """Close the connections, and write down what was spent."""


class Teachers:
    """Asks one of several teachers, drawn by weight from the request's seed.

    While one is away the others do its share, and what one refuses the next one is asked. A call
    that finds a probe due goes to the one that is away, and on to the others if that fails, so that
    its return is noticed.

    Args:
        members: teachers with their weights.
    """

    def __init__(self, members: Sequence[tuple[Teacher, float]]) -> None:
        self.members = [teacher for teacher, _ in members]
        self.weights = {teacher.model: weight for teacher, weight in members}

    @property
    def model(self) -> str:
        """The ids of all of them."""
        return ", ".join(teacher.model for teacher in self.members)

    @property
    def most(self) -> int:
        """Calls at once, at most."""
        return sum(teacher.most for teacher in self.members)

    @property
    def is_down(self) -> bool:
        """Whether nobody answers at present."""
        return all(teacher.is_down for teacher in self.members)

    @property
    def budget_left(self) -> float | None:
        """Dollars that may still be spent; None: no budget."""
        return self.members[0].budget_left

    def cost(self, usage: Usage) -> float | None:
        """Return the mean dollars of a call, by weight; None where a price is not known."""
        costs = [(teacher.cost(usage), self.weights[teacher.model]) for teacher in self.members]
        known = [cost * weight for cost, weight in costs if cost is not None]
        whole = sum(weight for _, weight in costs)
        return sum(known) / whole if len(known) == len(costs) else None

    def order(self, seed: int) -> list[Teacher]:
        """Return the teachers in the order in which this request tries them.

        The key u^(1/w) with one u for each teacher makes the first of a descending sort a draw by
        weight, and the rest draws among those that are left (Efraimidis and Spirakis, 2006).
        """
        chance = random.Random(seed)
        keys = {name: chance.random() ** (1 / weight) for name, weight in self.weights.items()}
        return sorted(self.members, key=lambda teacher: keys[teacher.model], reverse=True)

    async def ask(
        self, messages: list[dict[str, str]], *, temperature: float, seed: int
    ) -> TeacherReply:
        """Return the reply of one of them.

        Raises:
            RefusedError: nobody has a usable answer to this request.
            TeacherDownError: nobody answered within the patience.
            TeacherSetupError: key, model or address of one are wrong.
            BudgetSpentError: they have cost what they may cost.
        """
        order, asked_at = self.order(seed), self.members[0].clock()
        while True:
            if reply := await self._round(order, messages, temperature, seed):
                return reply
            # All are away: whoever comes back first answers.
            reasons = [teacher.given_up(asked_at) for teacher in order]
            if reasons[0] and all(reasons):
                raise reasons[0]
            await self.members[0].sleep(LOOK_SECONDS)

    async def _round(
        self,
        order: Sequence[Teacher],
        messages: list[dict[str, str]],
        temperature: float,
        seed: int,
    ) -> TeacherReply | None:
        """Return the reply of the first that has one, None where nobody is there to ask."""
        refused = None
        for teacher in order:
            if teacher.is_down and not teacher.breaker.probe_due:
                continue
            try:
                return await teacher.ask(messages, temperature=temperature, seed=seed, wait=False)
            except (AwayError, TeacherDownError):
                continue
            except RefusedError as error:  # what one will not answer another may
                refused = error
        if refused:
            raise refused
        return None

    async def close(self) -> None:
        """Close the connections, and write down what was spent."""
        for teacher in self.members:
            await teacher.close()


def open_teachers(settings: Settings, metrics: Metrics, embedded: Callable[..., Any]) -> Asked:
    """Return the teachers that the operator named, or the embedded app reached in process.

    Args:
        settings: `teacher_*` or `teachers_file`.
        metrics: counts requests.
        embedded: the scripted teacher's ASGI app.
    """
    if settings.teachers_file is None:
        return open_teacher(settings, metrics, embedded)
    specs = specs_of(settings)
    ledger = metrics.shown(open_ledger(settings, specs))
    patience = settings.teacher_patience_seconds
    return Teachers(
        [(make_teacher(spec, metrics, ledger, embedded, patience), spec.weight) for spec in specs]
    )
