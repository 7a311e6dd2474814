"""How a teacher is asked: bounded, paced, paid, with back-off, a breaker, Retry-After, patience."""

import asyncio
import random
import secrets
import time
from dataclasses import dataclass
from typing import Any

from contracts.sample import Provenance
from datagen.breaker import AdaptiveLimit, Breaker, Clock, Sleep, backoff
from datagen.budget import Ledger, Reservation
from datagen.endpoint import Endpoint
from datagen.errors import TeacherDownError, TeacherSetupError
from datagen.metrics import Metrics
from datagen.pacing import Pace
from datagen.prices import Prices, most_tokens
from datagen.provenance import provenance_of
from datagen.text import strip_thinking
from datagen.turns import Turnstile
from datagen.usage import Usage, read_usage

MAX_TOKENS = 512
AWAY_SECONDS = 5.0  # who asks to be left alone for longer is away, where another can be asked


@dataclass(frozen=True)
class TeacherReply:
    """What a teacher said; `cut` where it ran into the token limit."""

    text: str
    cut: bool = False
    usage: Usage = Usage()
    teacher: str = ""
    provenance: Provenance | None = None


class RefusedError(Exception):
    """The teacher will not answer this very request; another one may pass."""


class AwayError(Exception):
    """The teacher is to be left alone for a while, and the caller does not want to wait."""


