"""Kill -9 while a review takes decisions: nothing that was acknowledged is lost."""

import signal
import subprocess
import sys
from pathlib import Path

from contracts.volume import Volume
from datagen.review import ReviewDesk
from datagen.review_store import ReviewStore
from fakes.reviewed import FIRST, publish_first

KILLS = 3
CHILD = """
import sys
from pathlib import Path
from contracts.review import ReviewChange, ReviewFilter
from contracts.volume import Volume
from datagen.review import ReviewDesk
from datagen.review_store import ReviewStore

desk = ReviewDesk(Volume(Path(sys.argv[1])), {}, ReviewStore(Path(sys.argv[2])))
revision, turn = desk.show(sys.argv[3]).revision, int(sys.argv[4])
while True:
    for style in ("gentle", "tsundere", "dry-butler", "pep-coach"):
        action = "reject" if turn % 2 else "reopen"
        change = ReviewChange(revision=revision, action=action, filter=ReviewFilter(style=style))
        revision = desk.change(sys.argv[3], change).review.revision
        sys.stdout.write(f"{revision}\\n")
        sys.stdout.flush()
    turn += 1
"""


def test_acknowledged_decisions_survive_kills(volume: Volume, tmp_path: Path) -> None:
    """The review is at the last acknowledged revision or one later, and its counts add up."""
    publish_first(volume)
    state = tmp_path / "state"
    store = ReviewStore(state)
    ReviewDesk(volume, {}, store).open(FIRST)
    store.close()
    for turn in range(KILLS):
        acknowledged = killed_child(volume, state, turn)
        store = ReviewStore(state)
        review = ReviewDesk(volume, {}, store).show(FIRST)
        steps = ReviewDesk(volume, {}, store).steps(FIRST, limit=1)
        store.close()
        assert acknowledged <= review.revision <= acknowledged + 1
        assert steps[0].revision == review.revision
        counts = review.counts
        assert counts.rows == counts.open + counts.accepted + counts.rejected == 43


def killed_child(volume: Volume, state: Path, turn: int) -> int:
    """Let another process decide, kill it in the middle; return the last acknowledged revision."""
    path = [str(entry) for entry in sys.path if entry]
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(volume.root), str(state), FIRST, str(turn)],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(path)},
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(5 + turn)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    whole = [line for line in lines if line.endswith("\n")]
    return int(whole[-1])
