"""The scripted teacher's user side: a person whose feeling follows the asked course, offline.

It reads what a real teacher reads: the key in the user prompt (situation, course, strength) and the
conversation so far. Its words are data (`scripted_user.yaml`), composed by chance from the seed.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

from contracts.sample import Trajectory
from contracts.style import Language
from datagen.compose import capital
from datagen.questions import Bank, Situation, is_heldout

KEY = re.compile(
    r"\b(?P<language>zh|en) · (?P<situation>[a-z0-9._/-]+)"
    r" · (?P<trajectory>escalates|calms|deflects) · (?P<level>[1-5])(?![0-9])"
)


@dataclass(frozen=True)
class Part:
    """What the scripted user is to play."""

    language: Language
    situation: Situation
    trajectory: Trajectory
    level: int


@cache
def lines() -> Mapping[Language, Any]:
    """Return the words of the scripted user, by language."""
    text = Path(__file__).with_name("scripted_user.yaml").read_text(encoding="utf-8")
    return cast("Mapping[Language, Any]", yaml.safe_load(text))


def read_part(system: str, banks: Mapping[Language, Bank], chance: random.Random) -> Part | None:
    """Return the part that a system message asks to play; None where it asks for no user.

    A situation that the bank does not know is replaced by any of its own.
    """
    found = KEY.search(system)
    if found is None:
        return None
    language = cast("Language", found["language"])
    known = {one.id: one for one in banks[language].situations}
    situation = known.get(found["situation"]) or chance.choice(banks[language].situations)
    trajectory = cast("Trajectory", found["trajectory"])
    return Part(language, situation, trajectory, int(found["level"]))


def user_words(part: Part, talk: str, chance: random.Random) -> str:
    """Return what the user says after `talk`, the conversation so far."""
    words = lines()[part.language]
    if part.trajectory == "deflects":
        return elsewhere(words["deflects"], part.language, chance)
    joy = part.situation.emotion.group == "joy"
    chosen = words[part.trajectory]["joy" if joy else "hard"]
    level = nearest(part.level, chosen["starts"])
    middle = chance.choice(chosen["middles"]).format(event=event_of(part.situation, talk, chance))
    end = chance.choice(words["joy_ends" if joy else "ends"].get(level, words["ends"][level]))
    start = chance.choice(chosen["starts"][level])
    return f"{start}{'' if part.language == 'zh' else ' '}{capital(middle)}{end}"


def elsewhere(words: Mapping[str, list[str]], language: Language, chance: random.Random) -> str:
    """Return words about something that has nothing to do with the situation."""
    start, when, where, thing, remark = (
        chance.choice(words[name]) for name in ("starts", "when", "where", "things", "remarks")
    )
    if language == "zh":
        return f"{start}{when}{where}的{thing}，{remark}"
    return f"{start} {when} there was {thing} {where}; {remark}"


def nearest(level: int, known: Mapping[int, Any]) -> int:
    """Return the level among `known` that is nearest to `level`."""
    return min(known, key=lambda one: abs(one - level))


def event_of(situation: Situation, talk: str, chance: random.Random) -> str:
    """Return the event that the person told of; else one that training may ask about."""
    folded = talk.casefold()
    if told := [event for event in situation.events if event.casefold() in folded]:
        return min(told, key=lambda event: folded.find(event.casefold()))
    feelings = situation.emotion.feelings
    free = [one for one in situation.events if not all(is_heldout(one, f) for f in feelings)]
    return chance.choice(free or situation.events)


def wrong_words(part: Part, talk: str, chance: random.Random) -> str:
    """Return words that a gate must refuse: of a helper, foreign, repeated, none, off course."""
    words = lines()[part.language]
    told = talk.splitlines()[0] if talk else ""
    loud = part.trajectory != "escalates"
    off = replace(part, trajectory="escalates" if loud else "calms", level=5 if loud else 1)
    wrong: list[str] = [
        str(chance.choice(words["helper"])),
        str(words["foreign"]),
        re.sub(r"^\S+?[：:]\s*", "", told),
        "",
        user_words(off, talk, chance),
    ]
    return chance.choice(wrong)
