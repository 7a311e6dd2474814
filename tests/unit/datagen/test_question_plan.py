"""Tests of which questions an evaluation asks: three sets that share no wording."""

from pathlib import Path

import pytest

from contracts.evaluation import EvaluationRequest
from contracts.volume import Volume
from datagen.heldout import SplitDataset, load_dataset
from datagen.question_plan import question_plan
from fakes.styled_dataset import BANKS, DATASET, STYLES, imported, publish_dataset, samples


@pytest.fixture
def dataset(tmp_path: Path) -> SplitDataset:
    """A generated dataset."""
    volume = Volume(tmp_path)
    publish_dataset(volume, samples(14))
    return load_dataset(volume, DATASET)


def request(**changes: int | bool) -> EvaluationRequest:
    """Return a request for a few questions."""
    return EvaluationRequest.model_validate(
        {"dataset_id": DATASET, "per_style": 6, "prompt_questions": 3} | changes
    )


def test_judged_selection_and_later_turns_share_no_wording(dataset: SplitDataset) -> None:
    """Six judged, three to choose prompts, two conversations of two further turns, by style."""
    found = question_plan(dataset, BANKS, request(turns=3, conversations=2))
    judged = {one.question for one in found.judged}
    selection = {one.question for one in found.selection}
    turns = {one.question for one in found.turns.values()}
    assert (len(judged), len(selection), len(turns)) == (24, 12, 16)
    assert not judged & selection
    assert not any(known in later for known in judged | selection for later in turns)
    keys = {key[1:] for key in found.turns if key[0] == "gentle"}
    assert keys == {(0, 2), (1, 2), (0, 3), (1, 3)}


def test_judged_questions_do_not_change_with_what_else_is_asked(dataset: SplitDataset) -> None:
    """Older reports stay comparable: the same seed asks the same questions."""
    few = question_plan(dataset, BANKS, request(turns=1, prompted=False))
    assert few.judged == question_plan(dataset, BANKS, request(turns=4)).judged
    assert (few.selection, few.turns) == ([], {})


def test_import_with_too_little_held_back_chooses_on_training_questions(tmp_path: Path) -> None:
    """A prompt is not trained, so nothing leaks; conversations stay short instead."""
    volume = Volume(tmp_path)
    publish_dataset(volume, imported(samples(14)))
    dataset = load_dataset(volume, DATASET)
    found = question_plan(dataset, BANKS, request(per_style=1000))
    trained = {row.question for row in dataset.train}
    assert {one.question for one in found.selection} <= trained
    assert len(found.selection) == 3 * len(STYLES)
    assert found.turns == {}
