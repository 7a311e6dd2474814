"""HTTP route of a dataset's coverage map."""

from fastapi import APIRouter

from contracts.quality import Coverage
from datagen.api import no_dataset
from datagen.coverage import coverage
from datagen.journals import read_samples
from datagen.services import Services


def coverage_router(services: Services) -> APIRouter:
    """Return `GET /datasets/{id}/coverage`."""
    router = APIRouter(tags=["questions"])

    @router.get("/datasets/{dataset_id}/coverage")
    def coverage_map(dataset_id: str) -> Coverage:
        try:
            manifest = services.volume.dataset_manifest(dataset_id)
        except (FileNotFoundError, ValueError) as error:
            raise no_dataset(dataset_id) from error
        speaks = {version.style.id: version.style.language for version in manifest.styles}
        return coverage(read_samples(services.volume.dataset(dataset_id)), services.banks, speaks)

    return router
