"""The memory planner against a simulated card: the band, the effective batch, few probes."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.card import FakeCard
from trainer.engine.planner import NothingFitsError, Plan, Probe, divisors, fastest, plan

GIB = 1 << 30
BAND = (0.90, 0.95)
SHARE = 0.925
# Hidden size, layers, words, weights: the shapes of Qwen3 0.6B to 8B, and a small one.
MODELS = {
    "0.4B": (896, 24, 32_000, 0.4e9),
    "0.6B": (1024, 28, 151_936, 0.6e9),
    "1.7B": (2048, 28, 151_936, 1.7e9),
    "4B": (2560, 36, 151_936, 4.0e9),
    "8B": (4096, 36, 151_936, 8.2e9),
}
CARDS = {"0.4B": 8, "0.6B": 16, "1.7B": 24, "4B": 40, "8B": 80}
SETTINGS = [
    (model, length, rank)
    for model, (length, rank) in itertools.product(
        MODELS, ((256, 8), (512, 64), (1024, 16), (2048, 128))
    )
]


def make_card(model: str, length: int, rank: int, *, seed: int) -> FakeCard:
    """Return a card of the size that people train such a model on, with a curve of its own."""
    hidden, layers, words, weights = MODELS[model]
    return FakeCard(
        bytes=CARDS[model] * GIB,
        static=int(weights * 2 + rank * hidden * layers * 200 + 0.6 * GIB),
        per_token=layers * hidden * 2 + words * 12 + hidden * 60,
        per_pair=2.0,
        seed=seed,
    )


def guess(card: FakeCard, length: int, error: float) -> Callable[[int], int]:
    """Return a prediction that is wrong by a share in what depends on the rows."""
    return lambda micro: int(
        card.static + micro * length * (card.per_token + card.per_pair * length) * error
    )


def reachable(card: FakeCard, length: int, units: int) -> list[int]:
    """Return the micro-batches whose peak lies in the band."""
    low, high = (share * card.bytes for share in BAND)
    return [micro for micro in divisors(units) if low <= card.peak(micro, length) <= high]


def check(made: Plan, card: FakeCard, length: int, units: int) -> None:
    """Hold a plan to what is asked of every plan."""
    assert made.micro_batch * made.accumulation == units
    assert len(card.probed) == len(set(card.probed)) == len(made.probes) <= 5
    assert made.micro_batch in card.probed
    assert card.peak(made.micro_batch, length) <= card.bytes
    assert made.in_band == (made.micro_batch in reachable(card, length, units))


@pytest.mark.parametrize(("model", "length", "rank"), SETTINGS)
@pytest.mark.parametrize("error", [0.85, 1.0, 1.15])
def test_peak_lands_in_the_band_wherever_a_micro_batch_reaches_it(
    model: str, length: int, rank: int, error: float
) -> None:
    """In twenty settings no overflow is taken, and five probes find the band if it can be had.

    Once on the card that people have, and on cards of a size for which each micro-batch in turn
    is the one in the band.
    """
    for units, seed in itertools.product((16, 48, 120), range(2)):
        shape = make_card(model, length, rank, seed=seed)
        sizes = [int(shape.peak(micro, length) / SHARE) for micro in divisors(units)]
        for size in (shape.bytes, *sizes):
            card = replace(shape, bytes=size, probed=[])
            made = plan(card, guess(card, length, error), units=units, length=length, band=BAND)
            check(made, card, length, units)
            if size in sizes:
                assert made.in_band, (units, seed, size, made)


def test_nothing_is_known_of_the_model_and_the_band_is_still_found() -> None:
    """Without a prediction the first row tells the scale."""
    card = FakeCard(bytes=24 * GIB, static=4 * GIB, per_token=1e6)
    made = plan(card, None, units=32, length=600, band=BAND)
    check(made, card, 600, 32)


@settings(max_examples=200, deadline=None)
@given(
    units=st.integers(1, 512),
    size=st.integers(4, 160),
    static=st.floats(0.05, 1.1),
    per_token=st.floats(1e4, 4e6),
    length=st.sampled_from([64, 256, 1024, 4096]),
    fragments=st.floats(0, 0.1),
    error=st.floats(0.5, 2.0),
)
def test_no_overflow_is_ever_taken(
    units: int,
    size: int,
    static: float,
    per_token: float,
    length: int,
    fragments: float,
    error: float,
) -> None:
    """Whatever card, model and misprediction: few probes, the update kept, no overflow."""
    card = FakeCard(
        size * GIB, int(static * size * GIB), per_token, fragments=fragments, seed=units
    )
    guessed = guess(card, length, error)
    if card.peak(1, length) > card.bytes:
        with pytest.raises(NothingFitsError, match="not even 1"):
            plan(card, guessed, units=units, length=length, band=BAND)
        return
    made = plan(card, guessed, units=units, length=length, band=BAND)
    assert made.micro_batch * made.accumulation == units
    assert card.peak(made.micro_batch, length) <= card.bytes
    assert len(card.probed) <= 5


def test_a_request_that_fixes_the_micro_batch_gets_it() -> None:
    """Then one probe tells what it takes."""
    card = FakeCard(24 * GIB, 4 * GIB, 1e6)
    made = plan(card, lambda micro: 5 * GIB, units=24, length=512, band=BAND, candidates=[6])
    assert (made.micro_batch, made.accumulation, card.probed) == (6, 4, [6])


def test_the_fastest_of_the_band_is_taken() -> None:
    """Memory is the condition, speed is the aim."""
    slow, quick = Probe(8, 95, 100.0, False), Probe(4, 91, 130.0, False)
    assert fastest([slow, quick]) is quick


def test_more_memory_that_brings_nothing_is_not_taken() -> None:
    """Below the band, of two equally fast ones the smaller is chosen, and said."""
    card = FakeCard(140 * GIB, 4 * GIB, 1e5, knee=1024)
    made = plan(card, guess(card, 1024, 1.0), units=16, length=1024, band=BAND)
    assert made.micro_batch < 16
    assert "not faster" in made.reason


def test_the_whole_update_is_the_most_that_can_be_used() -> None:
    """A card that is far too large stays partly empty, and the reason says so."""
    card = FakeCard(140 * GIB, 4 * GIB, 1e5, knee=1 << 20)
    made = plan(card, guess(card, 1024, 1.0), units=16, length=1024, band=BAND)
    assert made.micro_batch == 16
    assert "whole update" in made.reason


def test_one_row_above_the_band_is_better_than_none() -> None:
    """It ran; the reason warns."""
    card = FakeCard(10 * GIB, int(9.6 * GIB), 1e4, fragments=0.0)
    made = plan(card, guess(card, 256, 1.0), units=4, length=256, band=BAND)
    assert made.micro_batch == 1
    assert "above the band" in made.reason
