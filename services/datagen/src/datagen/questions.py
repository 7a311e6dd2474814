"""The bank of situations (emotion x area of life) and the questions that people ask in them.

A bank is a data file (`questions/<language>.yaml`). A fixed part of its wordings is held out:
evaluation asks with frames, and with pairs of event and feeling, that no training row has.
"""

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, StringConstraints

from contracts.model import Authored, Name
from contracts.style import Language, Phrase
from datagen.spread import spread

Group = Literal["fear", "anger", "sadness", "shame", "fatigue", "joy"]
Joiner = Annotated[str, StringConstraints(strip_whitespace=False, max_length=20)]
Split = Literal["train", "heldout"]
# One pair of event and feeling in eight is only ever asked in evaluations.
HELDOUT_PAIRS = 8


class Frames(Authored):
    """Sentences around `{event}` and `{feeling}`, by split."""

    train: list[Phrase] = Field(min_length=1)
    heldout: list[Phrase] = Field(min_length=1)


class Emotion(Authored):
    """One of the 24 emotions: how people say it, and the calm first step that helps."""

    id: Name
    name: Phrase
    group: Group
    feelings: list[Phrase] = Field(min_length=1)
    step: Phrase


class Events(Authored):
    """What happens in an area: troubles, and good things."""

    hard: list[Phrase] = Field(min_length=1)
    good: list[Phrase] = Field(min_length=1)


class Area(Authored):
    """One of the 16 areas of life: what happens there, and the advice for each group."""

    id: Name
    name: Phrase
    events: Events
    steps: dict[Group, Phrase]


class BankFile(Authored):
    """`questions/<language>.yaml`."""

    schema_version: Literal[1] = 1
    language: Language
    joiner: Joiner
    frames: Frames
    followups: list[Phrase] = Field(min_length=1)
    fallback: Phrase
    emotions: list[Emotion] = Field(min_length=24)
    areas: list[Area] = Field(min_length=16)


@dataclass(frozen=True)
class Situation:
    """An emotion in an area of life, with its plain advice (no final punctuation)."""

    language: Language
    area: Area
    emotion: Emotion
    joiner: str

    @property
    def id(self) -> str:
        """`<area>/<emotion>`, unique within a language."""
        return f"{self.area.id}/{self.emotion.id}"

    @property
    def events(self) -> list[str]:
        """The events of the area that go with the emotion."""
        events = self.area.events
        return events.good if self.emotion.group == "joy" else events.hard

    @property
    def steps(self) -> tuple[str, str]:
        """The two halves of the advice: against the emotion, and for the area."""
        return self.emotion.step, self.area.steps[self.emotion.group]

    @property
    def advice(self) -> str:
        """The advice as one clause, without capital and full stop."""
        return self.joiner.join(self.steps)

    def is_answered_by(self, reply: str) -> bool:
        """Return whether `reply` carries both halves of this situation's advice."""
        return all(step.casefold() in reply.casefold() for step in self.steps)


@dataclass(frozen=True)
class Question:
    """What a person says; the situation is None where nobody knows which one it is."""

    text: str
    situation: Situation | None

    @property
    def situation_id(self) -> str | None:
        """The situation's id, None without one: what a row keeps."""
        return self.situation.id if self.situation else None


@dataclass(frozen=True)
class Place:
    """Where one row of a style stands: a situation, and which of its questions is meant."""

    situation: Situation | None
    number: int = 0


