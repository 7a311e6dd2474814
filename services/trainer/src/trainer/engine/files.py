"""The files of a run that the engine writes and the service reads.

`events.jsonl` grows by one durable line an event; `rank-N.json` (how far process N is) and
`outcome.json` (how it ended) are replaced as a whole; `nonfinite.json` shows the rows on which the
loss stopped being a number. `cancel` is written by the service: stop as soon as possible.
With more than one process, N counts from 0, and process 0 writes everything but `rank-N.json`.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def write_atomic(path: Path, document: Any, *, durable: bool = True) -> None:
    """Replace the JSON document at `path`, so that a reader sees the old or the new one, whole."""
    staged = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with staged.open("w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, indent=1)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    staged.replace(path)
    if durable:
        fsync_folder(path.parent)


def fsync_folder(path: Path) -> None:
    """Make the names in the folder `path` durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_json(path: Path) -> Any:
    """Return the JSON document at `path`, or None where there is none, or only half of one."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


class RunFiles:
    """What one engine process says of a run.

    Args:
        folder: the run's own folder.
        rank: number of this process among those that train together.
    """

    def __init__(self, folder: Path, rank: int = 0) -> None:
        self.folder = folder
        self.events = folder / "events.jsonl"
        self.rank = folder / f"rank-{rank}.json"
        self.outcome = folder / "outcome.json"
        self.export = folder / "export.json"
        self.checkpoints = folder / "checkpoints"
        self.cancel = folder / "cancel"
        self.nonfinite = folder / "nonfinite.json"
        self.engine = folder / "engine.pid"

    def event(self, kind: str, step: int, figures: dict[str, float], detail: str = "") -> None:
        """Append one event and wait for the disk."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "kind": kind, "step": step, "figures": figures, "detail": detail}
        with self.events.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def rewind(self, step: int) -> None:
        """Forget the events after `step`, which will be made again, and a torn last line."""
        if not self.events.exists():
            return
        kept = []
        for line in self.events.read_text(encoding="utf-8", errors="replace").splitlines():
            event = parse(line)
            if event and event["step"] <= step and event["kind"] != "end":
                kept.append(line + "\n")
        staged = self.events.with_name(f".{self.events.name}.{os.getpid()}.tmp")
        with staged.open("w", encoding="utf-8") as file:
            file.writelines(kept)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(self.events)
        fsync_folder(self.folder)

    def known_events(self) -> list[dict[str, Any]]:
        """Return the events so far, torn lines left out."""
        if not self.events.exists():
            return []
        lines = self.events.read_text(encoding="utf-8", errors="replace").splitlines()
        return [event for event in map(parse, lines) if event]

    def finished(
        self, state: str, code: str = "", message: str = "", hint: str = "", **result: Any
    ) -> None:
        """Record how the process ended: done, cancelled or failed.

        Args:
            state: of the run.
            code: of the error, if it failed; with `message` and `hint` for people.
            result: what else is known: `stop` (why before its last step), `best_step`, `metrics`,
                `notes` (what was done otherwise than asked).
        """
        error = {"code": code, "message": message, "hint": hint or None} if code else None
        document = {"state": state, "error": error, "pid": os.getpid(), "stop": None}
        write_atomic(
            self.outcome, {**document, "best_step": None, "metrics": {}, "notes": [], **result}
        )


def parse(line: str) -> Any:
    """Return the event of `line`, or None if it is torn."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and {"step", "kind"} <= set(event) else None
