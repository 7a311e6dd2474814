"""What a generation will take, said before it begins."""

from pydantic import Field

from contracts.model import Recorded


class CostEstimate(Recorded):
    """Answer of `POST /datasets/estimate`."""

    rows: int = Field(description="accepted rows that are asked for")
    calls: int = Field(description="of the teacher, with those whose replies are refused")
    input_tokens: int
    output_tokens: int
    dollars: float | None = Field(description="none: the prices are not known")
    budget_left: float | None = Field(description="dollars; none: there is no budget")
    seconds: float = Field(description="at the full concurrency")
    measured_calls: int = Field(description="real calls that the estimate rests on; they are paid")
    teacher: str = Field(default="", description="who was asked, and would write the rows")
    assumptions: list[str]
