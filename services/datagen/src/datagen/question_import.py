"""Questions from a file: JSON Lines, CSV with a header, or one question a line.

A line that cannot be understood is an error that names the line and the field, and nothing is
written; a question that the gates refuse is left out and counted by its reason.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.identity import new_id
from contracts.question_set import (
    QuestionCounts,
    QuestionImport,
    QuestionSetManifest,
    RejectedQuestion,
    SetQuestion,
)
from contracts.style import Language
from contracts.volume import Volume
from datagen.board import encodable
from datagen.errors import NothingAcceptedError
from datagen.question_gates import IMPORTED_SIZES, Draft, QuestionGates
from datagen.question_publish import SetDescription, publish_set
from datagen.questions import Bank
from datagen.rows import decode
from datagen.storage import RETRY, full_volume_told
from datagen.text import han_share
from kit.crisis import Screen
from kit.errors import InvalidInputError

COLUMNS = ("question", "emotion", "area", "language")
FORMS = "JSON Lines or CSV with the fields question, emotion, area, language; or a question a line"


@dataclass(frozen=True)
class Line:
    """One line of a file with its number, from 1."""

    number: int
    fields: Mapping[str, str]


def import_questions(
    volume: Volume,
    content: bytes,
    options: QuestionImport,
    banks: Mapping[Language, Bank],
    screens: Mapping[Language, Screen],
) -> QuestionSetManifest:
    """Publish the questions in `content` as a set.

    Raises:
        InvalidInputError: a line cannot be understood; the message names line and field.
        NothingAcceptedError: the gates refuse every question.
        StorageFullError: the volume is full; nothing stays.
    """
    drafts = [(line, draft_of(line, banks)) for line in read_lines(content, options.form)]
    kept, refused = judged(drafts, QuestionGates(banks, screens, IMPORTED_SIZES, labelled=False))
    reasons = dict(sorted(Counter(row.reason.value for row in refused).items()))
    if not kept:
        shown = ", ".join(f"{name} {count}" for name, count in reasons.items())
        raise NothingAcceptedError(f"not one question can be taken: {shown}", field="body")
    description = SetDescription(
        source="imported",
        counts=QuestionCounts(
            asked=len(kept), accepted=len(kept), written=len(drafts), rejected=reasons
        ),
        heldout_ratio=options.heldout_ratio,
        seed=options.seed,
        request=options.model_dump(mode="json"),
    )
    return publish(volume, options.name, kept, refused, description)


def publish(
    volume: Volume,
    name: str,
    kept: Sequence[SetQuestion],
    refused: Sequence[RejectedQuestion],
    description: SetDescription,
) -> QuestionSetManifest:
    """Publish a set under a fresh id; on an error nothing stays."""
    made = new_id(name)
    with full_volume_told(RETRY):
        try:
            return publish_set(volume, made, kept, refused, description)
        except OSError:
            volume.discard(volume.question_set(made))
            raise


def judged(
    drafts: Sequence[tuple[Line, Draft]], gates: QuestionGates
) -> tuple[list[SetQuestion], list[RejectedQuestion]]:
    """Return the questions that may be taken, and the others with their reason."""
    kept: list[SetQuestion] = []
    refused: list[RejectedQuestion] = []
    for line, draft in drafts:
        objection = gates.objection(draft)
        if objection:
            refused.append(
                RejectedQuestion(
                    cell=f"line {line.number}",
                    text=encodable(draft.text[:2000]),
                    reason=objection.reason,
                    detail=encodable(objection.detail),
                )
            )
            continue
        gates.add(draft)
        kept.append(
            SetQuestion(
                id=f"line-{line.number:06d}",
                text=draft.text,
                language=draft.language,
                emotion=draft.emotion or None,
                area=draft.area or None,
            )
        )
    return kept, refused


def draft_of(line: Line, banks: Mapping[Language, Bank]) -> Draft:
    """Return the question of a line. Raises InvalidInputError that names line and field."""
    text = line.fields.get("question", "").strip()
    if not text:
        raise bad(line, "question", "is missing or empty")
    language = language_of(line, text, banks)
    file = banks[language].file
    emotion = axis(line, "emotion", {one.id: one.name for one in file.emotions})
    area = axis(line, "area", {one.id: one.name for one in file.areas})
    situation = banks[language].situation(f"{area}/{emotion}") if area and emotion else None
    return Draft(text, language, situation, emotion=emotion, area=area)


def language_of(line: Line, text: str, banks: Mapping[Language, Bank]) -> Language:
    """Return the language that a line names, or that its letters are in."""
    named = line.fields.get("language", "").strip().casefold()
    guessed: Language = "zh" if han_share(text) >= 0.5 else "en"
    wanted = named or guessed
    found = next((language for language in banks if language == wanted), None)
    if found is None:
        raise bad(line, "language", f"is {wanted[:20]!r}, one of {', '.join(banks)} is known")
    return found


def axis(line: Line, field: str, known: Mapping[str, str]) -> str:
    """Return the id of the emotion or area that a line names by id or name; empty without one."""
    said = line.fields.get(field, "").strip().casefold()
    if not said:
        return ""
    for id_, name in known.items():
        if said in (id_, name.casefold()):
            return id_
    raise bad(line, field, f"is {said[:40]!r}, known are: {', '.join(known)}")


def bad(line: Line, field: str, what: str) -> InvalidInputError:
    """Return the error for one field of one line."""
    return InvalidInputError(
        f"line {line.number}, {field}: {what}",
        field=f"body.{line.number}.{field}",
        hint="nothing was written: correct the line, then send the file again",
    )


def read_lines(content: bytes, form: str) -> list[Line]:
    """Return the lines of a file. Raises InvalidInputError: empty, not UTF-8, or not its form."""
    text = decode(content)
    chosen = guessed_form(text) if form == "auto" else form
    reader = {"jsonl": json_lines, "csv": csv_lines, "txt": text_lines}[chosen]
    found = list(reader(text))
    if not found:
        raise InvalidInputError("the file has no questions", field="body", hint=FORMS)
    return found


def guessed_form(text: str) -> str:
    """Return the form of a file by its first line."""
    first = text.split("\n", 1)[0]
    if first.startswith(("{", "[")):
        return "jsonl"
    names = {name.strip().strip('"').casefold() for name in first.split(",")}
    return "csv" if "question" in names else "txt"


def json_lines(text: str) -> Iterator[Line]:
    """Yield the objects of JSON Lines, or of one JSON list."""
    if text.startswith("["):
        for number, value in enumerate(parsed(text, 1), start=1):
            yield checked(number, value)
        return
    for number, piece in enumerate(text.split("\n"), start=1):
        if piece.strip():
            yield checked(number, parsed(piece, number))


def parsed(text: str, number: int) -> Any:
    """Return the JSON value in `text`, which begins on this line."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        at = number + error.lineno - 1
        raise InvalidInputError(
            f"line {at}, column {error.colno}: not JSON: {error.msg}", field="body", hint=FORMS
        ) from error
    except (RecursionError, ValueError) as error:
        raise InvalidInputError(f"line {number}: not usable JSON", field="body") from error


