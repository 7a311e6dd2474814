"""HTTP routes of the judge: ratings of a dataset's rows, and how far it agrees with people."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool

from contracts.identity import new_id
from contracts.job import Job
from contracts.judge import AgreementReport, AgreementRequest, JudgingRequest
from datagen.agreeing import KIND, latest_agreement, read_human_rows, refuse_unknown
from datagen.api import bounded_body
from datagen.evaluations_api import check_dataset
from datagen.judged_rows import KIND as JUDGING
from datagen.judges import needed
from datagen.services import Services
from kit.errors import InvalidInputError, NotFoundError
from kit.worker import job_routes

PREFIX = "/judge"
MAX_BYTES = 16 << 20
MOST_ROWS = 5000


def judge_router(services: Services) -> APIRouter:
    """Return `/judge/agreement`, `POST /datasets/{id}/judge`, and the routes of their jobs."""
    router = APIRouter(tags=["judge"])
    router.include_router(job_routes(services.store, PREFIX, KIND))
    router.include_router(job_routes(services.store, "/judgings", JUDGING))

    @router.post(f"{PREFIX}/agreement", status_code=202)
    async def measure(
        request: Request,
        seed: Annotated[int, Query(ge=0)] = 7,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Job:
        judge = needed(services.judge)
        rows = read_human_rows(await bounded_body(request, MAX_BYTES))
        if len(rows) > MOST_ROWS:
            raise InvalidInputError(
                f"{len(rows)} rows are more than {MOST_ROWS}", field="rows", hint="take a part"
            )
        cards = {version.style.id: version.style for version in services.library.all(archived=None)}
        refuse_unknown(rows, cards, judge)
        document = AgreementRequest(rows=rows, seed=seed).model_dump(mode="json")
        return await run_in_threadpool(
            services.store.submit, KIND, new_id("agreement"), document, idempotency_key
        )

    add_rating(router, services)

    @router.get(f"{PREFIX}/agreement")
    def report() -> AgreementReport:
        found = latest_agreement(services.settings.state_dir)
        if found is None:
            raise NotFoundError(
                "no agreement with people was measured yet",
                hint="POST /judge/agreement with rated rows, one JSON a line",
            )
        return found

    return router


def add_rating(router: APIRouter, services: Services) -> None:
    """Add the route that has a judge rate the rows of a dataset."""

    @router.post("/datasets/{dataset_id}/judge", status_code=202)
    def judge_rows(
        dataset_id: str,
        rows: Annotated[int | None, Query(ge=1)] = None,
        seed: Annotated[int, Query(ge=0)] = 7,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Job:
        needed(services.judge)
        check_dataset(services.volume, dataset_id)
        document = JudgingRequest(dataset_id=dataset_id, rows=rows, seed=seed)
        return services.store.submit(
            JUDGING, new_id("judging"), document.model_dump(mode="json"), idempotency_key
        )
