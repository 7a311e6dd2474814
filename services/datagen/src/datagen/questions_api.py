"""HTTP routes of question sets."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool

from contracts.dataset import ImportPreview
from contracts.identity import new_id
from contracts.job import Job
from contracts.question_set import (
    QuestionImport,
    QuestionSetManifest,
    QuestionSetRequest,
    RejectedQuestion,
    SetQuestion,
)
from datagen.import_preview import preview_questions
from datagen.question_import import import_questions
from datagen.question_jobs import KIND, check
from datagen.question_sets import read_questions, read_refused, readable_sets, set_manifest
from datagen.services import Services
from kit.worker import job_routes


def question_router(services: Services) -> APIRouter:
    """Return the routes under `/questions`, with those of its jobs."""
    router = APIRouter(tags=["questions"])
    # Before `/questions/{id}`, which would match "jobs".
    router.include_router(job_routes(services.store, "/questions", KIND))

    @router.post("/questions", status_code=202)
    def start(
        request: QuestionSetRequest,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Job:
        check(request, services.banks)  # an unknown emotion is refused now, not later
        document = request.model_dump(mode="json")
        return services.store.submit(KIND, new_id(request.name), document, idempotency_key)

    add_importing(router, services)
    add_reading(router, services)
    return router


def add_importing(router: APIRouter, services: Services) -> None:
    """Add the routes that read questions from a file, and that look at one first."""

    @router.post("/questions/import")
    async def import_file(
        request: Request, options: Annotated[QuestionImport, Query()]
    ) -> QuestionSetManifest:
        return await run_in_threadpool(
            import_questions,
            services.volume,
            await request.body(),
            options,
            services.banks,
            services.screens,
        )

    @router.post("/questions/import-preview")
    async def preview_import(
        request: Request, options: Annotated[QuestionImport, Query()]
    ) -> ImportPreview:
        return await run_in_threadpool(
            preview_questions,
            await request.body(),
            options.form,
            services.banks,
            services.screens,
        )


def add_reading(router: APIRouter, services: Services) -> None:
    """Add the routes that read question sets."""
    volume = services.volume

    @router.get("/questions")
    def sets() -> list[QuestionSetManifest]:
        return readable_sets(volume)

    @router.get("/questions/{set_id}")
    def one(set_id: str) -> QuestionSetManifest:
        return set_manifest(volume, set_id)

    @router.get("/questions/{set_id}/rows")
    def rows(
        set_id: str,
        state: Literal["accepted", "rejected"] = "accepted",
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[SetQuestion] | list[RejectedQuestion]:
        set_manifest(volume, set_id)
        folder = volume.question_set(set_id)
        if state == "accepted":
            return list(read_questions(folder))[offset : offset + limit]
        return list(read_refused(folder))[offset : offset + limit]
