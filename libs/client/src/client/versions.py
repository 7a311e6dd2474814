"""The versions of a dataset: the family, the chain, the difference of two, going back."""

from client.service import Service
from contracts.dataset import DatasetManifest
from contracts.versions import Change, DatasetDiff, DatasetVersion, Rollback

# Copying a large dataset takes longer than an intent.
LONG_SECONDS = 300.0


class Versions:
    """The versions of a dataset.

    Args:
        service: datagen.
        dataset_id: any of them.
    """

    def __init__(self, service: Service, dataset_id: str) -> None:
        self._service = service
        self._path = f"/datasets/{dataset_id}"

    def all(self) -> list[DatasetVersion]:
        """Return every version with the same root, oldest first."""
        return self._service.get(f"{self._path}/versions", list[DatasetVersion])

    def lineage(self) -> list[DatasetVersion]:
        """Return the dataset and what it comes from, itself last."""
        return self._service.get(f"{self._path}/lineage", list[DatasetVersion])

    def diff(
        self,
        to: str,
        *,
        change: Change | None = None,
        style: str | None = None,
        offset: int = 0,
        limit: int = 100,
    ) -> DatasetDiff:
        """Return what another dataset has that this one has not, and the other way round."""
        return self._service.get(
            f"{self._path}/diff",
            DatasetDiff,
            to=to,
            change=change,
            style=style,
            offset=offset,
            limit=limit,
        )

    def roll_back(self, to: str, *, name: str | None = None) -> DatasetManifest:
        """Publish a new version with the content of an older one."""
        return self._service.send(
            "POST",
            f"{self._path}/rollback",
            DatasetManifest,
            json=Rollback(to=to, name=name).model_dump(mode="json"),
            timeout=LONG_SECONDS,
        )
