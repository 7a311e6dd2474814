"""Question sets: questions that people ask, written by the teacher over a grid, or from a file."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator

from contracts.dataset import FileDigest
from contracts.model import Authored, Name, Recorded, Versioned
from contracts.sample import Provenance
from contracts.style import Language

Split = Literal["train", "heldout"]


class QuestionSetRequest(Authored):
    """Body of `POST /questions`: how many accepted questions of each emotion in each area."""

    name: Name = "questions"
    languages: list[Language] = Field(default=["zh", "en"], min_length=1)
    emotions: list[Name] = Field(default=[], description="ids of the bank; empty: every one")
    areas: list[Name] = Field(default=[], description="ids of the bank; empty: every one")
    per_cell: int = Field(default=2, ge=1, le=200)
    batch: int = Field(default=4, ge=1, le=20, description="questions asked for in one call")
    max_attempts: int = Field(
        default=6, ge=1, le=20, description="calls in a row without a new question for one cell"
    )
    heldout_ratio: float = Field(
        default=0.125, ge=0, le=0.5, description="share that only evaluations ask"
    )
    temperature: float = Field(default=1.0, ge=0, le=2)
    seed: int = Field(default=7, ge=0)

    @field_validator("languages", "emotions", "areas")
    @classmethod
    def names_come_once(cls, names: list[str]) -> list[str]:
        """Raise ValueError where one is named twice."""
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} is named twice")
        return names


class QuestionImport(Authored):
    """Options of `POST /questions/import`; the questions are the body of the request."""

    name: Name = "questions"
    form: Literal["auto", "jsonl", "csv", "txt"] = Field(
        default="auto", description="of the file; auto: by how it begins"
    )
    heldout_ratio: float = Field(default=0.125, ge=0, le=0.5)
    seed: int = Field(default=7, ge=0)


class QuestionReason(StrEnum):
    """Why a question is not taken into a set. A closed list: reports count by it."""

    MALFORMED = "malformed"
    SURPLUS = "surplus"
    CONTROL_TOKEN = "control_token"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    BROKEN_TEXT = "broken_text"
    WRONG_LANGUAGE = "wrong_language"
    PERSONAL_DATA = "personal_data"
    CRISIS = "crisis"
    OFF_CELL = "off_cell"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    IN_BANK = "in_bank"


class QuestionCounts(Recorded):
    """asked = accepted + given_up + open; written = accepted + the sum of rejected."""

    asked: int = Field(default=0, description="cells times questions for each")
    accepted: int = 0
    given_up: int = Field(default=0, description="missing in cells whose tries are over")
    open: int = 0
    written: int = Field(default=0, description="what the teacher wrote, or the file holds")
    rejected: dict[str, int] = {}
    teacher_calls: int = 0


class SetQuestion(Recorded):
    """A row of `questions.jsonl`."""

    id: str
    text: str
    language: Language
    emotion: str | None = Field(default=None, description="id of the bank; none: not known")
    area: str | None = None
    persona: str = Field(default="", description="who asks: age/occupation/register")
    split: Split = "train"
    teacher: str = ""
    provenance: Provenance | None = None

    @property
    def situation_id(self) -> str | None:
        """`<area>/<emotion>` as in the bank; None where either is not known."""
        return f"{self.area}/{self.emotion}" if self.area and self.emotion else None


class RejectedQuestion(Recorded):
    """A row of `rejected.jsonl`."""

    cell: str = Field(description="language/area/emotion, or the line of the file")
    text: str
    reason: QuestionReason
    detail: str = ""


class QuestionSetManifest(Versioned):
    """`questions/<id>/manifest.json`; without it the set does not exist."""

    id: Name
    created_at: datetime
    source: Literal["generated", "imported"]
    status: Literal["complete", "incomplete"]
    counts: QuestionCounts
    rows: dict[str, int] = Field(description="by split: train, heldout")
    languages: dict[str, int] = Field(description="questions by language")
    cells: int = Field(description="cells (language, area, emotion) with a question")
    short_cells: dict[str, int] = Field(
        default={}, description="questions that are missing, by language/area/emotion"
    )
    without_cell: int = Field(default=0, description="questions whose emotion or area is unknown")
    files: dict[str, FileDigest]
    request: dict[str, object] = {}
    teacher: str = ""
