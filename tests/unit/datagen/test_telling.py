"""What a generation tells of itself."""

from types import SimpleNamespace
from typing import Any

from contracts.dataset import Counts
from contracts.job import Progress
from datagen.board import progress_of
from datagen.telling import Telling


class Recorded:
    """Keeps what was told, as a job does."""

    def __init__(self) -> None:
        self.progressed: list[Progress] = []

    def progress(self, progress: Progress, *, force: bool = False) -> None:
        """Keep it."""
        self.progressed.append(progress)


def test_styles_and_costs_stay_when_a_later_stage_does_not_know_them() -> None:
    """Who looks at a generation that is published sees what it was made of."""
    context: Any = Recorded()
    tell = Telling(context)
    teacher: Any = SimpleNamespace(dollars=0.25, budget_left=None)
    tell.pay(teacher)
    tell(Progress(stage="generate", done=1, total=2, figures={"accepted/gentle": 1.0}))
    tell(Progress(stage="publish", done=1, total=2))
    tell(progress_of(Counts(asked=2, accepted=1, rejected={"echo": 3})), force=True)
    generated, published, ended = context.progressed
    assert generated.figures == published.figures == {"accepted/gentle": 1.0, "dollars": 0.25}
    assert ended.figures["rejected_echo"] == 3
    assert ended.figures["accepted/gentle"] == 1
