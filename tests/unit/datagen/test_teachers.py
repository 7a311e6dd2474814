"""Several teachers as one."""

import asyncio
import random
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from datagen.asking import CallFailedError, RefusedError, Teacher
from datagen.config import Settings
from datagen.endpoint import Answer
from datagen.errors import TeacherDownError
from datagen.metrics import Metrics
from datagen.teachers import Teachers, open_teachers
from fakes.clock import FakeClock

QUESTION = [{"role": "user", "content": "hi"}]


class Endpoint:
    """Answers with its name, unless it is down."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.down = False
        self.calls = 0

    async def send(self, body: dict[str, Any], request_id: str) -> Answer:
        """Answer one call."""
        self.calls += 1
        if self.down:
            raise CallFailedError("connection")
        return Answer({"choices": [{"message": {"content": self.model}}]})

    async def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def clock() -> FakeClock:
    """The time of the teachers."""
    return FakeClock()


@pytest.fixture
def endpoints() -> list[Endpoint]:
    """A teacher of weight 3 and one of weight 1."""
    return [Endpoint("large"), Endpoint("small")]


@pytest.fixture
def teachers(endpoints: list[Endpoint], clock: FakeClock) -> Teachers:
    """Both of them as one."""
    metrics = Metrics()
    members = [
        Teacher(
            endpoint,
            metrics,
            concurrency=4,
            patience_seconds=60,
            clock=clock,
            sleep=clock.sleep,
            chance=random.Random(1),
        )
        for endpoint in endpoints
    ]
    return Teachers(list(zip(members, [3.0, 1.0], strict=True)))


async def asked(teachers: Teachers, count: int) -> Counter[str]:
    """Return who answered how often."""
    replies = [await teachers.ask(QUESTION, temperature=0, seed=seed) for seed in range(count)]
    assert all(reply.text == reply.teacher for reply in replies)
    return Counter(reply.teacher for reply in replies)


async def test_questions_are_shared_by_weight_and_the_same_at_every_start(
    teachers: Teachers,
) -> None:
    """Three to one; a request that is asked again goes to the same teacher."""
    found = await asked(teachers, 2000)
    assert found["large"] / 2000 == pytest.approx(0.75, abs=0.03)
    assert await asked(teachers, 2000) == found
    assert (teachers.model, teachers.most) == ("large, small", 8)


async def test_others_do_the_share_of_one_that_is_away(
    teachers: Teachers, endpoints: list[Endpoint], clock: FakeClock
) -> None:
    """It gets a probe now and then, and its share again once it answers."""
    endpoints[0].down = True
    assert await asked(teachers, 300) == {"small": 300}
    assert not teachers.is_down
    assert endpoints[0].calls < 30
    endpoints[0].down = False
    clock.now += 60
    found = await asked(teachers, 400)
    assert found["large"] > 250


async def test_all_away_is_away(teachers: Teachers, endpoints: list[Endpoint]) -> None:
    """Then the patience of one of them decides."""
    endpoints[0].down = endpoints[1].down = True
    for seed in range(5):
        with suppress(RefusedError, TeacherDownError):
            await teachers.ask(QUESTION, temperature=0, seed=seed)
    with pytest.raises(TeacherDownError):
        await teachers.ask(QUESTION, temperature=0, seed=9)
    assert teachers.is_down
    await teachers.close()


async def test_short_outage_of_one_is_survived_while_the_other_is_long_away(
    teachers: Teachers, endpoints: list[Endpoint], clock: FakeClock
) -> None:
    """The patience is with all of them: nobody answered is not one that is long away."""
    endpoints[0].down = True
    await asked(teachers, 50)
    clock.now += 600
    assert await asked(teachers, 50) == {"small": 50}
    small = teachers.members[1]
    while not small.is_down:
        small.breaker.failed()
    assert await asked(teachers, 50) == {"small": 50}


async def test_others_do_the_share_of_one_that_asks_to_be_left_alone(
    teachers: Teachers, endpoints: list[Endpoint], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits out its Retry-After while another teacher answers."""

    async def throttle(body: dict[str, Any], request_id: str) -> Answer:
        endpoints[0].calls += 1
        raise CallFailedError("throttled", 50.0, unpaid=True)

    monkeypatch.setattr(endpoints[0], "send", throttle)
    assert await asked(teachers, 100) == {"small": 100}
    assert (clock.now, endpoints[0].calls) == (0, 1)


async def test_nobody_waits_for_one_that_goes_away_while_another_answers(
    teachers: Teachers, endpoints: list[Endpoint], clock: FakeClock
) -> None:
    """Neither who failed before the breaker opened, nor who waits for a place at that teacher."""
    endpoints[0].down = True
    every = [teachers.ask(QUESTION, temperature=0, seed=seed) for seed in range(40)]
    assert {reply.teacher for reply in await asyncio.gather(*every)} == {"small"}
    assert clock.now < 20


async def test_what_one_refuses_the_next_one_is_asked(
    teachers: Teachers, endpoints: list[Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what nobody answers is refused."""

    async def refuse(body: dict[str, Any], request_id: str) -> Answer:
        raise RefusedError("HTTP 400")

    monkeypatch.setattr(endpoints[0], "send", refuse)
    assert await asked(teachers, 20) == {"small": 20}
    monkeypatch.setattr(endpoints[1], "send", refuse)
    with pytest.raises(RefusedError):
        await asked(teachers, 1)


async def test_file_of_teachers_is_opened(tmp_path: Path) -> None:
    """One ledger and one row of metrics for all."""
    path = tmp_path / "teachers.yaml"
    path.write_text(
        "teachers:\n"
        "  - {id: a, base_url: 'http://127.0.0.1:9/v1', model: m}\n"
        "  - {id: b, base_url: 'http://127.0.0.1:9/v1', model: m, weight: 2}\n"
    )
    opened = open_teachers(Settings(teachers_file=path), Metrics(), object)
    assert isinstance(opened, Teachers)
    assert opened.model == "a, b"
    assert opened.weights == {"a": 1, "b": 2}
    await opened.close()
