"""The quality of a dataset: thresholds of the gates, a report card, and what other ones change."""

from datetime import datetime

from pydantic import Field

from contracts.model import Authored, Name, Recorded, Versioned
from contracts.sample import RejectReason


class Thresholds(Authored):
    """From where on a gate refuses a row of a finished dataset."""

    shortest: int = Field(default=2, ge=1, le=4000, description="characters of a reply")
    longest: int = Field(default=4000, ge=1, le=100_000, description="characters of a reply")
    echo: float = Field(default=0.75, gt=0, le=1, description="share of the question repeated")
    language: float = Field(default=0.5, ge=0, le=1, description="least share of its letters")
    near_duplicate: float = Field(
        default=0.7, ge=0.6, le=1, description="Jaccard similarity of character 3-grams"
    )
    contrast: float = Field(
        default=0.0,
        ge=-1,
        le=1,
        description="least cosine to its own style minus the best other; -1: off",
    )
    likeness: float = Field(
        default=0.0, ge=0, le=1, description="least cosine to an example of the card; 0: off"
    )
    judge: float = Field(
        default=0.0, ge=0, le=5, description="least mean of a judge's scores, 1 to 5; 0: off"
    )


class Finding(Recorded):
    """What one gate has against one row."""

    row: str
    style: str
    question: str
    reply: str
    detail: str = ""


class GateFigures(Recorded):
    """One gate over all rows."""

    reason: RejectReason
    flagged: int = Field(description="rows that it refuses")
    first: int = Field(description="rows that no gate before it refuses: these add up")
    ratio: float = Field(ge=0, le=1, description="of all rows")
    examples: list[Finding] = []


class Lengths(Recorded):
    """Characters of replies."""

    shortest: int
    p5: float
    median: float
    p95: float
    longest: int


class StyleFigures(Recorded):
    """One style of the dataset."""

    id: Name
    rows: int
    ratio: float = Field(ge=0, le=1, description="of all rows")
    clean: int = Field(description="rows that no gate refuses")
    lengths: Lengths
    languages: dict[str, int] = Field(description="rows by the language of the reply")
    contrast: float | None = Field(default=None, description="median; above 0: its own tone")
    likeness: float | None = Field(default=None, description="median, to the card's examples")


class Cluster(Recorded):
    """Rows that are near duplicates of each other."""

    rows: int
    styles: list[str]
    examples: list[Finding]


class Spread(Recorded):
    """How evenly rows are spread over places."""

    places: int = Field(description="that there are")
    filled: int = Field(description="places with a row")
    least: int = Field(description="rows in the emptiest place")
    most: int
    evenness: float = Field(
        ge=0, le=1, description="entropy to what so many rows could have at most; 1: even"
    )


class Balance(Recorded):
    """How evenly the rows of one style are spread over its grid."""

    rows: int = Field(description="with a situation")
    cells: Spread
    emotions: Spread
    areas: Spread


class Coverage(Recorded):
    """How many rows each style has in each situation."""

    emotions: list[str] = []
    areas: list[str] = []
    counts: dict[str, dict[str, int]] = Field(
        default={}, description="by style, then by area/emotion; 0 is left out"
    )
    empty: dict[str, list[str]] = Field(
        default={}, description="by style: each area/emotion of its language without a row"
    )
    balance: dict[str, Balance] = Field(default={}, description="by style")
    unknown: dict[str, int] = Field(default={}, description="rows without a situation, by style")
    without_situation: int = 0
    names: dict[str, dict[str, str]] = Field(
        default={}, description="by language: what an emotion and an area are called"
    )


class ReportCard(Versioned):
    """The report card of a dataset."""

    dataset_id: Name
    created_at: datetime
    rows: int
    clean: int = Field(description="rows that no gate refuses")
    thresholds: Thresholds
    vectors: str = Field(description="what contrast and likeness were measured with")
    balance: float = Field(ge=0, le=1, description="rows of the smallest style to the largest's")
    styles: list[StyleFigures]
    gates: list[GateFigures]
    clusters: list[Cluster]
    clustered_rows: int = 0
    coverage: Coverage
    languages: dict[str, int]
    personal_data: dict[str, int] = Field(description="rows by kind")
    crisis: dict[str, int] = Field(description="rows by kind, without a safe reply")
    masked: int = Field(default=0, description="rows in which personal data was replaced")
    safe_replies: int = Field(default=0, description="rows with a safe reply to a crisis")


class GateChange(Recorded):
    """What other thresholds change at one gate."""

    reason: RejectReason
    refused: int = Field(description="rows that are kept now and would be refused for this")
    kept: int = Field(description="rows that are refused for this now and would be kept")
    examples: list[Finding] = []


class Preview(Recorded):
    """What a dataset would be with other thresholds."""

    thresholds: Thresholds
    rows: int
    kept_now: int
    kept_then: int
    changed: int = Field(description="rows that change from kept to refused or back")
    gates: list[GateChange]


class ExplanationQuery(Thresholds):
    """Query of `GET /datasets/{id}/explanation`: a row's id and the thresholds to judge it by."""

    row: str = Field(min_length=1, max_length=200, description="as a finding names it")


class GateReading(Recorded):
    """What one gate reads off a row, beside its threshold."""

    reason: RejectReason
    refuses: bool
    value: float | None = Field(default=None, description="None: nothing to compare it with")
    limit: float | None = Field(default=None, description="None: the gate knows no threshold")
    detail: str = ""
    like: str | None = Field(default=None, description="the row that this one resembles")


class Explanation(Recorded):
    """Why a row is kept or refused, by every gate, in the order in which they refuse."""

    row: str
    style: str
    question: str
    reply: str
    refused_for: RejectReason | None = Field(description="as the dataset has it; None: kept")
    would_be_refused_for: RejectReason | None = Field(description="with these thresholds")
    masked: list[str] = Field(default=[], description="kinds of personal data that were replaced")
    safety: str | None = Field(default=None, description="the crisis that its safe reply is to")
    gates: list[GateReading]
