"""HTTP routes of votes, and of the preference pairs that they become."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from contracts.dataset import DatasetManifest
from contracts.review import MOST_NUMBER
from contracts.votes import Opaque, PairRequest, StoredVote, Vote, VoteCounts
from datagen.datasets import show_newest
from datagen.feedback import publish_pairs
from datagen.services import Services
from kit.errors import InvalidInputError


def feedback_router(services: Services) -> APIRouter:
    """Return the routes under `/votes`, and `POST /datasets/preferences`."""
    router = APIRouter(tags=["votes"])
    store = services.votes

    @router.post("/votes", status_code=201)
    def vote(vote: Vote) -> StoredVote:
        refuse_idle(vote)
        services.library.get(vote.style)  # an unknown style is a slip of the caller
        return store.add(vote)

    @router.get("/votes")
    def votes(
        style: Annotated[str | None, Query(max_length=64)] = None,
        offset: Annotated[int, Query(ge=0, le=MOST_NUMBER)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[StoredVote]:
        return store.page(style, offset, limit)

    @router.get("/votes/counts")
    def counts() -> VoteCounts:
        return store.counts()

    @router.delete("/votes/users/{user}")
    def forget(user: Opaque) -> dict[str, int]:
        return {"forgotten": store.forget(user)}

    @router.post("/datasets/preferences", status_code=201)
    async def preferences(request: PairRequest) -> DatasetManifest:
        manifest = await run_in_threadpool(
            publish_pairs, services.volume, store, request, services.screens
        )
        await run_in_threadpool(show_newest, services.volume, services.metrics)
        return manifest

    return router


def refuse_idle(vote: Vote) -> None:
    """Raise InvalidInputError for a correction that corrects nothing."""
    if vote.correction is not None and vote.correction == vote.reply:
        raise InvalidInputError(
            "correction: it says what the reply says",
            field="correction",
            hint="leave it out, or write what should have been said",
        )
