"""The rows of a dataset as a review sees them: first the accepted ones, then the rejected."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from contracts.dataset import DatasetManifest
from contracts.review import Origin, ReviewRow
from contracts.sample import Rejected, RejectReason, RowReview, Sample
from contracts.style import Language, Style
from datagen.journals import REJECTED, SAMPLES
from datagen.questions import Bank
from datagen.review_schema import folded
from datagen.uncertainty import Seen, uncertainties

FILES: dict[Origin, str] = {"accepted": SAMPLES, "rejected": REJECTED}
Banks = Mapping[Language, Bank]


@dataclass(frozen=True)
class Sheet:
    """The published rows that a review is about, with the cards that made them.

    Args:
        folder: of the dataset.
        manifest: of the dataset.
    """

    folder: Path
    manifest: DatasetManifest

    @cached_property
    def styles(self) -> dict[str, Style]:
        """The cards of the dataset, by id."""
        return {version.style.id: version.style for version in self.manifest.styles}

    def lines(self, origin: Origin) -> Iterator[tuple[int, bytes]]:
        """Yield (place in bytes, line) of a journal."""
        path = self.folder / FILES[origin]
        if not path.exists():
            return
        place = 0
        with path.open("rb") as file:
            for line in file:
                yield place, line
                place += len(line)

    def samples(self, rows: Sequence[sqlite3.Row]) -> list[tuple[Sample, Rejected | None]]:
        """Return each row as a sample, as it was published, and as it was rejected, if it was."""
        found: list[tuple[Sample, Rejected | None]] = []
        with ExitStack() as stack:
            files = {
                origin: stack.enter_context((self.folder / FILES[origin]).open("rb"))
                for origin in {row["origin"] for row in rows}
            }
            for row in rows:
                file = files[row["origin"]]
                file.seek(row["place"])
                line = file.readline()
                if row["origin"] == "accepted":
                    found.append((Sample.model_validate_json(line), None))
                else:
                    refused = Rejected.model_validate_json(line)
                    found.append((rescued(refused, row["number"], self.manifest), refused))
        return found


def rescued(refused: Rejected, number: int, manifest: DatasetManifest) -> Sample:
    """Return a rejected row as a sample: what it would be if a person accepts it."""
    card = next((one for one in manifest.styles if one.style.id == refused.style), None)
    return Sample(
        id=f"{refused.style or 'row'}-refused-{number:06d}",
        slot=f"{refused.slot}/{refused.attempt}",
        style=refused.style,
        style_version=card.version if card else 0,
        language=card.style.language if card else "zh",
        question=refused.question,
        reply=refused.reply,
        system=card.style.system_prompt if card else "",
        history=refused.history,
        teacher="import" if manifest.source == "imported" else manifest.teacher,
        attempt=refused.attempt,
    )


def fresh_rows(sheet: Sheet, banks: Banks) -> Iterator[dict[str, Any]]:
    """Yield the rows of a new review, as `ReviewStore.open` wants them."""
    places: list[tuple[int, Origin]] = []
    seen: list[Seen] = []
    styles = sheet.styles
    for place, line in sheet.lines("accepted"):
        sample = Sample.model_validate_json(line)
        places.append((place, "accepted"))
        seen.append(Seen(sample, styles.get(sample.style)))
    for place, line in sheet.lines("rejected"):
        refused = Rejected.model_validate_json(line)
        if refused.speaker == "user":  # words without a reply: there is no row to accept
            continue
        sample = rescued(refused, len(seen), sheet.manifest)
        places.append((place, "rejected"))
        seen.append(Seen(sample, styles.get(sample.style), refused.reason))
    judged = uncertainties(seen, styles)
    for number, (row, (uncertainty, cause, _)) in enumerate(zip(seen, judged, strict=True)):
        area, emotion = situation_of(row.sample, banks)
        yield {
            "number": number,
            "place": places[number][0],
            "origin": places[number][1],
            "style": row.sample.style,
            "area": area,
            "emotion": emotion,
            "reason": row.reason.value if row.reason else None,
            "uncertainty": uncertainty,
            "cause": cause,
            "characters": len(row.sample.reply),
            "folded": folded(row.sample.question, row.sample.reply),
        }


def situation_of(sample: Sample, banks: Banks) -> tuple[str, str]:
    """Return area and emotion of a row, empty where neither it nor the bank knows them."""
    known = sample.situation
    if known is None and (bank := banks.get(sample.language)):
        situation = bank.recognise(sample.question)
        known = situation.id if situation else None
    area, _, emotion = (known or "").partition("/")
    return area, emotion


def shown(row: sqlite3.Row, sample: Sample, refused: Rejected | None) -> ReviewRow:
    """Return a row as the reviewer sees it."""
    known = row["style"] and sample.style_version
    return ReviewRow(
        number=row["number"],
        id=f"{refused.slot}#{refused.attempt}" if refused else sample.id,
        origin=row["origin"],
        decision=row["decision"],
        style=row["style"],
        language=sample.language if known else None,
        question=sample.question,
        reply=sample.reply if row["reply"] is None else row["reply"],
        original=None if row["reply"] is None else sample.reply,
        history=sample.history,
        situation="/".join(filter(None, (row["area"], row["emotion"]))) or None,
        reason=RejectReason(row["reason"]) if row["reason"] else None,
        detail=refused.detail if refused else "",
        note=row["note"],
        edit=row["edit"],
        forced=bool(row["forced"]),
        uncertainty=row["uncertainty"],
        cause=row["cause"],
        characters=row["characters"],
        revision=row["revision"],
    )


def decided(row: sqlite3.Row, sample: Sample) -> Sample:
    """Return a kept row as it goes into the next version, with what a person did to it."""
    touched = row["decision"] != "open" or row["edit"] or row["note"]
    if not touched:
        return sample
    earlier = sample.review
    original = sample.reply if row["reply"] is not None else None
    if original is None and earlier is not None:
        original = earlier.original  # an edit of the version before is still one
    review = RowReview(
        decision=row["decision"],
        edit=row["edit"] or (earlier.edit if earlier else None),
        original=original,
        forced=bool(row["forced"]),
        note=row["note"],
    )
    reply = sample.reply if row["reply"] is None else row["reply"]
    return sample.model_copy(update={"reply": reply, "review": review})
