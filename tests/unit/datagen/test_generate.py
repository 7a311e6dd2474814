"""Tests of generation by quota, with the real pipeline and a teacher that is told what to do."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from contracts.dataset import DatasetRequest
from contracts.style import Language, StyleVersion
from datagen.asking import Teacher
from datagen.board import EXHAUSTED, Board
from datagen.budget import Ledger
from datagen.config import Settings
from datagen.errors import BudgetSpentError, TeacherSetupError
from datagen.generate import PLAN, Generation, Plan, pinned_plan
from datagen.journals import read_rejected, read_samples, read_turns
from datagen.metrics import Metrics
from datagen.prices import Prices
from datagen.prompts import Prompts
from datagen.questions import Bank
from datagen.scripted import ScriptedTeacher
from datagen.teacher import open_teacher
from datagen.turns import tasks_for
from fakes.teacher import FakeTeacher, Fault

Task = asyncio.Task[Board]
REQUEST = DatasetRequest(per_style=12, multi_turn_ratio=0.5, max_attempts=6, seed=3)


class Bench:
    """Runs generations in one folder, as one process after another would."""

    def __init__(
        self,
        folder: Path,
        versions: list[StyleVersion],
        banks: dict[Language, Bank],
        prompts: Prompts,
        flaw_rate: float = 0.15,
    ) -> None:
        folder.mkdir()
        self.folder, self.versions, self.banks, self.prompts = folder, versions, banks, prompts
        scripted = ScriptedTeacher(lambda: [v.style for v in versions], banks, flaw_rate)
        self.fake = FakeTeacher(scripted.reply)
        self.metrics = Metrics()

    def teacher(self) -> Teacher:
        """Return a teacher that does not wait."""

        async def no_wait(_: float) -> None:
            await asyncio.sleep(0)

        teacher = open_teacher(Settings(), self.metrics, self.fake)
        teacher.sleep = teacher.breaker.sleep = no_wait
        return teacher

    def generation(self, request: DatasetRequest = REQUEST, **options: Any) -> Generation:
        """Return a generation as a fresh process would build it."""
        return Generation(
            self.folder,
            Plan(request=request, styles=self.versions),
            banks=self.banks,
            prompts=self.prompts,
            teacher=self.teacher(),
            metrics=self.metrics,
            **options,
        )

    async def run(self, request: DatasetRequest = REQUEST, **options: Any) -> Board:
        """Run to the end."""
        return await self.generation(request, **options).run(8)

    def seeds(self) -> Counter[int]:
        """Return how often each request was asked, by its seed."""
        return Counter(call["seed"] for call in self.fake.calls)


@pytest.fixture
def bench(
    tmp_path: Path, versions: list[StyleVersion], banks: dict[Language, Bank], shipped: Path
) -> Bench:
    """A bench with two styles."""
    return Bench(tmp_path / "work", versions, banks, Prompts(shipped / "prompts"))


async def test_quota_is_met_exactly_and_every_refusal_has_a_reason(bench: Bench) -> None:
    """Each style has its rows, half of them dialogues; the counts add up."""
    board = await bench.run()
    counts = board.counts()
    samples = list(read_samples(bench.folder))
    assert Counter(row.style for row in samples) == {"tsundere": 12, "dry-butler": 12}
    assert Counter(len(row.history) for row in samples) == {0: 12, 1: 12}
    assert (counts.asked, counts.accepted, counts.failed) == (24, 24, {})
    refused = Counter(row.reason.value for row in read_rejected(bench.folder))
    assert counts.rejected == dict(refused)
    assert refused
    # A dialogue of two turns takes the reply before and the words of its user, too.
    assert counts.teacher_calls == len(bench.fake.calls) == 24 + 12 + 12 + refused.total()
    seeds = {row.provenance.seed for row in samples if row.provenance}
    assert len(seeds) == 24
    assert seeds <= set(bench.seeds())
    value = bench.metrics.registry.get_sample_value
    assert value("datagen_samples_total", {"outcome": "accepted", "reason": ""}) == 24


async def test_spent_budget_fails_the_job_and_keeps_the_rows(bench: Bench) -> None:
    """A larger one goes on from there."""
    generation = bench.generation()
    teacher = bench.teacher()
    teacher.prices, teacher.ledger = Prices(0.0, 0.0, 1e6), Ledger(budget=1000.0)
    generation.teacher = teacher
    with pytest.raises(BudgetSpentError):
        await generation.run(8)
    assert 400 < teacher.ledger.total <= 1000
    kept = len(list(read_samples(bench.folder)))
    assert 0 < kept < 24
    board = await bench.run()
    assert board.counts().accepted == 24


async def test_tokens_of_rows_and_the_share_of_duplicates_are_known(bench: Bench) -> None:
    """From what the teacher reports, and from the board."""
    board = await bench.run()
    value = bench.metrics.registry.get_sample_value
    assert value("datagen_sample_tokens_count", {"field": "reply"}) == 24
    assert value("datagen_sample_tokens_sum", {"field": "prompt"}) == 240
    counts = board.counts()
    repeated = sum(counts.rejected.get(name, 0) for name in ("duplicate", "near_duplicate"))
    judged = counts.accepted + sum(counts.rejected.values())
    assert board.duplicate_ratio == pytest.approx(repeated / judged)
    assert Board([], 3).duplicate_ratio is None


async def test_history_is_sent_to_the_teacher_turn_by_turn(bench: Bench) -> None:
    """The second question comes with the first exchange before it."""
    await bench.run()
    row = next(row for row in read_samples(bench.folder) if row.history)
    second = [call for call in bench.fake.calls if len(call["messages"]) == 4]
    assert second
    contents = [[m["content"] for m in call["messages"]] for call in second]
    assert any(texts[2] == row.history[0].assistant for texts in contents)
    assert row.question != row.history[0].user


async def test_run_is_reproducible(bench: Bench, tmp_path: Path) -> None:
    """The same seed gives the same rows."""
    await bench.run()
    other = Bench(tmp_path / "other", bench.versions, bench.banks, bench.prompts)
    await other.run()
    texts = [
        sorted((row.slot, row.question, row.reply) for row in read_samples(folder))
        for folder in (bench.folder, other.folder)
    ]
    assert texts[0] == texts[1]


async def test_stopped_run_goes_on_without_asking_anything_twice(bench: Bench) -> None:
    """However often a run is stopped, each request goes out once and each slot has one row."""
    for _ in range(40):
        stop_at = len(bench.fake.calls) + 7
        board = await bench.run(stopped=lambda at=stop_at: len(bench.fake.calls) >= at)
        if not board.open_slots():
            break
    samples = [row.slot for row in read_samples(bench.folder)]
    assert len(samples) == len(set(samples)) == 24
    assert set(bench.seeds().values()) == {1}
    assert board.counts().teacher_calls == len(bench.fake.calls)


async def test_cancelled_run_repeats_only_what_was_in_flight(bench: Bench) -> None:
    """Tasks cut off in the middle lose at most one call each."""
    good, cuts = bench.fake.answer, 0
    bench.fake.delay = 0.001
    for _ in range(40):
        limit = len(bench.fake.calls) + 20
        task = asyncio.create_task(bench.run())

        def answer(body: dict[str, Any], at: int = limit, task: Task = task) -> str:
            if len(bench.fake.calls) >= at:
                task.cancel()
            return good(body)

        bench.fake.answer = answer
        await asyncio.wait({task})
        if not task.cancelled():
            break
        cuts += 1
    slots = [row.slot for row in read_samples(bench.folder)]
    assert len(slots) == len(set(slots)) == 24
    turns = [(row.slot, row.number) for row in read_turns(bench.folder)]
    assert len(turns) == len(set(turns)) == 12
    assert cuts >= 2
    assert bench.seeds().total() - len(bench.seeds()) <= cuts * tasks_for(8)


async def test_unreachable_quota_gives_its_slots_up(bench: Bench) -> None:
    """A teacher that only speaks as a machine ends the run, with every try on record."""
    bench.fake.answer = lambda _: "作为一个AI语言模型，我很高兴为您服务。As an AI language model."
    request = DatasetRequest(per_style=3, max_attempts=4, multi_turn_ratio=0)
    board = await bench.run(request)
    counts = board.counts()
    assert (counts.accepted, counts.failed) == (0, {EXHAUSTED: 6})
    assert counts.rejected == {"assistant_voice": 24}
    assert len(bench.fake.calls) == 24
    again = await bench.run(request)
    assert again.counts() == counts
    assert len(bench.fake.calls) == 24


async def test_same_reply_to_everything_is_a_duplicate_only_of_its_own_question(
    bench: Bench,
) -> None:
    """A teacher that always says the same fills rows, since the questions differ."""
    bench.fake.answer = lambda _: "哼，谁要特地帮你啊！先走开喝一杯凉水啦。谢什么谢，快去啦！"
    bench.versions = bench.versions[:1]
    board = await bench.run(DatasetRequest(per_style=10, max_attempts=4, multi_turn_ratio=0))
    assert board.counts().accepted == 10


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.TRUNCATED_JSON, Fault.THROTTLED])
async def test_faults_of_the_teacher_cost_no_row(bench: Bench, fault: Fault) -> None:
    """Every second call fails, and the quota is met all the same."""
    bench.fake.retry_after = "0.001"
    bench.fake.faults.extend([fault, None] * 20)
    board = await bench.run()
    assert board.counts().accepted == 24


async def test_refused_request_is_a_refused_row(bench: Bench) -> None:
    """A 400 uses up one try, with its reason."""
    bench.fake.faults.append(Fault.REFUSED)
    board = await bench.run()
    assert board.counts().rejected["malformed"] == 1
    assert board.counts().accepted == 24


async def test_wrong_key_stops_the_run_and_keeps_what_there_is(bench: Bench) -> None:
    """The error comes out as itself; a later run goes on."""
    bench.fake.faults.extend([None] * 9 + [Fault.BAD_KEY])
    with pytest.raises(TeacherSetupError):
        await bench.run()
    kept = len(list(read_samples(bench.folder)))
    board = await bench.run()
    assert board.counts().accepted == 24
    assert kept <= 24


async def test_lone_surrogate_in_a_reply_is_refused_and_recorded(bench: Bench) -> None:
    """A reply that no file can hold becomes a refused row, not a crash."""
    good = bench.fake.answer
    replies = iter(["哼，谁要特地帮你啊！\ud83d啦。"])
    bench.fake.answer = lambda body: next(replies, None) or good(body)
    board = await bench.run()
    assert board.counts().accepted == 24
    assert any("?" in row.reply for row in read_rejected(bench.folder))


def test_plan_is_pinned_at_the_first_start(tmp_path: Path, versions: list[StyleVersion]) -> None:
    """A card that is edited later does not change a running dataset."""
    first = Plan(request=REQUEST, styles=versions)
    other = Plan(request=REQUEST, styles=versions[:1])
    assert pinned_plan(tmp_path, lambda: first) == first
    assert pinned_plan(tmp_path, lambda: other) == first
    assert json.loads((tmp_path / PLAN).read_text())["styles"][0]["version"] == 1
