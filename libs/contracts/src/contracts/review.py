"""The review of a dataset: rows with their decisions, changes of many rows at once, publication."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from contracts.dataset import Conditioning
from contracts.model import Authored, Name, Recorded
from contracts.sample import RejectReason, Turn
from contracts.style import Language

Decision = Literal["open", "accepted", "rejected"]
Origin = Literal["accepted", "rejected"]
Edit = Literal["person", "replacement", "teacher"]
Share = Annotated[float, Field(ge=0, le=1)]
Reply = Annotated[str, StringConstraints(min_length=1, max_length=8000, strip_whitespace=True)]
Note = Annotated[str, StringConstraints(max_length=1000)]
# SQLite takes no larger ones than 64 bits; this is what every client has.
MOST_NUMBER = 0x7FFFFFFF
RowNumber = Annotated[int, Field(ge=0, le=MOST_NUMBER)]
MOST_ROWS = 10_000


class ReviewFilter(Authored):
    """Which rows: all conditions hold; without any, every row."""

    rows: list[RowNumber] | None = Field(default=None, max_length=MOST_ROWS)
    origin: Origin | None = Field(default=None, description="what the gates said")
    decision: Decision | None = None
    edited: bool | None = None
    style: Name | None = None
    emotion: Annotated[str, Field(max_length=64)] | None = None
    area: Annotated[str, Field(max_length=64)] | None = None
    reason: RejectReason | None = Field(default=None, description="why a gate refused it")
    cause: Annotated[str, Field(max_length=64)] | None = Field(
        default=None, description="the gate whose threshold is nearest"
    )
    shortest: RowNumber | None = Field(default=None, description="characters")
    longest: RowNumber | None = Field(default=None, description="characters")
    text: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    uncertain_from: Share | None = None
    uncertain_to: Share | None = None


class ReviewQuery(ReviewFilter):
    """Query of `GET /datasets/{id}/review/rows`."""

    order: Literal["uncertainty", "number"] = "uncertainty"
    offset: RowNumber = 0
    limit: int = Field(default=50, ge=1, le=500)


class ReviewRow(Recorded):
    """One row as the reviewer sees it."""

    number: int = Field(description="of the row in this review; never changes")
    id: str = Field(default="", description="as the report card and its explanations name it")
    origin: Origin
    decision: Decision
    style: str
    language: Language | None = None
    question: str
    reply: str = Field(description="as it is now")
    original: str | None = Field(default=None, description="the reply before it was edited")
    history: list[Turn] = []
    situation: str | None = None
    reason: RejectReason | None = None
    detail: str = ""
    note: str = ""
    edit: Edit | None = None
    forced: bool = False
    uncertainty: float = Field(description="0 far from every threshold, 1 at one")
    cause: str = ""
    characters: int
    revision: int = Field(description="of the review when the row last changed")


class ReviewCounts(Recorded):
    """rows = open + accepted + rejected at every moment; kept go into the next version."""

    rows: int
    open: int
    accepted: int
    rejected: int
    edited: int
    noted: int
    kept: int
    by_style: dict[str, dict[str, int]] = Field(description="style -> decision -> rows")
    by_reason: dict[str, int] = Field(description="rows that a gate had refused")


class Review(Recorded):
    """The review of one dataset."""

    dataset_id: Name
    revision: int
    created_at: datetime
    counts: ReviewCounts


class ReviewPage(Recorded):
    """Some of the rows that match; `total` counts all of them."""

    revision: int
    total: int
    rows: list[ReviewRow]


class ReviewChange(Authored):
    """One undoable decision about all rows that match."""

    revision: int = Field(ge=0, description="of the review when the rows were looked at")
    action: Literal["accept", "reject", "reopen", "note"]
    filter: ReviewFilter
    note: Note | None = Field(
        default=None, validate_default=True, description="none leaves the notes as they are"
    )

    @field_validator("note")
    @classmethod
    def _notes_have_words(cls, note: str | None, known: ValidationInfo) -> str | None:
        """Refuse the action "note" without words: it would say nothing."""
        if known.data.get("action") == "note" and note is None:
            raise ValueError("the action 'note' needs one")
        return note


class ReviewEdit(Authored):
    """A person's own reply for one row, which accepts it. The gates look at it again."""

    revision: int = Field(ge=0)
    reply: Reply
    force: bool = Field(default=False, description="keep it though a gate refuses; needs a note")
    note: Note | None = Field(default=None, validate_default=True)

    @field_validator("note")
    @classmethod
    def _force_is_explained(cls, note: str | None, known: ValidationInfo) -> str | None:
        """Refuse to overrule a gate without saying why."""
        if known.data.get("force") and not note:
            raise ValueError("say why the gate is overruled")
        return note


class ReviewReplacement(Authored):
    """Replace a text in the replies of all rows that match; what a gate then refuses stays.

    It accepts those that are not rejected: rows that nobody keeps are corrected, not rescued.
    """

    revision: int = Field(ge=0)
    filter: ReviewFilter
    find: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=False)]
    replacement: Annotated[str, StringConstraints(max_length=500, strip_whitespace=False)]
    note: Note | None = None


class ReviewRegeneration(Authored):
    """Ask the teacher for another reply to all rows that match; each passes the gates or stays."""

    revision: int = Field(ge=0)
    filter: ReviewFilter
    attempts: int = Field(default=3, ge=1, le=10, description="tries for each row")


class ReviewUndo(Authored):
    """Take back the newest changes, each as a whole."""

    revision: int = Field(ge=0, description="of the review now: nobody changed it meanwhile")
    steps: int = Field(default=1, ge=1, le=10_000)


class ReviewResult(Recorded):
    """What a change did: how many rows it changed, and which it left, by reason."""

    review: Review
    changed: int
    refused: dict[str, int] = {}


class ReviewStep(Recorded):
    """One entry of the history; `undone` ones count no more."""

    revision: int
    at: datetime
    action: str
    rows: int
    undone: bool = False
    detail: str = ""


class ReviewPublication(Authored):
    """Body of `POST /datasets/{id}/review/publish`: makes the next version."""

    revision: int = Field(ge=0)
    name: Name | None = Field(default=None, description="none: as its parent")
    only_accepted: bool = Field(default=False, description="leave out what nobody decided")
    balance: bool = Field(default=False, description="as many rows of each style as of the rarest")
    conditioning: Conditioning | None = Field(default=None, description="none: as its parent")
    seed: int | None = Field(default=None, ge=0, description="of the balance; none: as its parent")
