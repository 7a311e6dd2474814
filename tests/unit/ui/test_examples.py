"""The questions to begin with."""

import pytest

from contracts.style import Language
from datagen.questions import load_banks
from fakes.library import DATAGEN
from ui.examples import EXAMPLES, EXAMPLES_SHOWN

BANKS = load_banks(DATAGEN / "questions")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_examples_are_questions_that_the_small_model_can_answer(language: Language) -> None:
    """Each asks about a situation of the bank, in a wording held out from training."""
    bank = BANKS[language]
    assert len(EXAMPLES[language]) == EXAMPLES_SHOWN
    for text in EXAMPLES[language]:
        situation = bank.recognise(text)
        assert situation, text
        assert text not in bank.wordings(situation, "train")