def checked(number: int, value: Any) -> Line:
    """Return a line of JSON whose fields are texts."""
    line = Line(number, {})
    if not isinstance(value, dict):
        raise bad(line, "question", f"an object is wanted, this is a {type(value).__name__}")
    fields = {name: value.get(name) for name in COLUMNS}
    for name, said in fields.items():
        if said is not None and not isinstance(said, str):
            raise bad(line, name, f"a text is wanted, this is a {type(said).__name__}")
    return Line(number, {name: said or "" for name, said in fields.items()})


def csv_lines(text: str) -> Iterator[Line]:
    """Yield the rows of a CSV whose header names the columns."""
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        header = [name.strip().casefold() for name in next(reader)]
        if "question" not in header:
            raise bad(Line(1, {}), "question", f"no such column in {', '.join(header)[:80]!r}")
        for row in reader:
            line = Line(reader.line_num, dict(zip(header, row, strict=False)))
            if any(cell.strip() for cell in row):
                if len(row) != len(header):
                    raise bad(line, "question", f"{len(row)} cells under {len(header)} columns")
                yield line
    except csv.Error as error:
        raise bad(Line(reader.line_num, {}), "question", f"not CSV: {error}") from error


def text_lines(text: str) -> Iterator[Line]:
    """Yield the questions of a file that has one on each line."""
    for number, piece in enumerate(text.splitlines(), start=1):
        if piece.strip():
            yield Line(number, {"question": piece.strip()})
