"""HTTP routes of the style studio: preview, confusion, cards from elsewhere."""

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from contracts.studio import (
    CardDraft,
    ConfusionRequest,
    PreviewRequest,
    StyleConfusion,
    StylePreview,
)
from datagen.api import bounded_body
from datagen.persona_packs import read_draft
from datagen.png_text import MAX_BYTES
from datagen.services import Services
from datagen.studio import Studio


def studio_router(services: Services) -> APIRouter:
    """Return `POST /styles/preview`, `/styles/confusion` and `/styles/import`."""
    router = APIRouter(prefix="/styles", tags=["studio"])
    studio = Studio(
        services.library,
        services.banks,
        services.prompts,
        services.teacher,
        services.drafts,
        services.screens,
    )

    @router.post("/preview")
    async def preview(request: PreviewRequest) -> StylePreview:
        return await studio.preview(request)

    @router.post("/confusion")
    async def confusion(request: ConfusionRequest) -> StyleConfusion:
        return await studio.confuse(request)

    @router.post("/import")
    async def import_card(request: Request) -> CardDraft:
        content = await bounded_body(request, MAX_BYTES)
        return await run_in_threadpool(read_draft, content)

    return router
