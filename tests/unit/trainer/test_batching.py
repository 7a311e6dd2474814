"""How rows share a batch: the cheapest way, no row lost, the update kept."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.engine.batching import TOLERANCE, Asked, arguments_of, choose, kept

SPREAD = [(length, 30) for length in range(30, 300, 7)]
EVEN = [(128, 900)]


def asked(**changes: Any) -> Asked:
    """Return what the recipe `qlora` asks for on a card, with changes."""
    given_: dict[str, Any] = {
        "stage": "sft",
        "micro": 8,
        "accumulation": 2,
        "cutoff": 1024,
        "fixed": {},
        "recipe_cutoff": True,
        "world_size": 1,
        "card": True,
        "pair_cost": 5e-5,
        "positions": 32_768,
    }
    return Asked(**{**given_, **changes})


def test_rows_of_many_lengths_are_packed_on_a_card_and_grouped_on_a_cpu() -> None:
    """Each device gets what its kernels do best, with nearly no padding."""
    card, cpu = choose(SPREAD, asked()), choose(SPREAD, asked(card=False, pair_cost=5e-4))
    assert (card.way.batching, cpu.way.batching) == ("packed", "grouped")
    assert min(card.way.useful_ratio, cpu.way.useful_ratio) > 0.93


def test_rows_of_one_length_are_taken_as_they_come() -> None:
    """Where nothing is padded there is nothing to gain, and the order stays random."""
    assert choose(EVEN, asked()).way.batching == "plain"
    assert choose(EVEN, asked(card=False)).way.batching == "plain"


@pytest.mark.parametrize("stage", ["dpo", "kto", "pt"])
def test_preferences_and_plain_texts_are_never_packed(stage: str) -> None:
    """LLaMA-Factory packs conversations only; a request for packs is refused with the field."""
    assert choose(SPREAD, asked(stage=stage)).way.batching == "plain"
    with pytest.raises(ValueError, match="batching"):
        choose(SPREAD, asked(stage=stage, fixed={"batching": "packed"}))


@pytest.mark.parametrize("wish", ["packed", "grouped", "plain"])
def test_a_request_decides_the_batching(wish: str) -> None:
    """What is fixed is not chosen, on either device."""
    for card in (True, False):
        assert choose(SPREAD, asked(card=card, fixed={"batching": wish})).way.batching == wish


def test_a_request_that_counts_rows_is_not_given_packs() -> None:
    """Eight rows of a micro-batch would become eight packs of many rows each."""
    made = choose(SPREAD, asked(fixed={"per_device_train_batch_size": 8}))
    assert made.way.batching != "packed"


def test_a_few_long_rows_raise_the_cutoff_so_that_none_is_cut() -> None:
    """A recipe's cutoff gives way to the longest row, and that is said."""
    made = choose([*SPREAD, (1500, 2)], asked())
    assert made.cut_rows == 0
    assert made.way.cutoff_len >= 1500
    assert any("raised from 1024" in sentence for sentence in made.reasons)


def test_a_row_far_beyond_the_cutoff_is_cut_and_counted() -> None:
    """One row of a book must not decide what all others cost; it is never dropped in silence."""
    made = choose([*SPREAD, (9000, 1)], asked())
    assert made.cut_rows == 1
    assert any("1 rows" in sentence and "cut" in sentence for sentence in made.reasons)


def test_texts_longer_than_the_cutoff_are_no_loss() -> None:
    """Stage pt joins texts and parts them into blocks of the cutoff."""
    assert choose([*SPREAD, (9000, 1)], asked(stage="pt")).cut_rows == 0


def test_a_fixed_cutoff_stays_whatever_the_rows_are() -> None:
    """The request's cutoff is handed on, in packs too, and what it cuts is counted."""
    for batching in ("packed", "grouped"):
        fixed = {"cutoff_len": 128, "batching": batching}
        made = choose(SPREAD, asked(cutoff=128, recipe_cutoff=False, fixed=fixed))
        assert made.way.cutoff_len == 128
        assert made.cut_rows == sum(
            rows for length, rows in SPREAD if length >= 129 - (batching == "packed")
        )


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(8, 900), min_size=40, max_size=400),
    micro=st.integers(1, 64),
    accumulation=st.integers(1, 8),
    world_size=st.sampled_from([1, 2, 4]),
    card=st.booleans(),
)
def test_no_row_is_lost_and_the_update_is_kept(
    lengths: list[int], micro: int, accumulation: int, world_size: int, card: bool
) -> None:
    """Whatever the lengths are: packs hold the longest row, updates keep their rows."""
    wanted = asked(micro=micro, accumulation=accumulation, world_size=world_size, card=card)
    made = choose(sorted(Counter(lengths).items()), wanted)
    assert made.cut_rows == 0
    rows = made.units * made.rows_per_unit * world_size
    if made.way.batching == "packed":
        assert made.way.cutoff_len % 64 == 0
        assert made.way.cutoff_len > max(lengths)
        assert abs(rows - wanted.rows) <= TOLERANCE * wanted.rows
    elif wanted.rows % world_size == 0:
        assert rows == wanted.rows


def test_an_update_that_cannot_be_shared_says_how_many_rows_it_has() -> None:
    """Three processes cannot take sixteen rows."""
    made = choose(EVEN, asked(world_size=3))
    assert "not 16" in kept(made.way, made.units, asked(world_size=3))


@pytest.mark.parametrize(
    ("batching", "packs", "strategy"),
    [("packed", True, "random"), ("grouped", False, "group_by_length"), ("plain", False, "random")],
)
def test_each_batching_is_written_as_the_engine_reads_it(
    batching: str, packs: bool, strategy: str
) -> None:
    """Packs are always neat ones: attention never crosses rows."""
    answer = {"batching": batching, "cutoff_len": 512, "micro_batch": 4, "accumulation": 2}
    laid = arguments_of({**answer, "checkpointing": False, "eval_batch": 0}, "sft")
    assert laid["packing"] is laid["neat_packing"] is packs
    assert laid["train_sampling_strategy"] == strategy
    assert laid["disable_gradient_checkpointing"] is True


def test_other_stages_get_no_argument_that_they_refuse() -> None:
    """LLaMA-Factory refuses `neat_packing` outside of stage sft, and pt packs by itself."""
    answer = {"batching": "plain", "cutoff_len": 512, "micro_batch": 4, "accumulation": 2}
    laid = arguments_of({**answer, "checkpointing": True, "eval_batch": 2}, "pt")
    assert not {"packing", "neat_packing"} & set(laid)
    assert laid["per_device_eval_batch_size"] == 2
