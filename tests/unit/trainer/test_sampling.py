"""The order of grouped rows: complete, the same for a seed, and free of other rows' lengths."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from trainer.engine.sampling import GroupedOrder, grouped_order, row_lengths


@given(
    st.lists(st.integers(1, 500), max_size=300),
    st.integers(1, 20),
    st.integers(1, 4),
    st.integers(0, 1000),
)
def test_every_row_comes_once_and_the_longest_first(
    lengths: list[int], micro: int, accumulation: int, seed: int
) -> None:
    """Nothing is lost; a batch too large for the card fails in the first step."""
    order = grouped_order(lengths, micro, micro * accumulation, seed)
    assert sorted(order) == list(range(len(lengths)))
    assert order == grouped_order(lengths, micro, micro * accumulation, seed)
    if lengths:
        assert lengths[order[0]] == max(lengths)


def test_a_resumed_epoch_reads_the_rows_that_the_killed_one_read() -> None:
    """The order follows from the Trainer's epoch, which its checkpoint restores."""
    lengths = [number % 97 for number in range(400)]
    arguments = SimpleNamespace(
        train_batch_size=8, gradient_accumulation_steps=2, world_size=1, seed=7
    )
    states = [SimpleNamespace(epoch=epoch) for epoch in (1.0, 1.48, 0.9999999)]
    orders = [
        list(GroupedOrder(SimpleNamespace(args=arguments, state=state), lengths))
        for state in [*states, SimpleNamespace(epoch=None)]
    ]
    assert orders[0] == orders[1] == orders[2]
    assert orders[0] != orders[3]


def test_a_micro_batch_has_one_length_and_an_update_several() -> None:
    """No row waits for a much longer one, and no update learns from rows of one length only."""
    lengths = [number % 200 + 1 for number in range(3200)]
    order = [lengths[index] for index in grouped_order(lengths, 8, 16, 7)]

    def spread(rows: int) -> int:
        """Return the median difference of the longest and the shortest of so many rows."""
        parts = [order[at : at + rows] for at in range(0, len(order), rows)]
        return sorted(max(part) - min(part) for part in parts)[len(parts) // 2]

    assert spread(8) < 25
    assert spread(16) > 50


def test_updates_do_not_follow_each_other_from_long_to_short() -> None:
    """Rows of one length are often of one style: the next update is of any length."""
    lengths = [number % 200 + 1 for number in range(3200)]
    order = grouped_order(lengths, 8, 16, 7)
    means = [sum(lengths[index] for index in order[at : at + 16]) for at in range(0, 3200, 16)]
    falling = sum(later < earlier for earlier, later in zip(means, means[1:], strict=False))
    assert 0.35 < falling / len(means) < 0.65


def test_the_lengths_are_those_of_the_encoded_rows() -> None:
    """Padding is not part of a row."""
    assert row_lengths({"input_ids": [[1, 2, 3], [4]]}) == [3, 1]
