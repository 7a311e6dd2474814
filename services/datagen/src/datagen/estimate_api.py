"""HTTP route of the estimate before a generation."""

from typing import Annotated

from fastapi import APIRouter, Query

from contracts.dataset import DatasetRequest
from contracts.estimate import CostEstimate
from datagen.api import check_request
from datagen.estimate import Estimator
from datagen.services import Services


def estimate_router(services: Services) -> APIRouter:
    """Return `POST /datasets/estimate`."""
    router = APIRouter(tags=["datasets"])
    estimator = Estimator(services.banks, services.prompts, services.teacher, services.volume)

    @router.post("/datasets/estimate")
    async def estimate(
        request: DatasetRequest, calls: Annotated[int, Query(ge=1, le=32)] = 6
    ) -> CostEstimate:
        styles = check_request(services, request)
        return await estimator.estimate(request, styles, calls)

    return router
