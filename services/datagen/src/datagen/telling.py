"""What a generation tells of itself while it goes on: rows by style, and what its calls cost."""

from contracts.job import Progress
from datagen.replies import Remembered
from kit.worker import JobContext


class Telling:
    """Records how far a generation is. What is known of styles and costs stays to the end.

    Args:
        context: of the job.
    """

    def __init__(self, context: JobContext) -> None:
        self.context = context
        self.styles: dict[str, float] = {}
        self.costs: dict[str, float] = {}

    def __call__(self, progress: Progress, *, force: bool = False) -> None:
        """Record the progress, with the styles of the last one that named any, and the costs."""
        named = {name: count for name, count in progress.figures.items() if "/" in name}
        self.styles = named or self.styles
        known = progress.figures | self.styles | self.costs
        self.context.progress(progress.model_copy(update={"figures": known}), force=force)

    def pay(self, teacher: Remembered) -> None:
        """Note what the calls on the record cost, and what is left of the budget, if known."""
        dollars = {"dollars": teacher.dollars, "budget_left": teacher.budget_left}
        self.costs = {name: amount for name, amount in dollars.items() if amount is not None}
