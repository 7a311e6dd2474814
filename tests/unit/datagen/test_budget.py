"""What the teacher costs, and the budget that ends a generation."""

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from datagen.budget import Ledger, Prices, open_ledger
from datagen.config import Settings
from datagen.errors import BudgetSpentError, TeacherSetupError
from datagen.metrics import Metrics
from datagen.teacher import open_teacher
from datagen.usage import Usage, read_usage
from fakes.clock import FakeClock
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


def test_costs_are_shown_by_model_and_only_with_prices() -> None:
    """Absent, never 0, where nothing is known of them."""
    ledger = Ledger(PRICES, 100.0)
    assert sample(ledger, "datagen_cost_dollars_total", model="m") is None
    ledger.add("m", MILLION)
    assert sample(ledger, "datagen_cost_dollars_total", model="m") == 10
    assert sample(ledger, "datagen_budget_dollars") == 100
    free = Ledger()
    free.add("m", MILLION)
    assert sample(free, "datagen_cost_dollars_total", model="m") is None
    assert sample(free, "datagen_budget_dollars") is None


def test_spending_survives_a_restart(tmp_path: Path) -> None:
    """Or each start would have the whole budget again."""
    clock, path = FakeClock(), tmp_path / "spent.json"
    ledger = Ledger(PRICES, 15.0, path, clock)
    ledger.add("m", MILLION)
    assert not path.exists()  # written once a second at most
    clock.now += 2
    ledger.add("other", Usage(input=500_000, output=0))
    ledger.add("m", Usage(input=0, output=500_000))
    ledger.save()
    later = Ledger(PRICES, 15.0, path)
    assert later.spent == {"m": 14.0, "other": 1.0}
    with pytest.raises(BudgetSpentError, match="15.00 of 15.00 dollars"):
        later.check()
    Ledger(PRICES, 15.01, path).check()


@pytest.mark.parametrize("content", ["{", "[1]", '{"m": "much"}'])
def test_broken_file_of_sums_is_no_fresh_start(tmp_path: Path, content: str) -> None:
    """It would forget what was spent."""
    path = tmp_path / "spent.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match=r"spent\.json"):
        Ledger(PRICES, 1.0, path)


def test_budget_cannot_be_kept_where_no_usage_is_reported() -> None:
    """Said at the first answer, not when the money is gone."""
    with pytest.raises(TeacherSetupError, match="DATAGEN_BUDGET_DOLLARS"):
        Ledger(PRICES, 1.0).add("m", Usage(input=5))
    Ledger(PRICES).add("m", Usage(input=5))


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"TEACHER_INPUT_DOLLARS": "2"}, "go together"),
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
    settings = Settings.from_environ(PRICED | {"DATAGEN_STATE_DIR": str(tmp_path)})
    assert open_ledger(settings).prices == Prices(2.0, 2.0, 8.0)
    assert open_ledger(Settings()).prices is None


async def test_no_request_is_sent_once_the_budget_is_spent(tmp_path: Path) -> None:
    """The tokens of the last answer are counted; the next question is not asked."""
    environ = PRICED | {"DATAGEN_BUDGET_DOLLARS": "0.0001", "DATAGEN_STATE_DIR": str(tmp_path)}
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
