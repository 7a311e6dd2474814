"""Tests of the people who ask."""

import random
from pathlib import Path

import pytest

from contracts.style import Language
from datagen.personas import load_personas
from datagen.questions import Bank
from datagen.scripted_questions import composed

PARTS = ("{opening}", "{event}", "{feeling}")


def test_shipped_people_are_many_and_consistent(shipped: Path) -> None:
    """Hundreds in each language, each found by its id, nobody at an age that does not go."""
    found = load_personas(shipped / "questions" / "personas")
    assert set(found) == {"zh", "en"}
    for people in found.values():
        assert len(people.everyone) >= 200
        assert len({persona.id for persona in people.everyone}) == len(people.everyone)
        for persona in people.everyone:
            assert people.find(persona.id) == persona
            assert persona.age.id in persona.occupation.ages
    assert found["zh"].find("teens/retired/blunt") is None


def test_every_frame_holds_opening_event_and_feeling(
    shipped: Path, banks: dict[Language, Bank]
) -> None:
    """What is composed of them is recognised by the bank, in every way of speaking."""
    for language, people in load_personas(shipped / "questions" / "personas").items():
        bank = banks[language]
        situation = bank.situations[7]
        event, feeling = situation.events[0], situation.emotion.feelings[0]
        for register in people.file.registers:
            for frame in register.frames:
                assert all(frame.count(part) == 1 for part in PARTS)
        for persona in people.everyone:
            text = composed(persona, event, feeling, random.Random(persona.id))
            assert bank.recognise(text) == situation
            assert persona.occupation.opening.casefold() in text.casefold()


def test_unknown_age_is_refused_with_the_file_named(tmp_path: Path) -> None:
    """A mistake in the data names file and occupation."""
    (tmp_path / "en.yaml").write_text(
        "language: en\nages: [{id: old, name: old}]\n"
        "occupations: [{id: cook, name: cook, ages: [young], opening: I cook}]\n"
        "registers: [{id: plain, name: plain, frames: ['{opening} {event} {feeling}']}]\n",
        encoding="utf-8",
    )
    with pytest.raises(ValueError, match=r"(?s)personas/en.yaml: .*occupation cook: no age young"):
        load_personas(tmp_path)
