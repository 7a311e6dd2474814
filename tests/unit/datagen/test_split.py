"""Tests of the split by question."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.sample import Sample, Turn
from datagen.split import questions_of, split


def sample(number: int, style: str, question: str, *history: str) -> Sample:
    """Return a row."""
    return Sample(
        id=f"{style}-{number}",
        slot=f"{style}/{number}",
        style=style,
        style_version=1,
        language="zh",
        question=question,
        reply="r",
        history=[Turn(user=text, assistant="a") for text in history],
    )


def asked(rows: list[Sample]) -> set[str]:
    """Return every question in `rows`."""
    return {question for row in rows for question in questions_of(row)}


def test_every_style_has_its_share_and_no_question_leaks() -> None:
    """Shared questions, also those of a history, keep rows together."""
    rows = [
        sample(n, style, f"question {n}", *([f"question {n + 1}"] if n % 10 == 0 else []))
        for style in ("a", "b", "c")
        for n in range(100)
    ]
    train, held = split(rows, 0.1, 7)
    assert len(train) + len(held) == 300
    assert not asked(train) & asked(held)
    shares = Counter(row.style for row in held)
    assert all(10 <= shares[style] <= 12 for style in "abc")
    assert split(rows, 0.1, 7) == (train, held)
    assert split(rows, 0.1, 8) != (train, held)


def test_ratio_of_zero_holds_nothing_back() -> None:
    """Everything is for training."""
    rows = [sample(n, "a", f"q{n}") for n in range(10)]
    assert split(rows, 0, 7) == (rows, [])


def test_training_keeps_a_row_of_every_style() -> None:
    """One question for all, or one row only, is never held out."""
    same = [sample(n, "a", "the same?") for n in range(5)]
    assert split(same, 0.5, 7)[1] == []
    assert split([sample(0, "a", "q")], 0.5, 7)[1] == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"), st.integers(0, 12), st.lists(st.integers(0, 12), max_size=2)
        ),
        max_size=40,
    ),
    st.floats(0, 0.5),
)
def test_no_question_is_ever_in_both_parts(
    drawn: list[tuple[str, int, list[int]]], ratio: float
) -> None:
    """Whatever the rows share, both parts together are the rows, and share no question."""
    rows = [
        sample(n, style, f"q{question}", *(f"q{earlier}" for earlier in history))
        for n, (style, question, history) in enumerate(drawn)
    ]
    train, held = split(rows, ratio, 7)
    assert sorted(row.id for row in train + held) == sorted(row.id for row in rows)
    assert not asked(train) & asked(held)
    assert {row.style for row in train} == {row.style for row in rows}
