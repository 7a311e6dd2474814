"""The review of a large dataset over HTTP: how long a page, a filter and a change of all rows take.

    python benchmarks/review.py [--rows 50000] [--kills 5]

Publishes a dataset of composed rows of the shipped styles (a tenth of them refused by a gate),
opens its review in the real service, started as a process of its own, and times requests as a
browser would send them. Then the service is killed with SIGKILL while it takes decisions, and
started again: every decision that was acknowledged must be there. Ends with status 1 where a page
takes 50 ms or more (median), a change of all rows 2 s or more, or an acknowledged decision is lost.
"""

import argparse
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from client.datagen import DatagenClient
from client.errors import ServiceDownError
from client.reviews import Reviews
from contracts.dataset import Conditioning, Counts
from contracts.review import (
    MOST_ROWS,
    ReviewChange,
    ReviewFilter,
    ReviewPublication,
    ReviewQuery,
    ReviewReplacement,
)
from contracts.sample import Rejected, RejectReason, Sample
from contracts.style import Style, StyleVersion
from contracts.volume import Volume
from datagen.compose import plain_reply, styled_reply
from datagen.journals import REJECTED, SAMPLES, write_lines
from datagen.publish import Description, PairsWanted, publish_dataset
from datagen.questions import Bank, Situation, load_banks

SHIPPED = Path(__file__).parents[1] / "services" / "datagen"
DATASET = "large-20260101-000000"
PAGE_SECONDS, BULK_SECONDS = 0.050, 2.0
TIMES = 15
Asked = tuple[Situation, str]
FILTERS = {
    "queue, first page": ReviewQuery(),
    "queue, page 400": ReviewQuery(offset=20_000),
    "by number, last page": ReviewQuery(order="number", offset=49_950),
    "style and decision": ReviewQuery(style="tsundere", decision="open"),
    "emotion, area, length": ReviewQuery(emotion="tired", area="work", shortest=30, longest=80),
    "refused by reason": ReviewQuery(reason=RejectReason.OFF_STYLE),
    "text, common": ReviewQuery(text="一"),
    "text, found nowhere": ReviewQuery(text="zzzz nowhere"),
    "uncertainty 0.4 to 0.6": ReviewQuery(uncertain_from=0.4, uncertain_to=0.6),
}


def main() -> int:
    """Measure, print a table, and return the exit status."""
    parser = argparse.ArgumentParser(description="The review of a large dataset")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="review-") as folder:
        root = Path(folder)
        began = time.perf_counter()
        publish_rows(Volume(root / "data"), options.rows)
        show("publish the first version", time.perf_counter() - began, None)
        good = measured(root)
        good &= survives(root, options.kills)
        published(root)
        return 0 if good else 1


def publish_rows(volume: Volume, count: int) -> None:
    """Publish so many composed rows; every tenth was refused for having no word of its style."""
    cards = [
        Style.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        for path in sorted((SHIPPED / "styles").glob("*.yaml"))
    ]
    kept, refused = composed_rows(cards, count)
    staging = volume.staging(volume.dataset(DATASET))
    write_lines(staging / SAMPLES, [row.model_dump_json() for row in kept])
    write_lines(staging / REJECTED, [row.model_dump_json() for row in refused])
    description = Description(
        source="generated", status="complete", conditioning=Conditioning.SYSTEM, eval_ratio=0.05,
        seed=7, styles=[StyleVersion(version=1, style=card) for card in cards],
        counts=Counts(asked=count, accepted=len(kept)), request={"seed": 7},
        pairs_wanted=PairsWanted(sources=frozenset()),  # not what is measured here
    )  # fmt: skip
    publish_dataset(volume, DATASET, kept, description)


def composed_rows(cards: list[Style], count: int) -> tuple[list[Sample], list[Rejected]]:
    """Return accepted rows and refused ones, `count` in all, the styles in turn."""
    banks, chance = load_banks(SHIPPED / "questions"), random.Random(1)
    # Drawing a question lists all its wordings: some hundred of each language are enough.
    pools = {
        language: [asked(bank, chance) for _ in range(500)] for language, bank in banks.items()
    }
    kept: list[Sample] = []
    refused: list[Rejected] = []
    for number in range(count):
        card = cards[number % len(cards)]
        drawn, slot = chance.choice(pools[card.language]), f"{card.id}/{number:05d}"
        if number % 10 == 9:
            refused.append(refused_row(card, drawn, slot))
        else:
            kept.append(kept_row(card, drawn, slot, chance))
    return kept, refused


def asked(bank: Bank, chance: random.Random) -> Asked:
    """Return a situation and what a person says in it."""
    situation = chance.choice(bank.situations)
    return situation, bank.draw(situation, "train", chance).text


def refused_row(card: Style, drawn: Asked, slot: str) -> Rejected:
    """Return a row whose reply has no word of its style."""
    situation, question = drawn
    reply = plain_reply(situation.advice, card.language)
    return Rejected(
        slot=slot, style=card.id, attempt=1, question=question, reply=reply,
        reason=RejectReason.OFF_STYLE,
    )  # fmt: skip


def kept_row(card: Style, drawn: Asked, slot: str, chance: random.Random) -> Sample:
    """Return a row that answers in its style."""
    situation, question = drawn
    return Sample(
        id=slot.replace("/", "-"), slot=slot, style=card.id, style_version=1,
        language=card.language, question=question, system=card.system_prompt,
        reply=styled_reply(card, situation.advice, chance), situation=situation.id,
    )  # fmt: skip


