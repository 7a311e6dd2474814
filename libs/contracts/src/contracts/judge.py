"""A language model as a judge: its ratings, its verdicts on pairs, and how far people agree."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contracts.model import Authored, Name, Recorded, Versioned
from contracts.style import Text

PairOutcome = Literal["first", "second", "tie", "unjudged"]
Score = Annotated[int, Field(ge=1, le=5)]


class Rating(Recorded):
    """What a judge gives one reply; without scores it is unjudged, and `problem` says why."""

    scores: dict[str, int] = Field(default={}, description="1 to 5 by criterion that applies")
    reason: str = ""
    problem: str = ""

    @property
    def mean(self) -> float | None:
        """Mean of the scores; None where it is unjudged."""
        return sum(self.scores.values()) / len(self.scores) if self.scores else None


class PairVerdict(Recorded):
    """Which of two replies a judge prefers, asked in both orders."""

    outcome: PairOutcome
    flipped: bool = Field(default=False, description="it chose the same seat twice: a tie")
    characters: int = Field(default=0, description="to which both replies were cut")
    reasons: list[str] = []
    problem: str = ""


class Compared(Recorded):
    """A row of `judged.jsonl`: one pair of replies, judged in both orders."""

    style: str
    number: int
    first: str
    second: str
    longer_by: int = Field(description="characters by which the first was longer, before the cut")
    verdict: PairVerdict

    @property
    def key(self) -> tuple[str, int, str, str]:
        """What tells this pair from all others."""
        return self.style, self.number, self.first, self.second


class JudgingRequest(Authored):
    """What a judge is to rate of a finished dataset: all accepted rows, or so many of them."""

    dataset_id: Name
    rows: int | None = Field(default=None, ge=1, description="drawn by the seed; None: all")
    seed: int = Field(default=7, ge=0)


class RatedRow(Recorded):
    """A line of a journal of ratings: one row of a dataset."""

    row: str
    judge: str
    rating: Rating


class HumanRow(Authored):
    """A person's judgement: of one reply (rating, or ratings by criterion), or of two."""

    style: Name
    question: Text
    reply: Text | None = None
    rating: Score | None = Field(default=None, description="overall")
    ratings: dict[Name, Score] = Field(default={}, max_length=16)
    first: Text | None = None
    second: Text | None = None
    preferred: Literal["first", "second", "tie"] | None = None

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> Self:
        """Refuse a row that is neither a rated reply nor a pair with a preference."""
        rated = self.reply is not None and (self.rating is not None or bool(self.ratings))
        paired = None not in (self.first, self.second, self.preferred)
        extra = (self.first, self.second, self.preferred) if rated else (self.reply, self.rating)
        if rated == paired or any(value is not None for value in extra):
            raise ValueError(
                "needs reply with rating or ratings, or else first, second and preferred"
            )
        return self


class AgreementRequest(Authored):
    """What an agreement is measured on."""

    rows: list[HumanRow] = Field(min_length=1, max_length=5000)
    seed: int = Field(default=7, ge=0)


class AgreementFigure(Recorded):
    """A figure with its 95 % interval by bootstrap over rows; None where it is not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Agreement(Recorded):
    """How far judge and people agree on one criterion, or on which of two replies is better."""

    criterion: str
    rows: int
    kappa: AgreementFigure = Field(
        description="Cohen's; quadratic weights for scores, none for pairs"
    )
    spearman: AgreementFigure | None = Field(default=None, description="of scores")
    equal: AgreementFigure = Field(description="share of rows with the very same judgement")
    near: AgreementFigure | None = Field(
        default=None, description="share of scores at most 1 apart"
    )


class AgreementReport(Versioned):
    """How far a judge can be trusted: measured against a small set that people rated."""

    id: Name
    created_at: datetime
    judge: str
    teacher: str = ""
    same_model: bool = Field(default=False, description="the judge is the teacher: it may favour")
    rows: int
    unjudged: int
    problems: dict[str, int] = Field(default={}, description="why rows are unjudged")
    flips: int = Field(default=0, description="pairs on which the judge chose a seat, not a reply")
    criteria: list[Agreement]
