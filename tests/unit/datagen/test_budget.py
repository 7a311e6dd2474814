"""What the teacher costs, and the budget that ends a generation."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from datagen.budget import Ledger
from datagen.config import Settings
from datagen.errors import BudgetSpentError, TeacherSetupError
from datagen.metrics import Metrics
from datagen.prices import Prices, most_tokens
from datagen.roster import spec_of
from datagen.teacher import open_teacher
from datagen.usage import Usage, read_usage
from fakes.teacher import FakeTeacher
from kit.config import SettingsError

PRICES = Prices(input=2.0, cached=0.5, output=8.0)
PRICED = {"TEACHER_INPUT_DOLLARS": "2", "TEACHER_OUTPUT_DOLLARS": "8"}
MILLION = Usage(input=1_000_000, output=1_000_000)


def sample(ledger: Ledger, name: str, **labels: str) -> float | None:
    """Return what a ledger shows."""
    registry = CollectorRegistry()
    registry.register(ledger)
    return registry.get_sample_value(name, labels)


@pytest.mark.parametrize(
    ("usage", "found"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 4}, Usage(9, None, 4, None)),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 4,
                "prompt_tokens_details": {"cached_tokens": 5},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
            Usage(9, 5, 4, 3),
        ),
        ({"prompt_tokens": 9, "prompt_cache_hit_tokens": 0}, Usage(9, 0, None, None)),
        ({"prompt_tokens": -1, "completion_tokens": True}, Usage()),
        ({"prompt_tokens": 9, "prompt_tokens_details": None}, Usage(9)),
        ({"prompt_tokens": 10**400, "completion_tokens": 4}, Usage(output=4)),
        (None, Usage()),
        ("many", Usage()),
    ],
)
def test_usage_is_what_the_teacher_reports(usage: Any, found: Usage) -> None:
    """What it leaves out, or says nonsense about, is not known."""
    assert read_usage(usage) == found


def test_reasoning_is_no_part_of_the_reply() -> None:
    """It is paid, and nobody sees it."""
    assert Usage(output=10, reasoning=8).shown == 2
    assert Usage(output=10).shown == 10
    assert Usage(reasoning=8).shown is None


def test_cached_tokens_are_cheaper_and_reasoning_is_output() -> None:
    """Cached ones are among the input: they are not paid twice."""
    usage = Usage(input=1_000_000, cached=600_000, output=500_000, reasoning=400_000)
    assert PRICES.cost(usage) == pytest.approx(0.4 * 2 + 0.6 * 0.5 + 0.5 * 8)
    assert PRICES.cost(Usage()) == 0


async def pay(ledger: Ledger, usage: Usage, teacher: str = "m", most: Usage = MILLION) -> None:
    """Pay for one call."""
    (await ledger.reserve(teacher, PRICES, most)).settle(usage)


async def test_costs_are_shown_by_model_and_only_with_prices() -> None:
    """Absent, never 0, where nothing is known of them."""
    ledger = Ledger(100.0)
    assert sample(ledger, "datagen_cost_dollars_total", model="m") is None
    await pay(ledger, MILLION)
    (await ledger.reserve("m", PRICES, MILLION)).doubt()
    assert sample(ledger, "datagen_cost_dollars_total", model="m") == 10
    assert sample(ledger, "datagen_cost_in_doubt_dollars") == 10
    assert sample(ledger, "datagen_budget_dollars") == 100
    free = Ledger()
    (await free.reserve("m", None, MILLION)).settle(MILLION)
    assert sample(free, "datagen_cost_dollars_total", model="m") is None
    assert sample(free, "datagen_budget_dollars") is None
    assert sample(free, "datagen_cost_in_doubt_dollars") is None


async def test_spending_survives_a_restart(tmp_path: Path) -> None:
    """Or each start would have the whole budget again; a kill leaves what was under way."""
    ledger = Ledger(35.0, tmp_path)
    await pay(ledger, MILLION)
    await pay(ledger, Usage(input=500_000, output=0), "other")
    await ledger.close()
    killed = Ledger(35.0, tmp_path)
    assert killed.spent == {"m": 10.0, "other": 1.0}
    await killed.reserve("m", PRICES, Usage(input=0, output=1_000_000))
    await pay(killed, Usage(input=0, output=500_000))
    (await killed.reserve("m", PRICES, Usage(input=1, output=0))).release()
    assert killed._journal
    await killed._journal.close()
    for _ in range(2):
        later = Ledger(35.0, tmp_path)
        assert later.spent == {"m": 14.0, "other": 1.0}
        assert later.in_doubt == 8.0
    with pytest.raises(BudgetSpentError, match=r"23\.0000 of 23\.0000 dollars, 8\.0000 of it"):
        Ledger(23.0, tmp_path).check()
    Ledger(23.01, tmp_path).check()


async def test_sums_of_the_first_release_are_taken_over(tmp_path: Path) -> None:
    """They were the sums alone."""
    (tmp_path / "spent.json").write_text('{"m": 2.5}')
    assert Ledger(3.0, tmp_path).spent == {"m": 2.5}


async def test_torn_entry_was_never_acknowledged(tmp_path: Path) -> None:
    """So its call never went out."""
    ledger = Ledger(30.0, tmp_path)
    await pay(ledger, MILLION)
    assert ledger._journal
    await ledger._journal.close()
    with (tmp_path / "spent-0.jsonl").open("a") as file:
        file.write('{"call": 9, "held": 20')
    assert Ledger(30.0, tmp_path).total == 10


async def test_call_is_paid_for_before_it_goes_out(tmp_path: Path) -> None:
    """The reservation is on the disk when `reserve` returns."""
    ledger = Ledger(30.0, tmp_path)
    await ledger.reserve("m", PRICES, MILLION)
    assert '"held": 10.0' in (tmp_path / "spent-0.jsonl").read_text()
    await ledger.close()


async def test_calls_at_once_never_spend_more_than_the_budget() -> None:
    """A hundred calls that may cost 10 and do cost 4 share 50: none is over, little is left."""
    ledger = Ledger(50.0)
    most_at_once = 0.0

    async def call() -> None:
        nonlocal most_at_once
        paid_from = await ledger.reserve("m", PRICES, MILLION)
        most_at_once = max(most_at_once, ledger.total + sum(ledger.held.values()))
        await asyncio.sleep(0)
        paid_from.settle(Usage(input=0, output=500_000))

    results = await asyncio.gather(*(call() for _ in range(100)), return_exceptions=True)
    assert most_at_once <= 50
    assert 40 < ledger.total <= 50
    assert all(result is None or isinstance(result, BudgetSpentError) for result in results)
    assert not ledger.held


async def test_reservation_ends_once() -> None:
    """Whoever comes later changes nothing."""
    ledger = Ledger(50.0)
    paid_from = await ledger.reserve("m", PRICES, MILLION)
    paid_from.release()
    paid_from.doubt()
    paid_from.settle(MILLION)
    assert (ledger.total, ledger.held) == (0, {})


async def test_call_that_cannot_be_noted_does_not_go_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk stops the teacher, not the counting."""
    ledger = Ledger(50.0, tmp_path)
    await pay(ledger, MILLION)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        await ledger.reserve("m", PRICES, MILLION)
    monkeypatch.undo()
    assert not ledger.held
    await ledger.close()


