"""HTTP routes of reviews: look at rows, decide, edit, undo, and publish the next version."""

from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool

from contracts.dataset import DatasetManifest
from contracts.identity import new_id
from contracts.job import Job
from contracts.review import (
    MOST_NUMBER,
    Review,
    ReviewChange,
    ReviewEdit,
    ReviewPage,
    ReviewPublication,
    ReviewQuery,
    ReviewRegeneration,
    ReviewReplacement,
    ReviewResult,
    ReviewRow,
    ReviewStep,
    ReviewUndo,
    RowNumber,
)
from datagen.datasets import show_newest
from datagen.regenerating import KIND
from datagen.review import ReviewDesk
from datagen.review_publish import publish_review
from datagen.services import Services
from kit.worker import job_routes

PREFIX = "/datasets/{dataset_id}/review"
Number = Annotated[int, Query(ge=0, le=MOST_NUMBER)]


def review_router(services: Services) -> APIRouter:
    """Return the routes under `/datasets/{id}/review`, and those of the jobs `/reviews/jobs`."""
    desk = ReviewDesk(services.volume, services.banks, services.reviews, services.screens)
    router = APIRouter(tags=["reviews"])
    router.include_router(job_routes(services.store, "/reviews", KIND))
    add_reading(router, desk)
    add_changing(router, desk)
    add_ending(router, desk, services)
    return router


def add_reading(router: APIRouter, desk: ReviewDesk) -> None:
    """Add the routes that open a review and look at it."""

    @router.post(PREFIX)
    def open_review(dataset_id: str) -> Review:
        return desk.open(dataset_id)

    @router.get(PREFIX)
    def review(dataset_id: str) -> Review:
        return desk.show(dataset_id)

    @router.get(f"{PREFIX}/rows")
    def rows(dataset_id: str, query: Annotated[ReviewQuery, Query()]) -> ReviewPage:
        return desk.page(dataset_id, query)

    @router.get(f"{PREFIX}/rows/{{number}}")
    def row(dataset_id: str, number: RowNumber) -> ReviewRow:
        return desk.row(dataset_id, number)

    @router.get(f"{PREFIX}/steps")
    def steps(
        dataset_id: str,
        offset: Number = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[ReviewStep]:
        return desk.steps(dataset_id, offset, limit)


def add_changing(router: APIRouter, desk: ReviewDesk) -> None:
    """Add the routes that decide."""

    @router.post(f"{PREFIX}/decisions")
    def decide(dataset_id: str, change: ReviewChange) -> ReviewResult:
        return desk.change(dataset_id, change)

    @router.put(f"{PREFIX}/rows/{{number}}")
    def edit(dataset_id: str, number: RowNumber, change: ReviewEdit) -> ReviewResult:
        return desk.edit(dataset_id, number, change)

    @router.post(f"{PREFIX}/replacements")
    def replace(dataset_id: str, change: ReviewReplacement) -> ReviewResult:
        return desk.replace(dataset_id, change)

    @router.post(f"{PREFIX}/undo")
    def undo(dataset_id: str, change: ReviewUndo) -> ReviewResult:
        return desk.undo(dataset_id, change)


def add_ending(router: APIRouter, desk: ReviewDesk, services: Services) -> None:
    """Add the routes that ask the teacher again, and that publish."""

    @router.post(f"{PREFIX}/regenerations", status_code=202)
    def regenerate(
        dataset_id: str,
        change: ReviewRegeneration,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Job:
        desk.check(dataset_id, change.filter, change.revision)
        document = {"dataset_id": dataset_id, "change": change.model_dump(mode="json")}
        return services.store.submit(KIND, new_id("regenerate"), document, idempotency_key)

    @router.post(f"{PREFIX}/publish", status_code=201)
    async def publish(dataset_id: str, request: ReviewPublication) -> DatasetManifest:
        manifest = await run_in_threadpool(publish_review, desk, dataset_id, request)
        await run_in_threadpool(show_newest, services.volume, services.metrics)
        return manifest
