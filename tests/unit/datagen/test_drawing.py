"""Tests of drawing questions for slots."""

from collections import Counter
from pathlib import Path

import pytest

from contracts.dataset import DatasetRequest
from contracts.style import Language, StyleVersion
from datagen.drawing import Questions
from datagen.library import load_cards
from datagen.questions import Bank, is_heldout
from datagen.slots import Slot, plan


def test_question_follows_from_the_seed_alone(
    banks: dict[Language, Bank], versions: list[StyleVersion]
) -> None:
    """A resumed process asks the same; another attempt or seed asks something else."""
    slot = Slot(versions[0], 3, 2)
    first = Questions(banks, 7).draw(slot, 1).text
    assert Questions(banks, 7).draw(slot, 1).text == first
    others = [
        Questions(banks, 7).draw(slot, 2).text,
        Questions(banks, 8).draw(slot, 1).text,
    ]
    assert first not in others


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
            question = questions.draw(Slot(version, number, 2), 1)
            assert question.situation
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
    asked = {questions.draw(Slot(versions[0], n, 1), 1).situation_id for n in range(size)}
    assert len(asked) == size


@pytest.mark.parametrize(
    ("per_style", "turns", "ratio"), [(100, 2, 0.2), (100, 4, 0.5), (384, 2, 0.2), (500, 3, 0.5)]
)
def test_rows_of_every_style_are_spread_evenly(
    banks: dict[Language, Bank], shipped: Path, per_style: int, turns: int, ratio: float
) -> None:
    """Over all shipped cards the counts of two cells, areas or emotions differ by one at most."""
    cards = [StyleVersion(version=1, style=card) for card in load_cards(shipped / "styles")]
    request = DatasetRequest(per_style=per_style, turns=turns, multi_turn_ratio=ratio)
    questions = Questions(banks, request.seed)
    asked: dict[str, list[str]] = {}
    for slot in plan(request, cards):
        first = questions.draw(slot, 1).situation_id
        asked.setdefault(slot.style.style.id, []).append(first or "")
    for version in cards:
        own, bank = asked[version.style.id], banks[version.style.language]
        assert gap(own, [situation.id for situation in bank.situations]) <= 1
        areas, emotions = zip(*(one.split("/") for one in own), strict=True)
        assert gap(areas, [area.id for area in bank.file.areas]) <= 1
        assert gap(emotions, [emotion.id for emotion in bank.file.emotions]) <= 1


def gap(found: list[str] | tuple[str, ...], known: list[str]) -> int:
    """Return how much the largest and the smallest count of the known names differ."""
    counts = Counter(found)
    assert set(counts) <= set(known)
    return max(counts[name] for name in known) - min(counts[name] for name in known)
