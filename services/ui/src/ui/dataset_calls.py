"""What the page asks of datagen about datasets. Every call raises ProblemError."""

from ui.calls import Calls
from ui.job_calls import JobCalls


class DatasetCalls:
    """Datasets, and the jobs that make them.

    Args:
        calls: the way to datagen.
    """

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.jobs = JobCalls(calls, "/datasets")
