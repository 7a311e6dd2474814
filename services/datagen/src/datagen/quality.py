"""The quality of a published dataset: its report card, and what other thresholds would change.

Measuring is slow (seconds) and kept for the datasets asked for last; published rows never change.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from contracts.dataset import DatasetManifest
from contracts.identity import now
from contracts.quality import Explanation, ExplanationQuery, Preview, ReportCard, Thresholds
from contracts.style import Language
from contracts.volume import Volume
from datagen.explaining import explain
from datagen.journals import read_rejected, read_samples
from datagen.judged_rows import with_ratings
from datagen.judging import preview
from datagen.measured import Measured, Row, measure, rows_of
from datagen.questions import Bank
from datagen.report_card import report_card
from datagen.report_card_page import render_report_card
from datagen.vectors import Vectors
from kit.crisis import Screen
from kit.errors import InvalidInputError, NotFoundError

# Of 50,000 rows the figures and texts take some 150 MB: the one looked at and the one before it.
KEPT = 2


class Quality:
    """Answers about the quality of published datasets.

    Args:
        volume: holds them.
        banks: which situations there are, with their names.
        screens: tell a crisis, by language.
        vectors: what contrast and likeness are measured with.
        judged_dir: where a judge's ratings of rows are kept; None: there are none.
    """

    def __init__(
        self,
        volume: Volume,
        banks: Mapping[Language, Bank],
        screens: Mapping[Language, Screen],
        vectors: Vectors,
        judged_dir: Path | None = None,
    ) -> None:
        self.volume = volume
        self.banks = banks
        self.screens = screens
        self.vectors = vectors
        self.judged_dir = judged_dir
        self._measured: OrderedDict[str, Measured] = OrderedDict()
        self._measuring = asyncio.Lock()

    async def report(self, dataset_id: str, limits: Thresholds) -> ReportCard:
        """Return the report card of a dataset. Raises NotFoundError, and what `vectors` raises."""
        measured = await self.judged(dataset_id, limits)
        return await asyncio.to_thread(
            report_card,
            measured,
            dataset_id=dataset_id,
            created_at=now(),
            limits=limits,
            banks=self.banks,
        )

    async def page(self, dataset_id: str, limits: Thresholds) -> str:
        """Return the report card of a dataset as HTML. Raises as `report` does."""
        card = await self.report(dataset_id, limits)
        styles = [version.style for version in self.manifest(dataset_id).styles]
        return await asyncio.to_thread(render_report_card, card, styles, self.banks)

    async def preview(self, dataset_id: str, limits: Thresholds) -> Preview:
        """Return what `limits` would change in a dataset. Raises as `report` does."""
        return await asyncio.to_thread(preview, await self.judged(dataset_id, limits), limits)

    async def explanation(self, dataset_id: str, query: ExplanationQuery) -> Explanation:
        """Return what every gate says of one row. Raises NotFoundError, and as `report` does."""
        return await asyncio.to_thread(
            explain, await self.judged(dataset_id, query), query.row, query
        )

    async def judged(self, dataset_id: str, limits: Thresholds) -> Measured:
        """Return the figures of a dataset's rows with the judge's ratings, where there are some.

        Raises InvalidInputError where a threshold of the judge meets rows that none has rated.
        """
        measured = await self.measured(dataset_id)
        if self.judged_dir is None:
            return measured
        rated = await asyncio.to_thread(with_ratings, measured, self.judged_dir, dataset_id)
        if limits.judge and rated is measured:
            raise InvalidInputError(
                f"judge: no row of {dataset_id!r} was rated by a judge",
                field="judge",
                hint="POST /datasets/{id}/judge first (it needs JUDGE_BASE_URL), or leave it at 0",
            )
        return rated

    async def measured(self, dataset_id: str) -> Measured:
        """Return the figures of a dataset's rows, measured once. Raises as `report` does."""
        manifest = self.manifest(dataset_id)
        async with self._measuring:  # two measurements at once would be slower than one by one
            if dataset_id not in self._measured:
                rows = await asyncio.to_thread(read_rows, self.volume.dataset(dataset_id))
                cards = {version.style.id: version.style for version in manifest.styles}
                found = await measure(rows, cards, self.vectors, self.screens)
                self._measured[dataset_id] = found
            self._measured.move_to_end(dataset_id)
            while len(self._measured) > KEPT:
                self._measured.popitem(last=False)
            return self._measured[dataset_id]

    def manifest(self, dataset_id: str) -> DatasetManifest:
        """Return a dataset's manifest. Raises NotFoundError where none is published."""
        try:
            return self.volume.dataset_manifest(dataset_id)
        except (FileNotFoundError, ValueError) as error:
            raise NotFoundError(
                f"there is no published dataset {dataset_id[:80]!r}",
                field="dataset_id",
                hint="GET /datasets lists them; one that is being made has no report card yet",
            ) from error


def read_rows(folder: Path) -> list[Row]:
    """Return the rows of the dataset in `folder`, accepted and refused."""
    return rows_of(read_samples(folder), read_rejected(folder))
