"""Datasets: what is asked of datagen, and what it publishes."""

from datetime import datetime
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from contracts.lineage import Lineage
from contracts.model import Authored, Name, Recorded, Sha256, Versioned
from contracts.style import StyleVersion

# Where the questions of a dataset come from when no question set is named.
BANK = "bank"


class Conditioning(StrEnum):
    """How the model is told which style to speak: see design section 5."""

    SYSTEM = "system"
    PREFIX = "prefix"
    BOTH = "both"
    NONE = "none"


class DatasetRequest(Authored):
    """Body of `POST /datasets`: how many accepted rows of each style."""

    name: Name = "styled"
    styles: list[Name] = Field(default=[], description="empty: every style in the library")
    questions: Name = Field(default=BANK, description="the shipped bank, or a set's id")
    per_style: int = Field(default=100, ge=1, le=100_000)
    multi_turn_ratio: float = Field(default=0.2, ge=0, le=1)
    turns: int = Field(default=2, ge=1, le=6, description="exchanges in a multi-turn row")
    turns_least: int | None = Field(
        default=None, ge=1, le=6, description="spread evenly from this up to turns; none: all turns"
    )
    conditioning: Conditioning = Conditioning.SYSTEM
    eval_ratio: float = Field(default=0.05, ge=0, le=0.5)
    max_attempts: int = Field(default=6, ge=1, le=20, description="tries for each turn")
    seed: int = Field(default=7, ge=0)

    @model_validator(mode="after")
    def _turns_are_a_range(self) -> Self:
        """Refuse a range of turns that is upside down."""
        if self.turns_least is not None and self.turns_least > self.turns:
            raise ValueError(
                f"turns_least: {self.turns_least} is more than turns ({self.turns}): raise turns"
            )
        return self


class ImportRequest(Authored):
    """Options of an import; the rows are the body of the request."""

    name: Name = "imported"
    conditioning: Conditioning = Conditioning.SYSTEM
    eval_ratio: float = Field(default=0.05, ge=0, le=0.5)
    seed: int = Field(default=7, ge=0)


class FileDigest(Recorded):
    """Size in bytes and SHA-256 of one published file."""

    bytes: int
    sha256: Sha256


class Counts(Recorded):
    """Live counts of a generation; asked = accepted + failed (given up) + open at every moment."""

    asked: int = 0
    accepted: int = 0
    rejected: dict[str, int] = {}
    failed: dict[str, int] = {}
    teacher_calls: int = 0
    superseded: int = Field(default=0, description="calls whose reply no row shows any more")


class DatasetManifest(Versioned):
    """`datasets/<id>/manifest.json`; without it the dataset does not exist."""

    id: Name
    created_at: datetime
    source: Literal["generated", "imported", "reviewed", "restored", "paired"]
    status: Literal["complete", "incomplete"]
    conditioning: Conditioning
    styles: list[StyleVersion]
    counts: Counts
    rows: dict[str, int] = Field(
        description="rows by split: train, eval; pairs made of them: preference, preference-eval"
    )
    files: dict[str, FileDigest]
    request: dict[str, object] = {}
    teacher: str = ""
    lineage: Lineage | None = Field(default=None, description="none: a first version")


class ImportResult(Recorded):
    """What an import kept and why the rest was not: the sum is the number of rows read."""

    dataset_id: Name | None
    accepted: int
    rejected: dict[str, int]


class PreviewedRow(Recorded):
    """A row of a file as an import would take it."""

    number: int = Field(description="of the row, or of the line of a file of questions; from 1")
    style: str = Field(default="", description="its id; empty: a question has none")
    question: str
    reply: str = ""
    turns: int = Field(default=0, description="exchanges before it")


class RowProblem(Recorded):
    """A row of a file that an import would leave out, and why."""

    number: int = Field(description="of the row, or of the line of a file of questions; from 1")
    reason: str
    detail: str = ""
    text: str = Field(default="", description="the beginning of its question")


class ImportPreview(Recorded):
    """What an import of a file would do; rows = accepted + the sum of rejected."""

    rows: int
    accepted: int
    rejected: dict[str, int]
    styles: dict[str, int] = Field(default={}, description="rows that would be kept, by style")
    shown: list[PreviewedRow] = Field(default=[], description="the first of them")
    problems: list[RowProblem] = Field(default=[], description="the first of the others")
