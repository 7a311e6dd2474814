"""What the page asks and tells datagen of the proof: evaluations, and votes.

Every call raises ProblemError.
"""

from urllib.parse import quote

from contracts.dataset import DatasetManifest
from contracts.evaluation import EvaluationReport, EvaluationRequest, Reply
from contracts.job import Job
from contracts.votes import PairRequest, Vote, VoteCounts
from ui.upstream.calls import Calls
from ui.upstream.job_calls import JobCalls

# More than a reader looks through; a report is read whole, so the list takes a moment.
LISTED = 20
LIST_SECONDS, READ_SECONDS, WRITE_SECONDS, PAIR_SECONDS = 4.0, 6.0, 4.0, 60.0
PIECE, MOST_REPLIES = 1000, 4000
# A page of samples and pictures, in one file.
MOST_PAGE_BYTES = 8 << 20


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

    async def counts(self) -> VoteCounts:
        """Return how many votes there are, by style."""
        return await self.calls.get("/votes/counts", VoteCounts)

    async def start(self, request: EvaluationRequest, key: str) -> Job:
        """Start an evaluation; with the same key it is the same one."""
        return await self.calls.send(
            "POST", "/evaluations", Job, request, key=key, seconds=WRITE_SECONDS
        )

    async def reports(self) -> list[EvaluationReport]:
        """Return the latest evaluations, the newest first."""
        return await self.calls.get(
            "/evaluations", list[EvaluationReport], seconds=LIST_SECONDS, limit=LISTED
        )

    async def replies(self, evaluation: str) -> list[Reply]:
        """Return the replies of an evaluation, as many as a page may hold."""
        found: list[Reply] = []
        while len(found) < MOST_REPLIES:
            piece = await self.calls.get(
                f"{path_of(evaluation)}/replies",
                list[Reply],
                seconds=READ_SECONDS,
                offset=len(found),
                limit=PIECE,
            )
            found += piece
            if len(piece) < PIECE:
                break
        return found

    async def page(self, evaluation: str) -> str:
        """Return the page of an evaluation, a file that needs nothing else."""
        path = f"{path_of(evaluation)}/report.html"
        return await self.calls.text(path, most=MOST_PAGE_BYTES, seconds=READ_SECONDS)

    async def pairs(self, request: PairRequest) -> DatasetManifest:
        """Publish a version of a dataset with preference pairs."""
        return await self.calls.send(
            "POST", "/datasets/preferences", DatasetManifest, request, seconds=PAIR_SECONDS
        )


def path_of(evaluation: str) -> str:
    """Return the path of an evaluation; an id may come from a browser."""
    return f"/evaluations/{quote(evaluation, safe='')}"
