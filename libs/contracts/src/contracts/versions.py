"""Versions of a dataset: their chain, the difference of two, and going back to an earlier one."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from contracts.lineage import Lineage
from contracts.model import Authored, Name, Recorded
from contracts.sample import Sample

Change = Literal["added", "removed", "changed"]


class DatasetVersion(Recorded):
    """One entry of a dataset's family."""

    id: Name
    version: int
    created_at: datetime
    source: str
    rows: dict[str, int]
    lineage: Lineage | None = Field(default=None, description="none: a first version")


class DiffCounts(Recorded):
    """Rows by what became of them; those of `after` = same + added + changed."""

    added: int = 0
    removed: int = 0
    changed: int = 0
    same: int = 0


class DiffRow(Recorded):
    """A row that is not the same in both; found by style, question and turn."""

    change: Change
    style: str
    question: str
    turn: int = Field(description="exchanges before it, plus one")
    before: Sample | None = None
    after: Sample | None = None


class DatasetDiff(Recorded):
    """What `after` has that `before` had not, and the other way round."""

    before: Name
    after: Name
    counts: DiffCounts
    by_style: dict[str, DiffCounts]
    total: int = Field(description="rows that differ and match the filter")
    rows: list[DiffRow]


class Rollback(Authored):
    """Body of `POST /datasets/{id}/rollback`: a new version with the content of an older one."""

    to: Name
    name: Name | None = Field(default=None, description="none: as the dataset")