def test_bound_of_a_call_is_the_bytes_that_are_sent() -> None:
    """No token is shorter than a byte; the template is allowed for."""
    messages = [{"role": "user", "content": "你好"}, {"role": "user", "content": "\ud83d"}]
    assert most_tokens(messages, 512) == Usage(input=6 + 1 + 64 + 32, output=512)


@pytest.mark.parametrize("content", ["{", "[1]", '{"m": "much"}'])
def test_broken_file_of_sums_is_no_fresh_start(tmp_path: Path, content: str) -> None:
    """It would forget what was spent."""
    path = tmp_path / "spent.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match=r"spent\.json"):
        Ledger(1.0, tmp_path)


async def test_budget_cannot_be_kept_where_no_usage_is_reported() -> None:
    """Said at the first answer, not when the money is gone; the call counts in full."""
    ledger = Ledger(100.0)
    with pytest.raises(TeacherSetupError, match="DATAGEN_BUDGET_DOLLARS"):
        await pay(ledger, Usage(input=5))
    assert ledger.in_doubt == 10
    await pay(Ledger(), Usage(input=5))


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"TEACHER_INPUT_DOLLARS": "2"}, "go together"),
        ({"JUDGE_INPUT_DOLLARS": "2"}, "JUDGE_INPUT_DOLLARS and JUDGE_OUTPUT_DOLLARS go together"),
        ({"DATAGEN_BUDGET_DOLLARS": "2"}, "needs TEACHER_INPUT_"),
        (PRICED | {"TEACHER_CACHED_DOLLARS": "-1"}, "TEACHER_CACHED_DOLLARS"),
        (PRICED | {"DATAGEN_BUDGET_DOLLARS": "inf"}, "DATAGEN_BUDGET_DOLLARS"),
    ],
)
def test_settings_that_cannot_hold_are_refused(environ: dict[str, str], words: str) -> None:
    """At the start, by name."""
    with pytest.raises(SettingsError, match=words):
        Settings.from_environ(environ)


def test_cached_tokens_cost_as_others_where_no_price_is_named(tmp_path: Path) -> None:
    """And nothing is counted without prices."""
    settings = Settings.from_environ(PRICED)
    assert spec_of(settings).prices == Prices(2.0, 2.0, 8.0)
    assert spec_of(Settings()).prices is None


async def test_no_request_is_sent_once_the_budget_is_spent(tmp_path: Path) -> None:
    """The tokens of the last answer are counted; the next question is not asked."""
    environ = PRICED | {"DATAGEN_BUDGET_DOLLARS": "0.0045", "DATAGEN_STATE_DIR": str(tmp_path)}
    metrics, fake = Metrics(), FakeTeacher(lambda _: "a reply of twenty or so characters")
    teacher = open_teacher(Settings.from_environ(environ), metrics, fake)
    question = [{"role": "user", "content": "hi"}]
    reply = await teacher.ask(question, temperature=0.5, seed=1)
    assert reply.usage == Usage(input=10, output=len(reply.text))
    with pytest.raises(BudgetSpentError) as caught:
        await teacher.ask(question, temperature=0.5, seed=2)
    await teacher.close()
    assert caught.value.body.code == "budget_spent"
    assert "DATAGEN_BUDGET_DOLLARS" in (caught.value.body.hint or "")
    assert len(fake.calls) == 1
    value = metrics.registry.get_sample_value
    spent = value("datagen_cost_dollars_total", {"model": "scripted"})
    assert spent == pytest.approx((10 * 2 + len(reply.text) * 8) / 1e6)
    assert value("datagen_tokens_total", {"model": "scripted", "direction": "input"}) == 10
    assert (tmp_path / "spent.json").exists()
