"""Where a dataset comes from: the version before it, and what was decided between the two."""

from pydantic import Field

from contracts.model import Name, Recorded


class ReviewSummary(Recorded):
    """The decisions that a review put into a version; rows, each counted once or more.

    kept = what the version holds; rows = kept + dropped + left_out.
    """

    revision: int = Field(description="of the review when it was published")
    rows: int
    kept: int
    dropped: int = Field(description="rejected by a gate or a person")
    left_out: int = Field(default=0, description="open ones or those over the balance")
    accepted: int = Field(default=0, description="by a person")
    rejected: int = Field(default=0, description="by a person")
    edited: int = 0
    regenerated: int = 0
    forced: int = Field(default=0, description="edits that a gate refuses, kept by a person")
    rescued: int = Field(default=0, description="kept though a gate had refused them")


class PairSummary(Recorded):
    """Where the preference pairs of a version come from, by source and by match."""

    sources: dict[str, int]
    matches: dict[str, int]
    votes: int = Field(default=0, description="votes that were looked at")


class Lineage(Recorded):
    """What a version says of those before it; a dataset without one is a first version."""

    version: int = Field(ge=2)
    parent: Name
    root: Name = Field(description="the first version")
    restores: Name | None = Field(default=None, description="the version that this one equals")
    review: ReviewSummary | None = None
    pairs: PairSummary | None = None
