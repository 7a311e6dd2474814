"""Tests of slots and their questions."""

from collections import Counter

from contracts.dataset import DatasetRequest
from contracts.style import Language, StyleVersion
from datagen.questions import Bank, is_heldout
from datagen.slots import Questions, Slot, plan, request_seed


def test_plan_has_the_quota_of_every_style_and_the_share_of_dialogues(
    versions: list[StyleVersion],
) -> None:
    """Each style gets its rows, and exactly the asked share of them has several turns."""
    request = DatasetRequest(per_style=50, multi_turn_ratio=0.2, turns=3)
    slots = plan(request, versions)
    assert len({slot.id for slot in slots}) == 100
    assert Counter(slot.style.style.id for slot in slots) == {"tsundere": 50, "dry-butler": 50}
    assert Counter(slot.turns for slot in slots) == {1: 80, 3: 20}


def test_plan_without_dialogues_has_none(versions: list[StyleVersion]) -> None:
    """A ratio of 0 gives single turns only, a ratio of 1 dialogues only."""
    none = plan(DatasetRequest(per_style=9, multi_turn_ratio=0), versions)
    every = plan(DatasetRequest(per_style=9, multi_turn_ratio=1), versions)
    assert {slot.turns for slot in none} == {1}
    assert {slot.turns for slot in every} == {2}


def test_question_follows_from_the_seed_alone(
    banks: dict[Language, Bank], versions: list[StyleVersion]
) -> None:
    """A resumed process asks the same; another attempt, turn or seed asks something else."""
    slot = Slot(versions[0], 3, 2)
    first = Questions(banks, 7).draw(slot, 0, 1).text
    assert Questions(banks, 7).draw(slot, 0, 1).text == first
    others = [
        Questions(banks, 7).draw(slot, 0, 2).text,
        Questions(banks, 7).draw(slot, 1, 1).text,
        Questions(banks, 8).draw(slot, 0, 1).text,
    ]
    assert first not in others
    seeds = {request_seed(7, slot, turn, attempt) for turn in (0, 1) for attempt in (1, 2)}
    assert len(seeds) == 4


def test_questions_are_training_wordings_in_the_language_of_the_style(
    banks: dict[Language, Bank], versions: list[StyleVersion]
) -> None:
    """No held-out frame or pair of event and feeling is ever asked, and the bank knows them all."""
    questions = Questions(banks, 7)
    for version in versions:
        bank = banks[version.style.language]
        heldout = {
            (event, feeling)
            for area in bank.file.areas
            for event in (*area.events.hard, *area.events.good)
            for emotion in bank.file.emotions
            for feeling in emotion.feelings
            if is_heldout(event, feeling)
        }
        for number in range(60):
            question = questions.draw(Slot(version, number, 2), number % 2, 1)
            assert bank.recognise(question.text) == question.situation
            folded = question.text.casefold()
            events = [event for event in question.situation.events if event.casefold() in folded]
            feelings = question.situation.emotion.feelings
            said = [feeling for feeling in feelings if feeling.casefold() in folded]
            assert not {(event, feeling) for event in events for feeling in said} & heldout


def test_every_situation_comes_before_any_comes_again(
    banks: dict[Language, Bank], versions: list[StyleVersion]
) -> None:
    """384 slots of a style cover all situations."""
    questions = Questions(banks, 7)
    size = len(banks["zh"].situations)
    asked = {questions.draw(Slot(versions[0], n, 1), 0, 1).situation.id for n in range(size)}
    assert len(asked) == size
