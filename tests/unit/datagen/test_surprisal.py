"""Tests of naturalness without a reference."""

import math

from datagen.surprisal import ALPHABET, Trigrams
from fakes.styled_dataset import samples

ROWS = samples(40)


def test_fluent_text_is_less_surprising_than_its_characters_shuffled() -> None:
    """Word salad of the same characters costs at least two bits a character more."""
    english = [row.reply for row in ROWS if row.language == "en"]
    model = Trigrams(english[10:])
    salad = ["".join(sorted(text)) for text in english[:10]]
    assert model.mean_bits(salad) > model.mean_bits(english[:10]) + 2


def test_loop_of_unknown_characters_is_as_surprising_as_can_be() -> None:
    """Broken text ranks behind everything that people write."""
    model = Trigrams(row.reply for row in ROWS)
    assert model.bits("\ufffd" * 50) > model.bits("今天先睡个好觉。")


def test_without_training_replies_every_character_is_equally_surprising() -> None:
    """Nothing divides by zero."""
    untaught = Trigrams([])
    assert untaught.bits("ab") == untaught.bits("龘") == math.log2(ALPHABET / 0.01)
