"""What fine-tuning may have made a model forget: short instructions and general questions.

The items are ours (`probe/<language>.yaml`). Instructions carry constraints that a program checks,
as IFEval does (arXiv 2311.07911); general questions have accepted answers. Both models are asked
without any style. A base that knows next to nothing can lose nothing: then nobody can tell.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, model_validator

from contracts.evaluation import Reply
from contracts.model import Authored, Name
from contracts.proof import Figure, ForgettingProbe, ProbeKind, ProbeScore
from contracts.sample import Message
from contracts.style import Language, Phrase
from datagen.bootstrap import difference_figure, share_figure
from datagen.chat import Answer
from datagen.contestants import BASE, TUNED
from datagen.evaluate import Asked
from datagen.heldout import HeldOut

# A base that gets fewer right has too little to lose for the interval to say anything.
KNOWN = 8
# "Kept" needs to be sure that at most this share of the items was lost.
MARGIN = 0.1
LISTED = re.compile(r"^\s*(?:\d+[.)、:：]|[-*•])\s*\S", re.MULTILINE)
Verdict = Literal["kept", "forgot", "cannot_tell"]
Words = Annotated[list[Phrase], Field(max_length=16)]


class Constraints(Authored):
    """What a reply must be; only what is given is checked."""

    json_keys: Words = []
    items: int | None = Field(default=None, ge=1, description="numbered or marked lines")
    contains: Words = Field(default=[], description="every one of them, whatever the case")
    excludes: Words = []
    any_of: Words = Field(default=[], description="at least one of them: accepted answers")
    most_characters: int | None = Field(default=None, ge=1)
    least_characters: int | None = Field(default=None, ge=1)
    sentences: int | None = Field(default=None, ge=1)
    starts: Phrase | None = None
    ends: Phrase | None = None
    upper: bool = Field(default=False, description="letters as capitals only")

    @model_validator(mode="after")
    def _checks_something(self) -> "Constraints":
        """Refuse an item that any reply would pass."""
        if not self.model_fields_set:
            raise ValueError("an item needs at least one constraint")
        return self

    def met_by(self, reply: str) -> bool:
        """Return whether `reply` is not empty and meets every constraint."""
        text, folded = reply.strip(), reply.strip().casefold()
        return bool(text) and all(
            (
                not self.json_keys or has_keys(text, self.json_keys),
                self.items in (None, len(LISTED.findall(text))),
                all(word.casefold() in folded for word in self.contains),
                not any(word.casefold() in folded for word in self.excludes),
                not self.any_of or any(said(word, folded) for word in self.any_of),
                len(text) <= (self.most_characters or len(text)),
                len(text) >= (self.least_characters or 0),
                self.sentences in (None, sentences(text)),
                text.startswith(self.starts or ""),
                text.endswith(self.ends or ""),
                not self.upper or text.isupper(),
            )
        )


class Item(Authored):
    """One item of the probe."""

    id: Name
    kind: ProbeKind
    ask: Phrase
    check: Constraints

    def passed_by(self, reply: str) -> bool:
        """Return whether `reply` meets the constraints, and not by giving the question back."""
        return self.ask.casefold() not in reply.casefold() and self.check.met_by(reply)


class ProbeFile(Authored):
    """`probe/<language>.yaml`."""

    schema_version: Literal[1] = 1
    language: Language
    items: list[Item] = Field(min_length=1)


def load_probe(folder: Path) -> dict[Language, list[Item]]:
    """Return the items by language. Raises ValueError that names the file."""
    found: dict[Language, list[Item]] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            file = ProbeFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (ValueError, yaml.YAMLError) as error:
            raise ValueError(f"{path.name}: {error}") from error
        found[file.language] = file.items
    return found


def said(word: str, folded: str) -> bool:
    """Return whether casefolded text names `word`; a number counts only as a whole one."""
    if word.isdigit():
        return word in re.findall(r"\d+", folded)
    return word.casefold() in folded


def has_keys(text: str, keys: Sequence[str]) -> bool:
    """Return whether `text` is one JSON object with `keys`, perhaps in a code block."""
    inner = re.sub(r"\A```(?:json)?\s*|\s*```\Z", "", text)
    try:
        document = json.loads(inner)
    except ValueError:
        return False
    return isinstance(document, dict) and set(keys) <= set(document)


def sentences(text: str) -> int:
    """Return the number of sentences by their final marks; a rest without one counts too."""
    return len([part for part in re.split(r"[。！？!?.]+", text) if part.strip()])


@dataclass(frozen=True)
class ProbeJudge:
    """Checks an answer against the constraints of its item.

    Args:
        items: by id.
    """

    items: Mapping[str, Item]

    def reply(self, asked: Asked, answer: Answer, examples: int = 0) -> Reply:
        """Return the checked reply; style and topic are no matter of the probe."""
        item = self.items[asked.heldout.style]
        return Reply(
            contestant=asked.contestant,
            model=asked.model,
            style=item.id,
            situation=None,
            question=item.ask,
            reply=answer.text,
            predicted_style="",
            on_topic=None,
            finish_reason=answer.finish_reason,
            examples=examples,
            passed=item.passed_by(answer.text),
        )


def probe_questions(
    items: Mapping[Language, Sequence[Item]], languages: Iterable[Language]
) -> list[HeldOut]:
    """Return the items in the languages that the styles speak, without any style prompt."""
    return [
        HeldOut(item.id, 0, one, item.ask, (Message(role="user", content=item.ask),))
        for one in sorted(set(languages))
        for item in items.get(one, ())
    ]


def by_id(items: Mapping[Language, Sequence[Item]]) -> dict[str, Item]:
    """Return the items of all languages by their ids."""
    return {item.id: item for group in items.values() for item in group}


def probe_figures(
    replies: Sequence[Reply], items: Mapping[Language, Sequence[Item]], seed: int
) -> ForgettingProbe | None:
    """Return what the probe found; None where base or tuned was not asked."""
    marks: dict[str, dict[str, bool]] = {}
    for row in replies:
        marks.setdefault(row.contestant, {})[row.style] = bool(row.passed)
    if not {BASE, TUNED} <= set(marks):
        return None
    asked = list(marks[BASE])
    before, after = ([float(marks[name][item]) for item in asked] for name in (BASE, TUNED))
    difference = difference_figure(after, before, seed=seed)
    return ForgettingProbe(
        items=len(asked),
        scores=[score(name, passed, items) for name, passed in marks.items()],
        difference=difference,
        verdict=verdict(int(sum(before)), difference),
    )


def score(
    contestant: str, passed: Mapping[str, bool], items: Mapping[Language, Sequence[Item]]
) -> ProbeScore:
    """Return the shares of one contestant: of all items, by kind and by language."""
    kinds: dict[ProbeKind, list[bool]] = {}
    languages: dict[Language, list[bool]] = {}
    for language, group in items.items():
        for item in group:
            if item.id in passed:
                kinds.setdefault(item.kind, []).append(passed[item.id])
                languages.setdefault(language, []).append(passed[item.id])
    return ProbeScore(
        contestant=contestant,
        right=share_figure(list(passed.values())),
        by_kind={kind: share_figure(marks) for kind, marks in kinds.items()},
        by_language={one: share_figure(marks) for one, marks in languages.items()},
    )


def verdict(known: int, difference: Figure) -> Verdict:
    """Return whether the tuned model forgot; `known` items were right before."""
    if known < KNOWN:
        return "cannot_tell"
    if difference.interval.high < 0:
        return "forgot"
    return "kept" if difference.interval.low > -MARGIN else "cannot_tell"
