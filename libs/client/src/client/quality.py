"""The quality of one dataset: its report card, other thresholds, and one row explained."""

from client.service import Service
from contracts.quality import Coverage, Explanation, Preview, ReportCard, Thresholds

# The first look at 50,000 rows measures them; an embeddings endpoint takes longer still.
LONG_SECONDS = 900.0


class Quality:
    """What the gates have against a published dataset.

    Args:
        service: datagen.
        dataset_id: of the dataset.
    """

    def __init__(self, service: Service, dataset_id: str) -> None:
        self._service = service
        self._path = f"/datasets/{dataset_id}"

    def card(self) -> ReportCard:
        """Return the report card; the first call measures every row."""
        path = f"{self._path}/report-card"
        return self._service.send("GET", path, ReportCard, timeout=LONG_SECONDS)

    def card_url(self) -> str:
        """Return the address of the report card's page."""
        return f"{self._service.url}{self._path}/report-card.html"

    def coverage(self) -> Coverage:
        """Return the rows of each style by emotion and area, and what is empty."""
        return self._service.get(f"{self._path}/coverage", Coverage)

    def preview(self, limits: Thresholds) -> Preview:
        """Return what other thresholds would change."""
        return self._service.send(
            "POST",
            f"{self._path}/preview",
            Preview,
            json=limits.model_dump(mode="json"),
            timeout=LONG_SECONDS,
        )

    def explain(self, row: str, limits: Thresholds | None = None) -> Explanation:
        """Return what every gate says of one row. Raises ServiceError (404) for an unknown one."""
        wanted = (limits or Thresholds()).model_dump(mode="json", exclude_defaults=True)
        return self._service.send(
            "GET",
            f"{self._path}/explanation",
            Explanation,
            params={"row": row, **wanted},
            timeout=LONG_SECONDS,
        )
