"""HTTP routes of a dataset's quality: report card, other thresholds, one row explained."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from contracts.quality import Explanation, ExplanationQuery, Preview, ReportCard, Thresholds
from datagen.quality import Quality
from datagen.services import Services


def quality_router(services: Services) -> APIRouter:
    """Return `/datasets/{id}/report-card`, `/report-card.html`, `/preview` and `/explanation`.

    The two of the report card take the default thresholds.
    """
    router = APIRouter(prefix="/datasets/{dataset_id}", tags=["quality"])
    quality = Quality(
        services.volume,
        services.banks,
        services.screens,
        services.vectors,
        services.settings.state_dir,
    )

    @router.get("/report-card")
    async def card(dataset_id: str) -> ReportCard:
        return await quality.report(dataset_id, Thresholds())

    @router.get("/report-card.html", response_class=HTMLResponse)
    async def page(dataset_id: str) -> HTMLResponse:
        return HTMLResponse(await quality.page(dataset_id, Thresholds()))

    @router.post("/preview")
    async def preview(dataset_id: str, limits: Thresholds) -> Preview:
        return await quality.preview(dataset_id, limits)

    @router.get("/explanation")
    async def explanation(
        dataset_id: str, query: Annotated[ExplanationQuery, Query()]
    ) -> Explanation:
        return await quality.explanation(dataset_id, query)

    return router
