"""Question sets as they are read: rows, manifests, and banks that ask a set's questions."""

import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from contracts.dataset import BANK, DatasetManifest
from contracts.durable import read_journal
from contracts.question_set import QuestionSetManifest, RejectedQuestion, SetQuestion, Split
from contracts.style import Language, StyleVersion
from contracts.volume import Volume
from datagen.questions import Bank, BankFile, Place, Question, Situation
from datagen.spread import spread
from kit.errors import InvalidInputError, NotFoundError

logger = logging.getLogger(__name__)
QUESTIONS, REJECTED = "questions.jsonl", "rejected.jsonl"
Group = dict[str | None, list[str]]


class SetBank(Bank):
    """A bank that asks the questions of a set: every one once before any is asked again.

    Args:
        file: of the bank: what situations are, and how a second question follows.
        questions: those of the set in this language.
    """

    def __init__(self, file: BankFile, questions: Sequence[SetQuestion]) -> None:
        super().__init__(file)
        self._texts: dict[Split, Group] = {"train": {}, "heldout": {}}
        for question in questions:
            key = question.situation_id
            key = key if key in self._by_id else None
            self._texts[question.split].setdefault(key, []).append(question.text)

    @property
    def trains(self) -> bool:
        """Whether it has a question to train on."""
        return bool(self._texts["train"])

    def places(self, chance: random.Random) -> Sequence[Place]:
        """Return every training question's place: the first of each cell, then the second, ..."""
        return self._rounds("train", chance)

    def question(self, place: Place, chance: random.Random, attempt: int) -> Question:
        """Return the question of `place`; another attempt takes the cell's next one."""
        texts = self._texts["train"][place.situation.id if place.situation else None]
        return Question(texts[(place.number + attempt - 1) % len(texts)], place.situation)

    def wordings(self, situation: Situation, split: Split) -> list[str]:
        """Return the set's questions about `situation` that belong to `split`."""
        return list(self._texts[split].get(situation.id, ()))

    def draw(self, situation: Situation, split: Split, chance: random.Random) -> Question:
        """Return one of the set's questions about `situation`. Raises IndexError without any."""
        return Question(chance.choice(self.wordings(situation, split)), situation)

    def heldout(self, chance: random.Random) -> Iterator[Question]:
        """Yield every question that is held out, spread over the grid."""
        for place in self._rounds("heldout", chance):
            key = place.situation.id if place.situation else None
            yield Question(self._texts["heldout"][key][place.number], place.situation)

    def _rounds(self, split: Split, chance: random.Random) -> list[Place]:
        """Return the places of all questions, one of each cell in turn, cells spread evenly."""
        texts = self._texts[split]
        cells = [one for one in self.situations if one.id in texts]
        pairs = spread([(one.area.id, one.emotion.id) for one in cells], chance)
        keys = [f"{area}/{emotion}" for area, emotion in pairs]
        ordered: list[str | None] = [*keys, *([None] if None in texts else [])]
        numbers = {key: chance.sample(range(len(texts[key])), len(texts[key])) for key in ordered}
        most = max(map(len, numbers.values()), default=0)
        return [
            Place(self._by_id[key] if key else None, numbers[key][turn])
            for turn in range(most)
            for key in ordered
            if turn < len(numbers[key])
        ]


def read_questions(folder: Path) -> Iterator[SetQuestion]:
    """Yield the questions of a published set."""
    return map(SetQuestion.model_validate_json, read_journal(folder / QUESTIONS))


def read_refused(folder: Path) -> Iterator[RejectedQuestion]:
    """Yield what was refused for a published set."""
    return map(RejectedQuestion.model_validate_json, read_journal(folder / REJECTED))


def set_manifest(volume: Volume, set_id: str, field: str = "set_id") -> QuestionSetManifest:
    """Return the manifest of a published set. Raises NotFoundError that names `field`."""
    try:
        return volume.question_set_manifest(set_id)
    except (FileNotFoundError, ValueError) as error:
        raise NotFoundError(
            f"there is no question set {set_id[:80]!r}",
            field=field,
            hint="GET /questions lists them; `bank` is the shipped bank",
        ) from error


def readable_sets(volume: Volume) -> list[QuestionSetManifest]:
    """Return the manifests of the published sets, newest first; unreadable ones are logged."""
    found = []
    for name in volume.published("questions"):
        try:
            found.append(volume.question_set_manifest(name))
        except (OSError, ValueError):
            logger.warning("unreadable question set", extra={"set": name}, exc_info=True)
    return sorted(found, key=lambda manifest: manifest.created_at, reverse=True)


def asked_banks(
    volume: Volume, set_id: str, banks: Mapping[Language, Bank]
) -> dict[Language, Bank]:
    """Return the banks that a dataset is asked from: the shipped ones, or those of a set.

    Languages that the set has no training question in are missing.

    Raises:
        NotFoundError: there is no such set.
    """
    if set_id == BANK:
        return dict(banks)
    found = set_banks(load_set(volume, set_id, field="questions"), banks)
    return {language: bank for language, bank in found.items() if bank.trains}


def check_languages(
    set_id: str, asked: Mapping[Language, Bank], styles: Sequence[StyleVersion]
) -> None:
    """Raise InvalidInputError where a style speaks a language that `asked` has no question in."""
    for version in styles:
        if version.style.language not in asked:
            raise InvalidInputError(
                f"questions: {set_id} has no training question in "
                f"{version.style.language}, the language of {version.style.id}",
                field="questions",
                hint=f"choose styles that speak {', '.join(sorted(asked)) or 'nothing'}, "
                "or another question set",
            )


def load_set(volume: Volume, set_id: str, field: str) -> list[SetQuestion]:
    """Return the questions of a published set. Raises NotFoundError that names `field`."""
    set_manifest(volume, set_id, field)
    return list(read_questions(volume.question_set(set_id)))


def set_banks(
    questions: Iterable[SetQuestion], banks: Mapping[Language, Bank]
) -> dict[Language, SetBank]:
    """Return the banks that ask `questions`, for the languages that the shipped ones know."""
    found: dict[Language, list[SetQuestion]] = defaultdict(list)
    for question in questions:
        found[question.language].append(question)
    return {
        language: SetBank(banks[language].file, own)
        for language, own in found.items()
        if language in banks
    }


def question_set_of(volume: Volume, manifest: DatasetManifest) -> str:
    """Return the question set that a dataset, or the first version of it, was asked from."""
    request = manifest.request
    if "questions" not in request and manifest.lineage:
        try:
            request = volume.dataset_manifest(manifest.lineage.root).request
        except (FileNotFoundError, ValueError):  # removed: its rows are what is left of it
            return BANK
    return str(request.get("questions", BANK))
