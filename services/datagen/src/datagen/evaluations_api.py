"""HTTP routes of evaluations: start one, watch it, read its report, page and replies."""

import re
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import HTMLResponse

from contracts.durable import read_journal
from contracts.evaluation import EvaluationReport, EvaluationRequest, Reply
from contracts.identity import new_id
from contracts.job import Job
from contracts.volume import MANIFEST, Volume, read_document
from datagen.contestants import check_request
from datagen.evaluations import KIND, PAGE, REPORT
from datagen.proof_run import REPLIES
from kit.errors import NotFoundError
from kit.jobs import JobStore
from kit.worker import job_routes

PREFIX = "/evaluations"
# The page needs nothing but its own style sheet: whatever a reply contains, nothing can run.
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"


def evaluation_router(store: JobStore, volume: Volume, *, judge: bool = False) -> APIRouter:
    """Return the routes under `/evaluations`, with those of its jobs; `judge`: there is one."""
    router = APIRouter(tags=[KIND])
    router.include_router(job_routes(store, PREFIX, KIND))  # before {id}, which would match "jobs"

    @router.post(PREFIX, status_code=202)
    def start(
        request: EvaluationRequest,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Job:
        check_dataset(volume, request.dataset_id)
        check_request(request, judge=judge)
        job_id = new_id(f"eval-{slug(request.tuned)}")
        return store.submit(KIND, job_id, request.model_dump(mode="json"), idempotency_key)

    @router.get(PREFIX)
    def reports(
        limit: Annotated[int | None, Query(ge=1, le=1000)] = None,
    ) -> list[EvaluationReport]:
        found = [report_of(volume, name) for name in volume.published("evaluations")]
        return sorted(found, key=lambda report: report.created_at, reverse=True)[:limit]

    add_reading(router, volume)
    return router


def add_reading(router: APIRouter, volume: Volume) -> None:
    """Add the routes that read one published evaluation."""

    @router.get(f"{PREFIX}/{{evaluation_id}}")
    def report(evaluation_id: str) -> EvaluationReport:
        return report_of(volume, evaluation_id)

    @router.get(f"{PREFIX}/{{evaluation_id}}/report.html", response_class=HTMLResponse)
    def page(evaluation_id: str) -> HTMLResponse:
        path = volume.evaluation(report_of(volume, evaluation_id).id) / PAGE
        headers = {"content-security-policy": PAGE_POLICY, "x-content-type-options": "nosniff"}
        return HTMLResponse(path.read_text(encoding="utf-8"), headers=headers)

    @router.get(f"{PREFIX}/{{evaluation_id}}/replies")
    def replies(
        evaluation_id: str,
        style: str | None = None,
        contestant: str | None = None,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[Reply]:
        path = volume.evaluation(report_of(volume, evaluation_id).id) / REPLIES
        rows = [
            reply
            for reply in map(Reply.model_validate_json, read_journal(path))
            if style in (None, reply.style) and contestant in (None, reply.contestant)
        ]
        return rows[offset : offset + limit]


def slug(name: str) -> str:
    """Return a model name as part of an id: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:32].strip("-")


def report_of(volume: Volume, evaluation_id: str) -> EvaluationReport:
    """Return a published evaluation's report. Raises NotFoundError."""
    if evaluation_id not in volume.published("evaluations"):
        raise NotFoundError(
            f"there is no evaluation {evaluation_id[:80]!r}",
            field="evaluation_id",
            hint="list them with GET /evaluations; one that still runs is under /evaluations/jobs",
        )
    return read_document(volume.evaluation(evaluation_id) / REPORT, EvaluationReport)


def check_dataset(volume: Volume, dataset_id: str) -> None:
    """Raise NotFoundError where no such dataset is published."""
    if not (volume.dataset(dataset_id) / MANIFEST).is_file():
        raise NotFoundError(
            f"there is no dataset {dataset_id[:80]!r}",
            field="dataset_id",
            hint="list the datasets with GET /datasets",
        )
