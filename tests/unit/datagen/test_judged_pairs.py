"""Tests of the judge in a proof: who meets whom, the sums, length control, and going on."""

from pathlib import Path

import pytest

from contracts.durable import read_journal
from contracts.evaluation import Reply
from contracts.style import Style
from datagen.budget import Ledger
from datagen.evaluate import StoppedError
from datagen.judged_pairs import JOURNAL, contests, judged, summed
from datagen.length_control import length_controlled
from datagen.llm_judge import LlmJudge
from datagen.metrics import Metrics
from datagen.roster import TeacherSpec
from datagen.rubric import load_rubrics
from datagen.teacher import make_teacher
from fakes.judge import WORD, FakeJudge
from fakes.teacher import FakeTeacher

# Of the tuned one most replies are good and long, of the prompted one some, of the base none.
GOOD = {"tuned": (0, 1, 2, 3, 4, 5, 6, 7), "prompted": (0, 1, 2), "base": ()}


def replies(style: Style) -> list[Reply]:
    """Return ten questions to three contestants."""
    return [
        Reply(
            contestant=name,
            model=name,
            style=style.id,
            number=number,
            situation=None,
            question=f"{number}？",
            reply=f"{WORD if number in good else 'lead'}{number}" + "啊" * (8 * (name == "tuned")),
            predicted_style=style.id,
            on_topic=None,
        )
        for number in range(10)
        for name, good in GOOD.items()
    ]


def judge_of(kind: str, shipped: Path) -> tuple[LlmJudge, FakeTeacher]:
    """Return a judge with a fake behind the real client."""
    app = FakeTeacher(FakeJudge(kind))
    spec = TeacherSpec(id="judge", model="fake")
    teacher = make_teacher(spec, Metrics(), Ledger(), app, patience_seconds=5)
    return LlmJudge(teacher, load_rubrics(shipped / "rubrics")), app


def test_all_of_the_three_meet_and_further_models_meet_the_tuned() -> None:
    """All with all would cost the square of their number."""
    assert contests(["base", "prompted", "tuned", "more"]) == [
        ("tuned", "prompted"), ("tuned", "base"), ("prompted", "base"), ("more", "tuned"),
    ]  # fmt: skip


async def test_an_honest_judge_ranks_them(tsundere: Style, shipped: Path, tmp_path: Path) -> None:
    """Wins, ties and losses add up to the questions; both replies good is a tie."""
    judge, _ = judge_of("honest", shipped)
    rows = await judged(judge, replies(tsundere), {tsundere.id: tsundere}, tmp_path / JOURNAL)
    pairs = {(one.first, one.second): one for one in summed(rows, 7)}
    against = pairs["tuned", "base"]
    assert (against.wins, against.ties, against.losses, against.flips) == (8, 2, 0, 0)
    assert pairs["tuned", "prompted"].wins == 5
    assert against.win_rate.value == pytest.approx(0.9)
    assert against.win_rate.interval.low > 0.5
    assert pairs["prompted", "base"].win_rate.value == pytest.approx(0.65)


@pytest.mark.parametrize("kind", ["seat_a", "longer"])
async def test_a_biased_judge_ends_in_ties(
    kind: str, tsundere: Style, shipped: Path, tmp_path: Path
) -> None:
    """The longer contestant gains nothing, nor does the first one."""
    judge, _ = judge_of(kind, shipped)
    rows = await judged(judge, replies(tsundere), {tsundere.id: tsundere}, tmp_path / JOURNAL)
    for pair in summed(rows, 7):
        assert (pair.wins, pair.losses, pair.win_rate.value) == (0, 0, 0.5)


async def test_garbage_is_counted_apart(tsundere: Style, shipped: Path, tmp_path: Path) -> None:
    """No verdict is no win."""
    judge, _ = judge_of("garbage", shipped)
    rows = await judged(judge, replies(tsundere), {tsundere.id: tsundere}, tmp_path / JOURNAL)
    told = {row.verdict.outcome for row in rows if row.verdict.reasons or row.verdict.problem}
    assert told == {"unjudged"}
    for pair in summed(rows, 7):
        # Replies that are equal once cut are a tie without a call.
        assert (pair.wins, pair.losses, pair.ties) == (0, 0, pair.questions)


async def test_what_is_judged_is_not_asked_again(
    tsundere: Style, shipped: Path, tmp_path: Path
) -> None:
    """A killed proof goes on where its journal ends."""
    path, cards = tmp_path / JOURNAL, {tsundere.id: tsundere}
    judge, app = judge_of("honest", shipped)
    first = await judged(judge, replies(tsundere)[:15], cards, path)
    calls = len(app.calls)
    again = await judged(judge, replies(tsundere)[:15], cards, path)
    assert len(app.calls) == calls
    assert {row.key for row in again} == {row.key for row in first}


async def test_cancelled_judging_asks_no_further(
    tsundere: Style, shipped: Path, tmp_path: Path
) -> None:
    """A judge costs money: who cancels is heard after each pair, and what is judged is kept."""
    path, cards = tmp_path / JOURNAL, {tsundere.id: tsundere}
    heard: list[tuple[int, int]] = []
    judge, app = judge_of("honest", shipped)

    def stop(done: int, total: int) -> None:
        heard.append((done, total))
        if done == 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        await judged(judge, replies(tsundere), cards, path, stop)
    assert heard[0] == (0, 30)
    assert len(list(read_journal(path))) < 30
    calls = len(app.calls)
    assert len(await judged(judge, replies(tsundere), cards, path)) == 30
    assert calls < 60


def test_length_control_takes_the_length_out() -> None:
    """Where only length decides, the rate at equal length is even; else it stays."""
    gaps = [12, -9, 30, -22, 5, -4, 18, -17] * 5
    by_length = length_controlled([float(gap > 0) for gap in gaps], gaps, seed=3)
    assert by_length
    assert by_length.value == pytest.approx(0.5, abs=0.06)
    by_worth = length_controlled([1, 1, 1, 0] * 10, gaps, seed=3)
    assert by_worth
    assert by_worth.value > 0.6
    assert by_worth.interval.low < by_worth.value < by_worth.interval.high
    assert length_controlled([1.0], [3], seed=3) is None