class CallFailedError(Exception):
    """A call that may succeed later.

    Args:
        reason: of a closed set: throttled, server, timeout, connection, malformed.
        retry_after: seconds that the teacher asks to wait.
        unpaid: whether it is certain that the call costs nothing.
    """

    def __init__(
        self, reason: str, retry_after: float | None = None, *, unpaid: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.unpaid = unpaid


def read_answer(answer: dict[str, Any]) -> TeacherReply:
    """Return the reply in an answer's JSON. Raises CallFailedError where there is none."""
    try:
        choice = answer["choices"][0]
        text = choice["message"]["content"] or ""
        finish = choice.get("finish_reason")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise CallFailedError("malformed") from error
    if not isinstance(text, str):
        raise CallFailedError("malformed")
    usage = read_usage(answer.get("usage"))
    return TeacherReply(strip_thinking(text).strip(), cut=finish == "length", usage=usage)


class Teacher:
    """Asks one endpoint with patience.

    Args:
        endpoint: where requests go.
        metrics: counts them.
        id: kept with every row; the model's name by default.
        ledger: sums up what calls cost.
        prices: of this teacher; None: nothing is known.
        pace: its limits a minute.
        concurrency: calls at once, at most.
        least: calls at once that 429 never takes away.
        patience_seconds: how long no call may succeed before `ask` gives up.
        tries: failures of one request, with the breaker closed, before it counts as refused.
        clock, sleep, chance: the outside world.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        metrics: Metrics,
        *,
        id: str = "",
        ledger: Ledger | None = None,
        prices: Prices | None = None,
        pace: Pace | None = None,
        concurrency: int = 16,
        least: int = 1,
        patience_seconds: float = 900,
        tries: int = 6,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.metrics = metrics
        self.model = id or endpoint.model
        self.ledger = ledger or Ledger()
        self.prices = prices
        self.pace = pace or Pace()
        self.patience_seconds = patience_seconds
        self.tries = tries
        self.clock, self.sleep = clock, sleep
        self.chance = chance or random.Random()
        self.breaker = Breaker(clock=clock, sleep=sleep)
        self.limit = AdaptiveLimit(concurrency, min(least, concurrency), clock=clock)
        self.turnstile = Turnstile()
        self._failing_since: float | None = None
        self._not_before = 0.0

    @property
    def most(self) -> int:
        """Calls at once, at most."""
        return self.limit.most

    @property
    def is_down(self) -> bool:
        """Whether the teacher does not answer at present."""
        return self.breaker.is_open

    @property
    def budget_left(self) -> float | None:
        """Dollars that may still be spent; None: no budget."""
        return self.ledger.left

    def cost(self, usage: Usage) -> float | None:
        """Return the dollars of a call that takes `usage`; None: no prices are known."""
        return self.prices.cost(usage) if self.prices else None

    async def ask(
        self, messages: list[dict[str, str]], *, temperature: float, seed: int, wait: bool = True
    ) -> TeacherReply:
        """Return the teacher's reply.

        Raises:
            RefusedError: this request gets no usable answer.
            AwayError: it is to be left alone for a while, and `wait` is false.
            TeacherDownError: no call succeeded within the patience.
            TeacherSetupError: key, model or address are wrong.
            BudgetSpentError: the teachers have cost what they may cost.
            OSError: the disk refuses to note what a call costs.
        """
        body = {
            "model": self.endpoint.model,
            "messages": messages,
            "temperature": temperature,
            "max_tokens": MAX_TOKENS,
            "seed": seed,
        }
        tries, asked_at = 0, self.clock()
        while True:
            try:
                reply = await self._call(body, asked_at, wait)
                await self.turnstile.passed()
                return reply
            except CallFailedError as failure:
                tries += failure.reason != "throttled" and not self.breaker.is_open
                if tries >= self.tries:
                    raise RefusedError(f"{failure.reason}, {tries} tries") from failure
                self.metrics.retries.labels(self.model, failure.reason).inc()
                await self.sleep((failure.retry_after or 0.0) + backoff(max(tries, 1), self.chance))

    async def close(self) -> None:
        """Close the connections, and write down what was spent."""
        await self.ledger.close()
        await self.endpoint.close()

    async def _call(self, body: dict[str, Any], asked_at: float, wait: bool) -> TeacherReply:
        """Make one call when limit, pace, breaker, Retry-After and budget allow it."""
        self.ledger.check()
        self._check(asked_at, wait)
        most = most_tokens(body["messages"], body["max_tokens"])
        async with self.limit.slot():
            estimate = await self.pace.admit((most.input or 0) + (most.output or 0))
            usage: Usage | None = None
            probe = await self.breaker.admit(lambda: self._check(asked_at, wait))
            started = self.clock()
            try:
                if not probe:
                    self._check(asked_at, wait)
                await self._wait_for_quiet()
                paid_from = await self.ledger.reserve(self.model, self.prices, most)
                started = self.clock()
                reply = await self._measured(body, paid_from)
                usage = reply.usage
            except CallFailedError as failure:
                usage = None if failure.unpaid else Usage()
                self._record_failure(failure, started, probe)
                self._check(asked_at, wait)
                raise
            except (RefusedError, TeacherSetupError):
                self.breaker.succeeded()  # it answers; what it says is another matter
                raise
            except BaseException:
                if probe:
                    self.breaker.released()
                raise
            finally:
                self.pace.settle(estimate, usage)
        self.breaker.succeeded()
        self.limit.grow()
        self._failing_since = None
        self.metrics.show_breaker(self.model, False)
        return reply

    async def _measured(self, body: dict[str, Any], paid_from: Reservation) -> TeacherReply:
        status = "cancelled"
        request_id = secrets.token_hex(16)
        with self.metrics.inflight.labels(self.model).track_inprogress():
            started = self.clock()
            try:
                answer = await self.endpoint.send(body, request_id)
                if (usage := read_usage(answer.document.get("usage"))) == Usage():
                    read_answer(answer.document)  # an error in its place has no usage to report
                self._count_tokens(usage, paid_from)
                reply = read_answer(answer.document)
                status = "ok"
            except CallFailedError as failure:
                status = failure.reason
                if failure.unpaid:
                    paid_from.release()
                raise
            except (RefusedError, TeacherSetupError):
                status = "refused"
                paid_from.release()
                raise
            finally:
                paid_from.doubt()  # whatever has not ended it yet
                self.metrics.teacher_requests.labels(self.model, status).inc()
                self.metrics.teacher_seconds.labels(self.model).observe(self.clock() - started)
        origin = provenance_of(body, answer.document, request_id, answer.request_id)
        return TeacherReply(reply.text, reply.cut, reply.usage, self.model, origin)

    def _count_tokens(self, usage: Usage, paid_from: Reservation) -> None:
        for direction, count in usage.directions():
            self.metrics.tokens.labels(self.model, direction).inc(count)
        paid_from.settle(usage)

    def _record_failure(self, failure: CallFailedError, started: float, probe: bool) -> None:
        self._failing_since = self._failing_since or self.clock()
        self._not_before = max(self._not_before, self.clock() + (failure.retry_after or 0.0))
        if failure.reason == "throttled":
            if probe:
                self.breaker.released()
            self.limit.halve(started)
        else:
            self.breaker.failed(probe)
        self.metrics.show_breaker(self.model, self.breaker.is_open)

    @property
    def _quiet_for(self) -> float:
        """Seconds until the Retry-After that any call has received is over."""
        return self._not_before - self.clock()

    async def _wait_for_quiet(self) -> None:
        """Wait until that Retry-After is over; not all at once."""
        while (left := self._quiet_for) > 0:
            await self.sleep(left + self.chance.uniform(0, min(left, 1.0)))

    def given_up(self, asked_at: float) -> TeacherDownError | None:
        """Return why a question of that moment waits no longer, or None.

        A failure of long before is no reason to give up: a job that is resumed waits anew.
        """
        since = self._failing_since
        if (left := self._quiet_for) > self.patience_seconds:
            reason = f"it asks to wait {left:.0f} s"
        elif since is not None and self.clock() - max(since, asked_at) > self.patience_seconds:
            reason = f"no call succeeded for {self.patience_seconds:.0f} s"
        else:
            return None
        return TeacherDownError(
            f"the teacher does not answer: {reason}",
            hint="nothing is lost: check the endpoint, then resume the job",
        )

    def _check(self, asked_at: float, wait: bool) -> None:
        """Raise where a question is not to wait, least of all while it holds a place."""
        if error := self.given_up(asked_at):
            raise error
        away = self.breaker.is_open and not self.breaker.probe_due
        if not wait and (away or self._quiet_for > AWAY_SECONDS):
            raise AwayError
