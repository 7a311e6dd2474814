"""Tests of settling: whatever the order in which rows came, those that stay are the same."""

import asyncio
import random
import tempfile
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from contracts.dataset import Counts, DatasetRequest
from contracts.style import StyleVersion
from datagen.generate import Generation, Plan
from datagen.journals import SAMPLES, read_user_turns
from datagen.makings import Makings
from datagen.metrics import Metrics
from datagen.prompts import Prompts
from datagen.questions import Question, load_banks
from datagen.replies import REPLIES, Remembered, Replies
from datagen.scripted import ScriptedTeacher
from datagen.settling import MARK, SETTLED, PlainJournals, Settled, Settling, adopt
from datagen.shards import Shard
from datagen.slots import Slot, plan
from datagen.teachers import Asked
from fakes.asked import AskedTeacher
from fakes.sharded import poor, rows_of
from kit.crisis import load_screens

SHIPPED = Path(__file__).parents[3] / "services" / "datagen"
BANKS = load_banks(SHIPPED / "questions")
MAKINGS = Makings(BANKS, Prompts(SHIPPED / "prompts"), load_screens(SHIPPED / "safety"))


STYLES = [StyleVersion(version=1, style=poor(name)) for name in ("tsundere", "dry-butler")]
SCRIPTED = ScriptedTeacher(lambda: [version.style for version in STYLES], BANKS, 0.1)
REQUEST = DatasetRequest(per_style=14, multi_turn_ratio=0.3, turns=2, max_attempts=3, seed=2)
PLAN = Plan(request=REQUEST, styles=STYLES)


class FewQuestions:
    """Draws each slot's question from three of its language."""

    def draw(self, slot: Slot, attempt: int) -> Question:
        """Return one of them."""
        bank = BANKS[slot.style.style.language]
        number = zlib.crc32(f"{slot.id}/{attempt}".encode()) % 3
        return bank.draw(bank.situations[number], "train", random.Random(number))


def build(folder: Path, teacher: Asked, **options: Any) -> Generation:
    """Return a generation whose rows are likely to be duplicates."""
    generation = MAKINGS.generation(PLAN, folder, teacher, **options)
    generation.questions = FewQuestions()  # type: ignore[assignment]
    return generation


def teacher(order: int = 0, most: int = 1) -> AskedTeacher:
    """Return a teacher that answers in this order."""
    return AskedTeacher(SCRIPTED.reply, order, most)


async def one_after_the_other(folder: Path) -> list[list[Any]]:
    """Return the rows of a generation that fills its slots in their order, one call at a time."""
    Replies(folder).close()  # makes the folder
    generation = build(folder, teacher(), metrics=Metrics())
    async with PlainJournals(folder) as journals:
        for slot in generation.board.slots:
            await generation.fill(slot, journals)
    return rows_of(folder)


async def part(folder: Path, order: int, most: int, shard: Shard, stops: int) -> Counter[str]:
    """Fill one shard in `folder`, stopped and begun again `stops` times; return what was asked."""
    chance = random.Random(order)
    asked: Counter[str] = Counter()
    slots = shard.share(plan(REQUEST, STYLES))
    for left in range(stops, -1, -1):
        member = teacher(chance.getrandbits(30), most)
        last = chance.randint(1, 20) if left else 1 << 30
        with Replies(folder) as replies:
            generation = build(
                folder,
                Remembered(member, replies),
                metrics=Metrics(),
                slots=slots,
                stopped=lambda one=member, last=last: one.calls.total() >= last,
            )
            await generation.run(most)
        asked += member.calls
    return asked


async def settled(
    staging: Path, sources: Sequence[Path], member: AskedTeacher, at_once: int = 8
) -> Counts:
    """Settle; return the counts."""
    counts = await Settling(staging, sources, member, build, at_once=at_once).run()
    assert counts is not None
    adopt(staging)
    return counts


def check_counts(counts: Counts, found: list[list[Any]], asked: Counter[str]) -> None:
    """Every call is an accepted row's, a rejected one's, or superseded, and none was made twice."""
    accepted, rejected = found
    assert counts.asked == 28
    assert counts.accepted == len(accepted)
    assert counts.accepted + sum(counts.failed.values()) == counts.asked
    assert counts.rejected == dict(sorted(Counter(row["reason"] for row in rejected).items()))
    assert counts.teacher_calls == asked.total() == len(asked)
    assert counts.superseded < counts.teacher_calls


