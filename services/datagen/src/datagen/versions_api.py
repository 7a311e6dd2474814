"""HTTP routes of dataset versions: the family, the chain, the difference of two, going back."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from contracts.dataset import DatasetManifest
from contracts.versions import Change, DatasetDiff, DatasetVersion, Rollback
from datagen.dataset_diff import diff_datasets
from datagen.datasets import show_newest
from datagen.services import Services
from datagen.versions import chain, family, roll_back


def versions_router(services: Services) -> APIRouter:
    """Return the routes `/datasets/{id}/versions`, `/lineage`, `/diff` and `/rollback`."""
    router = APIRouter(prefix="/datasets/{dataset_id}", tags=["versions"])
    volume = services.volume

    @router.get("/versions")
    def versions(dataset_id: str) -> list[DatasetVersion]:
        return family(volume, dataset_id)

    @router.get("/lineage")
    def lineage(dataset_id: str) -> list[DatasetVersion]:
        return chain(volume, dataset_id)

    @router.get("/diff")
    def diff(
        dataset_id: str,
        to: Annotated[str, Query(max_length=64)],
        change: Change | None = None,
        style: Annotated[str | None, Query(max_length=64)] = None,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> DatasetDiff:
        return diff_datasets(
            volume, dataset_id, to, change=change, style=style, offset=offset, limit=limit
        )

    @router.post("/rollback", status_code=201)
    async def rollback(dataset_id: str, request: Rollback) -> DatasetManifest:
        manifest = await run_in_threadpool(roll_back, volume, dataset_id, request)
        await run_in_threadpool(show_newest, volume, services.metrics)
        return manifest

    return router
