"""The held-out questions of an evaluation: what neither the model nor the classifier has seen.

A generated dataset is asked about situations of the bank, in wordings that no training row has;
one that was made of a question set is asked the part of that set which is held out. A dataset
without situations (an import) is asked the questions of its own evaluation split.
"""

import json
import random
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from contracts.dataset import BANK, Conditioning, DatasetManifest
from contracts.question_set import SetQuestion
from contracts.sample import Message, Sample
from contracts.style import Language, Style
from contracts.volume import Volume
from datagen.formats import COLUMNS, EVAL, PREFERENCE, WITH_PREFIX, WITH_SYSTEM, prefix_of
from datagen.journals import read_samples
from datagen.question_sets import load_set, question_set_of, set_banks
from datagen.questions import Bank, Situation
from datagen.split import questions_of
from datagen.text import letters
from kit.errors import InvalidInputError, NotFoundError


@dataclass(frozen=True)
class HeldOut:
    """One question that both contestants get, with the very same messages."""

    style: str
    number: int
    language: Language
    question: str
    messages: tuple[Message, ...]
    situation: Situation | None = None


@dataclass(frozen=True)
class SplitDataset:
    """A published dataset with its rows by split; `paired`: the questions of its pairs."""

    manifest: DatasetManifest
    train: list[Sample]
    heldout: list[Sample]
    styles: dict[str, Style] = field(default_factory=dict)
    question_set: tuple[SetQuestion, ...] | None = None
    paired: frozenset[str] = frozenset()

    @property
    def trained(self) -> frozenset[str]:
        """The letters of every question that is trained on, also amid a dialogue or in a pair."""
        return self.paired.union(*map(questions_of, self.train))

    @property
    def asks_bank(self) -> bool:
        """Whether its rows name situations, in the bank's own wordings."""
        return self.question_set is None and any(sample.situation for sample in self.train)


def load_dataset(volume: Volume, dataset_id: str) -> SplitDataset:
    """Return a published dataset.

    Raises:
        NotFoundError: it, or the question set that it was made of, is not there.
        InvalidInputError: it has no rows.
    """
    try:
        manifest = volume.dataset_manifest(dataset_id)
    except (FileNotFoundError, ValueError) as error:
        raise NotFoundError(
            f"there is no dataset {dataset_id[:80]!r}",
            field="dataset_id",
            hint="list the datasets with GET /datasets",
        ) from error
    folder = volume.dataset(dataset_id)
    asked = heldout_questions(folder / f"{EVAL}.json")
    train: list[Sample] = []
    heldout: list[Sample] = []
    for sample in read_samples(folder):
        (heldout if sample.question in asked else train).append(sample)
    if not train:
        raise InvalidInputError("the dataset has no training rows", field="dataset_id")
    styles = {version.style.id: version.style for version in manifest.styles}
    set_id = question_set_of(volume, manifest)
    made_of = None if set_id == BANK else tuple(load_set(volume, set_id, field="dataset_id"))
    paired = paired_questions(folder / f"{PREFERENCE}.json")
    return SplitDataset(manifest, train, heldout, styles, made_of, paired)


def heldout_questions(path: Path) -> frozenset[str]:
    """Return the questions of the evaluation file: rows are split by question, never by row."""
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return frozenset(row[COLUMNS["prompt"]] for row in rows)


def paired_questions(path: Path) -> frozenset[str]:
    """Return the letters of the questions of a file of pairs: those of votes are in no row."""
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    said = (
        text
        for row in rows
        for text in (row[COLUMNS["prompt"]], *(user for user, _ in row.get("history") or ()))
    )
    return frozenset(map(letters, said))


def plan(
    dataset: SplitDataset, banks: Mapping[Language, Bank], per_style: int, seed: int
) -> list[HeldOut]:
    """Return the questions to ask: `per_style` of each style, fewer where there are no more.

    Raises:
        InvalidInputError: there is nothing held out to ask.
    """
    if dataset.asks_bank:
        questions = list(bank_questions(dataset, banks, per_style, seed))
    elif dataset.question_set:
        questions = list(set_questions(dataset, banks, per_style, seed))
    else:
        questions = list(dataset_questions(dataset, per_style, seed))
    if not questions:
        raise InvalidInputError(
            "the dataset holds nothing back to ask about",
            field="dataset_id",
            hint="publish it again with an eval_ratio above 0",
        )
    return questions


