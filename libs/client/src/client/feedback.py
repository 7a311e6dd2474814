"""Votes on replies, and the preference pairs made of them."""

from client.service import Service
from contracts.dataset import DatasetManifest
from contracts.model import Recorded
from contracts.votes import PairRequest, StoredVote, Vote, VoteCounts

# Writing a large dataset takes longer than an intent.
LONG_SECONDS = 300.0


class Forgotten(Recorded):
    """How many votes of a user are gone."""

    forgotten: int


class Votes:
    """The votes of datagen.

    Args:
        service: datagen.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def add(self, vote: Vote) -> StoredVote:
        """Store a vote; the same person's earlier one on that reply is replaced."""
        return self._service.post("/votes", StoredVote, vote.model_dump(mode="json"))

    def page(
        self, *, style: str | None = None, offset: int = 0, limit: int = 100
    ) -> list[StoredVote]:
        """Return votes, newest first."""
        return self._service.get(
            "/votes", list[StoredVote], style=style, offset=offset, limit=limit
        )

    def counts(self) -> VoteCounts:
        """Return how many votes there are."""
        return self._service.get("/votes/counts", VoteCounts)

    def forget(self, user: str) -> int:
        """Remove all votes of a user; return how many there were."""
        return self._service.send("DELETE", f"/votes/users/{user}", Forgotten).forgotten

    def publish_pairs(self, request: PairRequest) -> DatasetManifest:
        """Publish a new version of a dataset with preference pairs, and return its manifest."""
        return self._service.send(
            "POST",
            "/datasets/preferences",
            DatasetManifest,
            json=request.model_dump(mode="json"),
            timeout=LONG_SECONDS,
        )
