"""What the page asks and tells datagen of the proof: evaluations, and votes.

Every call raises ProblemError.
"""

from contracts.votes import Vote
from ui.calls import Calls
from ui.job_calls import JobCalls


class ProofCalls:
    """Evaluations, the jobs that make them, and what people think of replies.

    Args:
        calls: the way to datagen.
    """

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.jobs = JobCalls(calls, "/evaluations")

    async def vote(self, vote: Vote) -> None:
        """Tell what a person thinks of a reply; twice is as good as once."""
        await self.calls.send("POST", "/votes", object, vote)