@dataclass
class Running:
    """The service as a process of its own."""

    process: subprocess.Popen[bytes]
    client: DatagenClient

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.client.close()


def start(root: Path) -> Running:
    """Start the service over the data in `root`, and wait until it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    own = {"DATA_DIR": str(root / "data"), "DATAGEN_STATE_DIR": str(root / "state")}
    own |= {"DATAGEN_PORT": str(port), "LOG_LEVEL": "WARNING"}
    own |= {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "datagen"], env={**os.environ, **own}, stdout=subprocess.DEVNULL
    )
    client = DatagenClient(f"http://127.0.0.1:{port}")
    while process.poll() is None and not client.alive():
        time.sleep(0.05)
    return Running(process, client)


def timed(what: str, call: Callable[[], object], limit: float | None, times: int = 1) -> bool:
    """Time a call; print its median and its worst, and return whether it is below `limit`."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return show(what, statistics.median(seconds), limit, worst=max(seconds))


def show(what: str, seconds: float, limit: float | None, *, worst: float | None = None) -> bool:
    """Print one line; return whether it holds."""
    good = limit is None or seconds < limit
    most = "" if worst is None else f" (worst {worst * 1000:.0f} ms)"
    mark = "" if limit is None else f"  limit {limit * 1000:.0f} ms: {'ok' if good else 'MISSED'}"
    say(f"{what:34} {seconds * 1000:9.1f} ms{most}{mark}")
    return good


def say(line: str) -> None:
    """Print a line at once: the run takes minutes."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def measured(root: Path) -> bool:
    """Time pages, filters, changes of all rows, undo and publication."""
    service = start(root)
    review = service.client.review(DATASET)
    timed("open the review", review.open, None)
    good = True
    for what, query in FILTERS.items():
        good &= timed(what, lambda query=query: review.rows(query), PAGE_SECONDS, TIMES)  # type: ignore[misc]
    good &= timed("counts", review.show, PAGE_SECONDS, TIMES)
    everything = ReviewFilter()

    def now() -> int:
        return review.show().revision

    def decide(action: str) -> Callable[[], object]:
        change = {"revision": now(), "action": action, "filter": everything}
        return lambda: review.decide(ReviewChange.model_validate(change))

    for action in ("reject", "accept", "reopen"):
        good &= timed(f"{action} all rows", decide(action), BULK_SECONDS)
    good &= timed("undo one change of all rows", lambda: review.undo(now()), BULK_SECONDS)
    good &= timed("undo two changes of all rows", lambda: review.undo(now(), 2), 2 * BULK_SECONDS)
    good &= bulk_is_one_step(review)
    change = ReviewReplacement(revision=now(), filter=everything, find="。", replacement="！")
    timed("replace a text in all replies", lambda: review.replace(change), None)
    timed("undo it", lambda: review.undo(now()), None)
    service.kill()
    return good


def bulk_is_one_step(review: Reviews) -> bool:
    """Reject up to 10,000 rows at once, and take it back by one undo; return whether it is so."""
    before = review.show()
    some = ReviewFilter(rows=list(range(min(MOST_ROWS, before.counts.rows))))
    change = ReviewChange(revision=before.revision, action="reject", filter=some)
    good = timed("reject 10,000 rows", lambda: review.decide(change), BULK_SECONDS)
    after = review.show()
    good &= timed("undo it", lambda: review.undo(after.revision), BULK_SECONDS)
    again = review.show()
    changed = after.counts.rejected - before.counts.rejected
    whole = again.counts == before.counts
    say(f"one step of {changed} rows; after one undo the counts are as before: {whole}")
    return good and whole and changed > 0


def published(root: Path) -> None:
    """Time the publication of the next version, with its pairs, and the difference of the two."""
    service = start(root)
    review, versions = service.client.review(DATASET), service.client.versions(DATASET)
    request = ReviewPublication(revision=review.show().revision)
    timed("publish version 2", lambda: review.publish(request), None)
    newest = versions.all()[-1].id
    timed("difference of the two", lambda: versions.diff(newest), None)
    service.kill()


def survives(root: Path, kills: int) -> bool:
    """Kill the service while it decides, again and again; return whether nothing was lost."""
    acknowledged: dict[int, str] = {}
    chance, number, lost = random.Random(2), 0, 0
    for _ in range(kills):
        service = start(root)
        review = service.client.review(DATASET)
        revision = review.show().revision
        delay = chance.uniform(0.2, 0.8)
        threading.Timer(delay, service.process.send_signal, [signal.SIGKILL]).start()
        try:
            while True:
                change = ReviewChange(
                    revision=revision, action="reject", filter=ReviewFilter(rows=[number])
                )
                revision = review.decide(change).review.revision
                acknowledged[number] = "rejected"
                number += 1
        except ServiceDownError:
            number += 1
        service.process.wait()
        service.client.close()
    service = start(root)
    rows = service.client.review(DATASET).every_row(
        ReviewQuery(order="number", limit=500, decision="rejected")
    )
    found = {row.number: row.decision for row in rows}
    lost = sum(found.get(number) != decision for number, decision in acknowledged.items())
    counts = service.client.review(DATASET).show().counts
    service.kill()
    adds_up = counts.rows == counts.open + counts.accepted + counts.rejected
    say(
        f"{kills} kills, {len(acknowledged)} acknowledged decisions, {lost} lost, "
        f"counts add up: {adds_up}"
    )
    return lost == 0 and adds_up


if __name__ == "__main__":
    sys.exit(main())