def bank_questions(
    dataset: SplitDataset, banks: Mapping[Language, Bank], per_style: int, seed: int
) -> Iterator[HeldOut]:
    """Yield held-out wordings of distinct situations, drawn for each style by itself."""
    trained = dataset.trained
    for style in dataset.styles.values():
        if style.language not in banks:
            continue
        bank = banks[style.language]
        chance = random.Random(f"{seed}:{style.id}")
        for number, (situation, text) in enumerate(draw(bank, trained, per_style, chance)):
            messages = prompt(dataset.manifest.conditioning, style.system_prompt, [], text)
            yield HeldOut(style.id, number, style.language, text, messages, situation)


def set_questions(
    dataset: SplitDataset, banks: Mapping[Language, Bank], per_style: int, seed: int
) -> Iterator[HeldOut]:
    """Yield held-out questions of the set that the dataset was made of, spread over its grid."""
    trained = dataset.trained
    asked = set_banks(dataset.question_set or (), banks)
    for style in dataset.styles.values():
        if style.language not in asked:
            continue
        bank = asked[style.language]
        chance = random.Random(f"{seed}:{style.id}")
        untold = (one for one in bank.heldout(chance) if letters(one.text) not in trained)
        for number, one in enumerate(islice(untold, per_style)):
            messages = prompt(dataset.manifest.conditioning, style.system_prompt, [], one.text)
            yield HeldOut(style.id, number, style.language, one.text, messages, one.situation)


def draw(
    bank: Bank, trained: Container[str], number: int, chance: random.Random
) -> Iterator[tuple[Situation, str]]:
    """Yield `number` questions: every situation once before any comes again.

    What people may have said in training is not asked: `trained` holds the letters of it.
    """
    rounds = [
        (situation, sorted(set(bank.wordings(situation, "heldout"))))
        for situation in chance.sample(bank.situations, len(bank.situations))
    ]
    for _, texts in rounds:
        chance.shuffle(texts)
    drawn = 0
    while drawn < number and (rounds := [entry for entry in rounds if entry[1]]):
        for situation, texts in rounds:
            if drawn < number and (text := last_untold(texts, trained)):
                yield situation, text
                drawn += 1


def last_untold(texts: list[str], trained: Container[str]) -> str:
    """Take texts from the end, up to one whose letters are not in `trained`; empty without any."""
    while texts:
        if letters(text := texts.pop()) not in trained:
            return text
    return ""


def dataset_questions(dataset: SplitDataset, per_style: int, seed: int) -> Iterator[HeldOut]:
    """Yield the questions of the evaluation split, with their history, drawn for each style."""
    conditioning = dataset.manifest.conditioning
    for style_id in sorted({sample.style for sample in dataset.heldout}):
        rows = [sample for sample in dataset.heldout if sample.style == style_id]
        chance = random.Random(f"{seed}:{style_id}")
        card = dataset.styles.get(style_id)
        prefix = prefix_of(card) if card and conditioning in WITH_PREFIX else ""
        for number, row in enumerate(chance.sample(rows, min(per_style, len(rows)))):
            system = row.system or (card.system_prompt if card else "")
            messages = prompt(conditioning, system, earlier(row, prefix), row.question)
            yield HeldOut(style_id, number, row.language, row.question, messages)


def earlier(sample: Sample, prefix: str) -> list[Message]:
    """Return the history of a row as messages; replies carry the prefix that is trained."""
    return [
        message
        for turn in sample.history
        for message in (
            Message(role="user", content=turn.user),
            Message(role="assistant", content=prefix + turn.assistant),
        )
    ]


def prompt(
    conditioning: Conditioning, system: str, before: Sequence[Message], question: str
) -> tuple[Message, ...]:
    """Return the messages of a question; the system prompt only where the dataset trains on it."""
    first = (
        [Message(role="system", content=system)] if system and conditioning in WITH_SYSTEM else []
    )
    return (*first, *before, Message(role="user", content=question))


def without_prefix(reply: str, names: frozenset[str]) -> str:
    """Return `reply` without a first line that only names a style (conditioning `prefix`)."""
    first, _, rest = reply.partition("\n")
    return rest.lstrip() if first.strip(" :：[]【】") in names else reply
