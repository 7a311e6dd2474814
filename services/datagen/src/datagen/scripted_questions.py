"""The scripted teacher's questions: composed from the bank's own clauses and the people who ask.

So a question set can be written without a key and without a network. Like a real teacher it errs
now and then: a line is broken, about something else, in the other language, or a repetition.
"""

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from contracts.style import Language
from datagen.personas import Persona, Personas
from datagen.question_prompts import TASK, WRITE
from datagen.questions import Bank, Situation, ask, is_heldout

FOREIGN: Mapping[Language, str] = {
    "zh": "I have been feeling this way all week and could use a word of advice.",
    "en": "这一整个星期我都是这样的心情，吃饭睡觉都惦记着，想听听你的建议。",
}
NUMBER: Mapping[Language, str] = {
    "zh": "回头打给我，13800138000。",
    "en": "Call me back at 415-555-0132.",
}


def question_task(text: str) -> Mapping[str, Any] | None:
    """Return the task in a user message, None where it is a chat."""
    if not text.startswith("{"):
        return None
    try:
        task = json.loads(text)
    except ValueError:
        return None
    return task if isinstance(task, dict) and task.get(TASK) == WRITE else None


class QuestionWriter:
    """Writes the questions of a task.

    Args:
        banks: situations by language.
        personas: people by language.
        flaw_rate: share of lines that are wrong on purpose, 0 to 1.
    """

    def __init__(
        self,
        banks: Mapping[Language, Bank],
        personas: Mapping[Language, Personas],
        flaw_rate: float = 0.0,
    ) -> None:
        self.banks = banks
        self.personas = personas
        self.flaw_rate = flaw_rate

    def reply(self, task: Mapping[str, Any], seed: object) -> str:
        """Return JSON Lines, one for each person of the task. Raises ValueError for a bad task."""
        try:
            language: Language = task["language"]
            bank = self.banks[language]
            situation = bank.situation(f"{task['area']['id']}/{task['emotion']['id']}")
            people = [self._person(language, one["id"]) for one in task["people"]]
        except (KeyError, TypeError) as error:
            raise ValueError(f"no task that can be written: {error}") from error
        chance = random.Random(f"{seed}/{language}/{situation.id}")
        pairs = self._pairs(situation, chance)
        lines = []
        for number, persona in enumerate(people):
            text = composed(persona, *pairs[number % len(pairs)], chance)
            line = labelled(text, situation)
            if chance.random() < self.flaw_rate:
                line = chance.choice(FLAWS)(text, situation, bank, chance)
            lines.append(line)
        return "\n".join(lines)

    def _person(self, language: Language, persona_id: str) -> Persona:
        persona = self.personas[language].find(persona_id)
        if persona is None:
            raise KeyError(persona_id)
        return persona

    def _pairs(self, situation: Situation, chance: random.Random) -> list[tuple[str, str]]:
        """Return pairs of event and feeling in a random order, without those the bank holds out."""
        pairs = [
            (event, feeling)
            for event in situation.events
            for feeling in situation.emotion.feelings
            if not is_heldout(event, feeling)
        ]
        chance.shuffle(pairs)
        return pairs


def composed(persona: Persona, event: str, feeling: str, chance: random.Random) -> str:
    """Return what `persona` says of an event and a feeling."""
    frame = chance.choice(persona.register.frames)
    opening = persona.occupation.opening
    return ask(frame.replace("{opening}", opening), event, feeling)


def labelled(text: str, situation: Situation) -> str:
    """Return a line of the reply."""
    line = {"question": text, "emotion": situation.emotion.id, "area": situation.area.id}
    return json.dumps(line, ensure_ascii=False)


Flaw = Callable[[str, Situation, Bank, random.Random], str]


def elsewhere(_: str, situation: Situation, bank: Bank, chance: random.Random) -> str:
    """Return a question about another cell."""
    other = chance.choice([one for one in bank.situations if one.id != situation.id])
    return labelled(bank.draw(other, "train", chance).text, situation)


FLAWS: tuple[Flaw, ...] = (
    elsewhere,
    lambda text, situation, bank, chance: labelled(text, situation)[:-20],
    lambda text, situation, bank, chance: f"1. {labelled(text, situation)[:-1]},}}",
    lambda text, situation, bank, chance: labelled(FOREIGN[bank.language], situation),
    lambda text, situation, bank, chance: labelled(f"{text}{NUMBER[bank.language]}", situation),
    lambda text, situation, bank, chance: labelled(text[:3], situation),
    lambda text, situation, bank, chance: labelled(
        bank.draw(situation, "train", chance).text, situation
    ),
)
