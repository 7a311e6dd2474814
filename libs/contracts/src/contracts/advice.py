"""What the trainer advises for a dataset, a base and a card, and for more rows or fewer."""

from typing import Literal

from pydantic import Field

from contracts.model import Authored, Name, Recorded
from contracts.run import Fit, Overrides


class AdviceRequest(Authored):
    """Body of `POST /advice`."""

    dataset_id: Name
    base_model: str = Field(default="starter", max_length=200)
    card_bytes: int | None = Field(
        default=None, ge=1 << 30, description="memory of a card to plan for; unset: the one here"
    )


class Reason(Recorded):
    """One choice of the advisor and the sentence that explains it."""

    choice: str = Field(description="recipe, num_train_epochs, cutoff_len, batching, ...")
    value: str
    why: str


class CurvePoint(Recorded):
    """A run on a part of the rows: how many, and its lowest held-out loss."""

    run_id: Name
    rows: int
    eval_loss: float


class RowsVerdict(Recorded):
    """Whether the rows are enough, judged by runs on a part of them."""

    verdict: Literal["unknown", "enough", "more"]
    rows_needed: int | None = Field(default=None, description="to come within 1 % of the floor")
    points: list[CurvePoint] = []
    why: str


class Advice(Recorded):
    """What to ask `POST /runs` for, with reasons."""

    recipe: Name
    overrides: Overrides
    reasons: list[Reason]
    rows: RowsVerdict
    warnings: list[str] = []
    fit: Fit | None = Field(
        default=None, description="how a run would be fitted, without a step on the card"
    )
