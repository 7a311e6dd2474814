"""Import existing data: every row is kept, or refused with a reason; then it is a dataset.

Works without a running service: `import_file(Path("var/data"), content, ImportRequest())`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from contracts.dataset import Counts, DatasetManifest, ImportRequest, ImportResult
from contracts.identity import new_id
from contracts.sample import Rejected, RejectReason, Sample, Turn
from contracts.style import Language, StyleVersion
from contracts.volume import Volume
from datagen.board import encodable
from datagen.config import Settings, shipped_folder
from datagen.duplicates import DuplicateIndex, judged_text
from datagen.formats import prefix_of
from datagen.gates import IMPORTED, Candidate, Refusal, scores
from datagen.journals import REJECTED, SAMPLES, write_lines
from datagen.library import StyleLibrary
from datagen.metrics import Metrics
from datagen.publish import Description, publish_dataset
from datagen.routing import Judged, judge_row
from datagen.rows import Malformed, Row, read_rows
from datagen.storage import RETRY, full_volume_told
from datagen.text import strip_thinking
from kit.crisis import Screen, load_screens


def import_file(
    data_dir: Path,
    content: bytes,
    request: ImportRequest,
    *,
    shipped: Path | None = None,
    metrics: Metrics | None = None,
) -> ImportResult:
    """Import the rows in `content` and publish them as a dataset under `data_dir`.

    Args:
        data_dir: the volume's root.
        content: a JSON list or JSON Lines; see `rows.py` for the forms of a row.
        request: name, conditioning, evaluation split.
        shipped: folder of `styles/`, installed where the library lacks them.
        metrics: counts the rows, inside a service.

    Raises:
        InvalidInputError: the file as a whole cannot be read. Nothing is written then, nor
            where no row can be kept.
        StorageFullError: the volume is full; nothing stays.
    """
    rows = read_rows(content)
    library = StyleLibrary(Volume(data_dir))
    data = shipped or shipped_folder(Settings())
    cards = data / "styles"
    with full_volume_told(RETRY):
        sieve = sift(rows, library.known(cards), load_screens())
        manifest = publish_kept(library, cards, request, sieve)
    count(metrics, sieve)
    return ImportResult(
        dataset_id=manifest.id if manifest else None,
        accepted=len(sieve.kept),
        rejected=sieve.reasons(),
    )


@dataclass
class Sieve:
    """Keeps or refuses rows one by one.

    Args:
        styles: the library; a row names its style by id or by either name.
        screens: tell a crisis, by language.
    """

    styles: list[StyleVersion]
    screens: dict[Language, Screen] = field(default_factory=dict)
    kept: list[Sample] = field(default_factory=list)
    refused: list[Rejected] = field(default_factory=list)
    index: DuplicateIndex = field(default_factory=DuplicateIndex)

    def __post_init__(self) -> None:
        self.by_name = {
            name.casefold(): version
            for version in self.styles
            for name in (version.style.id, version.style.names.zh, version.style.names.en)
        }
        self.by_prompt = {version.style.system_prompt: version for version in self.styles}

    def take(self, number: int, row: Row | Malformed) -> None:
        """Keep or refuse the row with this number (from 0)."""
        if isinstance(row, Malformed):
            refusal = Refusal(RejectReason.MALFORMED, row.detail)
            self._refuse(number, row.style, row.question, "", refusal)
            return
        version = self.find_style(row)
        if version is None:
            refusal = Refusal(RejectReason.UNKNOWN_STYLE, row.style[:60] or "no style named")
            self._refuse(number, row.style, row.question, row.reply, refusal)
            return
        judged = judge_row(clean(row, version), IMPORTED, self.index, self.screens)
        candidate = judged.routed.candidate
        if judged.refusal:
            texts, refusal = (candidate.question, candidate.reply), judged.refusal
            self._refuse(number, version.style.id, *texts, refusal, candidate.history)
            return
        self.index.add(version.style.id, judged_text(candidate.question, candidate.reply))
        self.kept.append(sample_of(number, version, judged))

    def find_style(self, row: Row) -> StyleVersion | None:
        """Return the style that `row` names, or whose system prompt it carries, or None."""
        if row.style:
            return self.by_name.get(row.style.strip().casefold())
        return self.by_prompt.get(row.system)

    def reasons(self) -> dict[str, int]:
        """Return the number of refused rows by reason."""
        return dict(sorted(Counter(row.reason.value for row in self.refused).items()))

    def _refuse(
        self,
        number: int,
        style: str,
        question: str,
        reply: str,
        refusal: Refusal,
        history: Sequence[Turn] = (),
    ) -> None:
        self.refused.append(
            Rejected(
                slot=f"row/{number:06d}",
                style=encodable(style[:64]),
                attempt=1,
                question=encodable(question[:2000]),
                reply=encodable(reply[:2000]),
                reason=refusal.reason,
                detail=encodable(refusal.detail),
                turn=len(history),
                history=[
                    Turn(user=encodable(turn.user), assistant=encodable(turn.assistant))
                    for turn in history
                ],
            )
        )


def sift(
    rows: Iterable[Row | Malformed],
    styles: list[StyleVersion],
    screens: dict[Language, Screen] | None = None,
) -> Sieve:
    """Return a sieve that has judged every row."""
    sieve = Sieve(styles, screens or {})
    for number, row in enumerate(rows):
        sieve.take(number, row)
    return sieve


def publish_kept(
    library: StyleLibrary, cards: Path, request: ImportRequest, sieve: Sieve
) -> DatasetManifest | None:
    """Store the shipped cards and publish the kept rows; without any, write nothing: None."""
    if not sieve.kept:
        return None
    library.install(cards)
    return publish(library.volume, request, sieve)


def clean(row: Row, version: StyleVersion) -> Candidate:
    """Return `row` without thinking blocks and without a first line that names the style."""
    prefix = prefix_of(version.style)
    history = tuple(
        Turn(user=turn.user, assistant=spoken(turn.assistant, prefix)) for turn in row.history
    )
    reply = spoken(row.reply, prefix)
    return replace(Candidate(version.style, row.question, reply), history=history)


def spoken(reply: str, prefix: str) -> str:
    """Return what is really said in `reply`."""
    return strip_thinking(reply).removeprefix(prefix).strip()


def sample_of(number: int, version: StyleVersion, judged: Judged) -> Sample:
    """Return the accepted row."""
    style, routed = version.style, judged.routed
    candidate = routed.candidate
    return Sample(
        id=f"{style.id}-{number:06d}",
        slot=f"row/{number:06d}",
        style=style.id,
        style_version=version.version,
        language=style.language,
        question=candidate.question,
        reply=candidate.reply,
        system=style.system_prompt,
        history=list(candidate.history),
        teacher="import",
        scores=scores(candidate, judged.nearest),
        masked=routed.masked,
        safety=routed.safety,
    )


def publish(volume: Volume, request: ImportRequest, sieve: Sieve) -> DatasetManifest:
    """Publish what `sieve` kept, and why it refused the rest. On an error nothing stays."""
    dataset_id = new_id(request.name)
    target = volume.dataset(dataset_id)
    staging = volume.staging(target)
    used = {sample.style for sample in sieve.kept}
    description = Description(
        source="imported",
        status="complete",
        conditioning=request.conditioning,
        eval_ratio=request.eval_ratio,
        seed=request.seed,
        styles=[version for version in sieve.styles if version.style.id in used],
        counts=Counts(
            asked=len(sieve.kept) + len(sieve.refused),
            accepted=len(sieve.kept),
            rejected=sieve.reasons(),
        ),
        request=request.model_dump(mode="json"),
    )
    try:
        write_lines(staging / SAMPLES, [row.model_dump_json() for row in sieve.kept])
        write_lines(staging / REJECTED, [row.model_dump_json() for row in sieve.refused])
        return publish_dataset(volume, dataset_id, sieve.kept, description)
    except OSError:
        volume.discard(target)
        raise


def count(metrics: Metrics | None, sieve: Sieve) -> None:
    """Add the rows to the service's metrics."""
    if metrics is None:
        return
    metrics.imported.labels("accepted", "").inc(len(sieve.kept))
    for reason, number in sieve.reasons().items():
        metrics.imported.labels("rejected", reason).inc(number)