class Bank:
    """The situations of one language and the ways to ask about them.

    Args:
        file: the validated data file.
    """

    def __init__(self, file: BankFile) -> None:
        self.file = file
        self.language = file.language
        self._known_pairs: dict[tuple[str, Split], list[tuple[str, str]]] = {}

    @cached_property
    def situations(self) -> list[Situation]:
        """Every emotion in every area, areas first: at least 24 x 16."""
        return [
            Situation(self.language, area, emotion, self.file.joiner)
            for area in self.file.areas
            for emotion in self.file.emotions
        ]

    def situation(self, situation_id: str) -> Situation:
        """Return a situation by its id. Raises KeyError."""
        return self._by_id[situation_id]

    @cached_property
    def _by_id(self) -> dict[str, Situation]:
        return {situation.id: situation for situation in self.situations}

    def wordings(self, situation: Situation, split: Split) -> list[str]:
        """Return every question about `situation` that belongs to `split`, in a fixed order.

        Training and held-out wordings share neither a frame nor a pair of event and feeling.
        """
        return [
            ask(frame, event, feeling)
            for event, feeling in self._pairs(situation, split)
            for frame in self._frames(split)
        ]

    def draw(self, situation: Situation, split: Split, chance: random.Random) -> Question:
        """Draw one question about `situation` from `split`: one of its `wordings`.

        Only that one is written out: there are hundreds, and a generation draws for every call.
        """
        pairs, frames = self._pairs(situation, split), self._frames(split)
        place = chance.choice(range(len(pairs) * len(frames)))
        event, feeling = pairs[place // len(frames)]
        return Question(ask(frames[place % len(frames)], event, feeling), situation)

    def places(self, chance: random.Random) -> Sequence[Place]:
        """Return what the rows of a style ask about one after the other, spread over the grid."""
        cells = [(situation.area.id, situation.emotion.id) for situation in self.situations]
        return [Place(self._by_id[f"{area}/{emotion}"]) for area, emotion in spread(cells, chance)]

    def question(self, place: Place, chance: random.Random, attempt: int) -> Question:
        """Return a training question for `place`; another attempt asks in other words.

        Raises ValueError for a place without a situation, which only a question set has.
        """
        if place.situation is None:
            raise ValueError("a bank has no questions without a situation")
        return self.draw(place.situation, "train", chance)

    def _frames(self, split: Split) -> list[str]:
        return self.file.frames.train if split == "train" else self.file.frames.heldout

    def _pairs(self, situation: Situation, split: Split) -> list[tuple[str, str]]:
        key = situation.id, split
        if key not in self._known_pairs:
            self._known_pairs[key] = [
                (event, feeling)
                for event in situation.events
                for feeling in situation.emotion.feelings
                if is_heldout(event, feeling) == (split == "heldout")
            ]
        return self._known_pairs[key]

    def recognise(self, text: str) -> Situation | None:
        """Return the situation that `text` asks about last, or None.

        A dialogue's last question decides: where several clauses are named, the last one counts.
        """
        area, emotion = self.named(text)
        return self._by_id.get(f"{area}/{emotion}")

    def named(self, text: str) -> tuple[str | None, str | None]:
        """Return the area and the emotion that the bank's own clauses in `text` belong to."""
        folded = text.casefold()
        return last_named(folded, self._events), last_named(folded, self._feelings)

    @cached_property
    def _events(self) -> dict[str, str]:
        return {
            event.casefold(): area.id
            for area in self.file.areas
            for event in (*area.events.hard, *area.events.good)
        }

    @cached_property
    def _feelings(self) -> dict[str, str]:
        return {
            feeling.casefold(): emotion.id
            for emotion in self.file.emotions
            for feeling in emotion.feelings
        }


def is_heldout(event: str, feeling: str) -> bool:
    """Return whether this pair is kept for evaluations; the same on every machine."""
    return zlib.crc32(f"{event}|{feeling}".encode()) % HELDOUT_PAIRS == 0


def ask(frame: str, event: str, feeling: str) -> str:
    """Return the question, its first letter a capital."""
    text = frame.format(event=event, feeling=feeling)
    return text[:1].upper() + text[1:]


def last_named(text: str, clauses: dict[str, str]) -> str | None:
    """Return the value of the clause that occurs last in `text`, or None."""
    places = {text.rfind(clause): value for clause, value in clauses.items()}
    last = max(places, default=-1)
    return places[last] if last >= 0 else None


def load_banks(folder: Path) -> dict[Language, Bank]:
    """Return the banks of `folder` by language. Raises ValueError that names the file."""
    banks = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            file = BankFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (ValueError, yaml.YAMLError) as error:
            raise ValueError(f"{path.name}: {error}") from error
        banks[file.language] = Bank(file)
    return banks
