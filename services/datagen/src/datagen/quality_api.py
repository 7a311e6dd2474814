"""HTTP routes of a dataset's quality: report card (JSON, HTML), preview of other thresholds."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from contracts.quality import Preview, ReportCard, Thresholds
from datagen.quality import Quality
from datagen.services import Services
from datagen.vectors import NgramVectors


def quality_router(services: Services) -> APIRouter:
    """Return the routes `/datasets/{id}/report-card`, `/report-card.html` and `/preview`.

    The two of the report card take the default thresholds.
    """
    router = APIRouter(prefix="/datasets/{dataset_id}", tags=["quality"])
    quality = Quality(
        services.volume,
        services.banks,
        services.screens,
        NgramVectors(),
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

    return router
