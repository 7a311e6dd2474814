"""How the teacher is asked: bounded, with back-off, a breaker, Retry-After, and patience."""

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Any, Protocol

from datagen.breaker import AdaptiveLimit, Breaker, Clock, Sleep, backoff
from datagen.budget import Ledger
from datagen.errors import TeacherDownError, TeacherSetupError
from datagen.metrics import Metrics
from datagen.text import strip_thinking
from datagen.usage import Usage, read_usage

MAX_TOKENS = 512


@dataclass(frozen=True)
class TeacherReply:
    """What the teacher said; `cut` where it ran into the token limit."""

    text: str
    cut: bool = False
    usage: Usage = Usage()


class RefusedError(Exception):
    """The teacher will not answer this very request; another one may pass."""


class CallFailedError(Exception):
    """A call that may succeed later.

    Args:
        reason: of a closed set: throttled, server, timeout, connection, malformed.
        retry_after: seconds that the teacher asks to wait.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class Endpoint(Protocol):
    """One chat endpoint; `teacher.py` has the real one."""

    model: str

    async def send(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer's JSON. Raises CallFailedError, RefusedError, TeacherSetupError."""

    async def close(self) -> None:
        """Close the connections."""


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
    """Asks the endpoint with patience.

    Args:
        endpoint: where requests go.
        metrics: counts them.
        ledger: sums up what they cost.
        concurrency: calls at once, at most.
        patience_seconds: how long no call may succeed before `ask` gives up.
        tries: failures of one request, with the breaker closed, before it counts as refused.
        clock, sleep, chance: the outside world.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        metrics: Metrics,
        *,
        ledger: Ledger | None = None,
        concurrency: int = 16,
        patience_seconds: float = 900,
        tries: int = 6,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.metrics = metrics
        self.ledger = ledger or Ledger()
        self.patience_seconds = patience_seconds
        self.tries = tries
        self.clock, self.sleep = clock, sleep
        self.chance = chance or random.Random()
        self.breaker = Breaker(clock=clock, sleep=sleep)
        self.limit = AdaptiveLimit(concurrency, clock=clock)
        self._failing_since: float | None = None
        self._not_before = 0.0

    @property
    def model(self) -> str:
        """The model's name, kept with every row."""
        return self.endpoint.model

    async def ask(
        self, messages: list[dict[str, str]], *, temperature: float, seed: int
    ) -> TeacherReply:
        """Return the teacher's reply.

        Raises:
            RefusedError: this request gets no usable answer.
            TeacherDownError: no call succeeded within the patience.
            TeacherSetupError: key, model or address are wrong.
            BudgetSpentError: the teacher has cost what it may cost.
        """
        body = {
            "model": self.model,
            "messages": messages,
            "temperature": temperature,
            "max_tokens": MAX_TOKENS,
            "seed": seed,
        }
        tries = 0
        while True:
            try:
                return await self._call(body)
            except CallFailedError as failure:
                counted = failure.reason != "throttled" and not self.breaker.is_open
                tries += counted
                if tries >= self.tries:
                    raise RefusedError(f"{failure.reason}, {tries} tries") from failure
                self.metrics.retries.labels(self.model, failure.reason).inc()
                await self._pause(max(tries, 1), failure.retry_after)

    async def close(self) -> None:
        """Close the connections, and write down what was spent."""
        await asyncio.to_thread(self.ledger.save)
        await self.endpoint.close()

    async def _call(self, body: dict[str, Any]) -> TeacherReply:
        """Make one call when breaker, limit and Retry-After allow it, and record its outcome."""
        self.ledger.check()
        await self.breaker.admit(self._check_patience)
        try:
            async with self.limit.slot():
                await self._wait_for_quiet()
                reply = await self._measured(body)
        except CallFailedError as failure:
            self._record_failure(failure)
            raise
        except (RefusedError, TeacherSetupError):
            self.breaker.succeeded()  # it answers; what it says is another matter
            raise
        except asyncio.CancelledError:
            self.breaker.released()
            raise
        self.breaker.succeeded()
        self.limit.grow()
        self._failing_since = None
        self.metrics.breaker_open.set(0)
        return reply

    async def _measured(self, body: dict[str, Any]) -> TeacherReply:
        status = "cancelled"
        with self.metrics.inflight.labels(self.model).track_inprogress():
            started = self.clock()
            try:
                answer = await self.endpoint.send(body)
                self._count_tokens(read_usage(answer.get("usage")))
                reply = read_answer(answer)
                status = "ok"
            except CallFailedError as failure:
                status = failure.reason
                raise
            except (RefusedError, TeacherSetupError):
                status = "refused"
                raise
            finally:
                self.metrics.teacher_requests.labels(self.model, status).inc()
                seconds = self.clock() - started
                self.metrics.teacher_seconds.labels(self.model).observe(seconds)
        return reply

    def _count_tokens(self, usage: Usage) -> None:
        for direction, count in usage.directions():
            self.metrics.tokens.labels(self.model, direction).inc(count)
        self.ledger.add(self.model, usage)

    def _record_failure(self, failure: CallFailedError) -> None:
        self._failing_since = self._failing_since or self.clock()
        if failure.reason == "throttled":
            self.breaker.released()
            self.limit.halve()
            if failure.retry_after:
                self._not_before = max(self._not_before, self.clock() + failure.retry_after)
        else:
            self.breaker.failed()
        self.metrics.breaker_open.set(int(self.breaker.is_open))
        self._check_patience()

    async def _pause(self, tries: int, retry_after: float | None) -> None:
        """Wait what the teacher asks for, plus jitter; else back off."""
        if retry_after and retry_after > self.patience_seconds:
            raise self._down(f"it asks to wait {retry_after:.0f} s")
        await self.sleep((retry_after or 0.0) + backoff(tries, self.chance))

    async def _wait_for_quiet(self) -> None:
        """Wait until the Retry-After that any call has received is over."""
        while (left := self._not_before - self.clock()) > 0:
            await self.sleep(left)

    def _check_patience(self) -> None:
        since = self._failing_since
        if since is not None and self.clock() - since > self.patience_seconds:
            raise self._down(f"no call succeeded for {self.patience_seconds:.0f} s")

    def _down(self, reason: str) -> TeacherDownError:
        return TeacherDownError(
            f"the teacher does not answer: {reason}",
            hint="nothing is lost: check the endpoint, then resume the job",
        )