# Each example generates two datasets: a smaller counterexample is not worth minutes.
@settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    order=st.integers(0, 2**30),
    most=st.integers(1, 12),
    shards=st.integers(1, 4),
    stops=st.integers(0, 2),
    at_once=st.sampled_from([0, 2, 8]),
)
def test_any_order_and_any_shards_settle_to_the_same_rows(
    order: int, most: int, shards: int, stops: int, at_once: int
) -> None:
    """However many calls at once, shards and stops: the rows of one call after the other."""

    async def check(folder: Path) -> None:
        expected = await one_after_the_other(folder / "alone")
        staging = folder / "staging"
        every = [Shard(number + 1, shards) for number in range(shards)]
        parts = [one.folder(staging) for one in every] if shards > 1 else [staging]
        asked: Counter[str] = Counter()
        for one, path in zip(every, parts, strict=True):
            asked += await part(path, order + one.index, most, one, stops)
        member = teacher(order, most)
        counts = await settled(staging, parts, member, at_once)
        found = rows_of(staging)
        assert found == expected
        check_counts(counts, found, asked + member.calls)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder)))


async def test_rows_repeat_one_another_so_that_there_is_something_to_settle(tmp_path: Path) -> None:
    """The example has duplicates, slots given up, and an order of arrival that matters."""
    accepted, rejected = await one_after_the_other(tmp_path / "alone")
    reasons = Counter(row["reason"] for row in rejected)
    assert reasons["near_duplicate"] + reasons["duplicate"] >= 10
    assert len(accepted) < 28
    await part(tmp_path / "staging", 3, 8, Shard(1, 1), 0)
    journalled = rows_of(tmp_path / "staging")[0]
    slots = [{row["slot"]: row["reply"] for row in found} for found in (accepted, journalled)]
    assert slots[0] != slots[1]


async def test_settled_folder_is_not_settled_again(tmp_path: Path) -> None:
    """Killed after the mark: the counts are known and nobody is asked."""
    await part(tmp_path, 3, 8, Shard(1, 1), 0)
    first = await Settling(tmp_path, [tmp_path], teacher(), build).run()
    member = teacher()
    assert await Settling(tmp_path, [tmp_path], member, build).run() == first
    assert not member.calls
    assert (tmp_path / SETTLED / MARK).exists()


async def test_settling_that_was_killed_asks_nothing_twice(tmp_path: Path) -> None:
    """What it asked for is on its record, and the second try begins from that."""
    await part(tmp_path, 5, 8, Shard(1, 1), 0)
    first = teacher()
    await Settling(tmp_path, [tmp_path], first, build).run()
    (tmp_path / SETTLED / MARK).unlink()
    second = teacher()
    assert await Settling(tmp_path, [tmp_path], second, build).run() is not None
    assert not second.calls


async def test_settling_can_be_stopped(tmp_path: Path) -> None:
    """Then there is no mark and there are no counts."""
    await part(tmp_path, 5, 8, Shard(1, 1), 0)
    steps = iter([False] * 20)
    stopped = Settling(tmp_path, [tmp_path], teacher(), build, stopped=lambda: next(steps, True))
    assert await stopped.run() is None
    journalled = (tmp_path / SAMPLES).read_bytes()
    adopt(tmp_path)
    assert (tmp_path / SAMPLES).read_bytes() == journalled
    assert not (tmp_path / SETTLED / MARK).exists()


async def test_full_disk_leaves_no_journal_open(tmp_path: Path) -> None:
    """Or what it holds back would be written later, into the file of the next try."""
    (tmp_path / SAMPLES).symlink_to("/dev/full")
    journals = PlainJournals(tmp_path)
    await journals.__aenter__()
    for journal in (journals.samples, journals.users):
        await journal.append(Settled(counts=Counts()))
    with pytest.raises(OSError, match="No space left"):
        await journals.__aexit__()
    every = (journals.samples, journals.rejected, journals.turns, journals.users)
    assert all(journal._file.closed for journal in every)  # type: ignore[attr-defined]


async def test_accepted_rows_outlive_a_record_that_a_power_cut_took(tmp_path: Path) -> None:
    """Only requests that were refused are asked again."""
    expected = await one_after_the_other(tmp_path / "alone")
    staging = tmp_path / "staging"
    asked = await part(staging, 5, 1, Shard(1, 1), 0)
    calls = [row["provenance"] for row in rows_of(staging)[0]]
    heard = [words.state.provenance for words in read_user_turns(staging)]
    calls += [origin.model_dump() for origin in heard if origin]
    assert heard
    (staging / REPLIES).write_bytes(b"\0" * 100 + b"\n{\n")
    member = teacher()
    await settled(staging, [staging], member)
    assert rows_of(staging) == expected
    assert 0 < member.calls.total() < asked.total()
    assert not {f"{call['prompt_sha256']}/{call['seed']}" for call in calls} & set(member.calls)
