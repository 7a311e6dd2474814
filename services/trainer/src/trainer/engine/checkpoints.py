"""Checkpoints that can be trusted: a manifest of sizes and hashes, written last.

The Trainer writes straight into `checkpoint-N/`; a kill leaves half of one, which looks like the
newest. So a checkpoint counts only once `verified.json` agrees with every file of it. Rotation
goes by step (never by time: clocks step back) and only once a newer checkpoint is verified.
"""

import hashlib
import itertools
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.engine.failpoint import reach
from trainer.engine.files import fsync_folder, read_json, write_atomic

MANIFEST = "verified.json"
FOLDER = re.compile(r"checkpoint-(\d+)")
BLOCK = 1 << 20
UNSEALED = {"step", "eval_loss", "files"}


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint.

    `eval_loss` and `style` (accuracy, margin) are None where they were not measured at its step.
    """

    step: int
    path: Path
    eval_loss: float | None
    style: tuple[float, float] | None = None


def seal(
    path: Path, step: int, eval_loss: float | None, style: tuple[float, float] | None = None
) -> None:
    """Make the finished checkpoint at `path` durable and write its manifest, last."""
    files = {}
    for file in sorted(path.rglob("*")):
        if file.is_file():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())
            files[file.relative_to(path).as_posix()] = digest(file)
        else:
            fsync_folder(file)
    fsync_folder(path)
    reach("ckpt.before_manifest")
    manifest = {"step": step, "eval_loss": eval_loss, "style": style, "files": files}
    write_atomic(path / MANIFEST, manifest | {"seal": own_digest(manifest)})
    fsync_folder(path.parent)


def digest(path: Path) -> dict[str, Any]:
    """Return the size in bytes and the SHA-256 of a file."""
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            hashed.update(block)
    return {"bytes": path.stat().st_size, "sha256": hashed.hexdigest()}


def own_digest(manifest: dict[str, Any]) -> str:
    """Return the SHA-256 of what a manifest says, whatever its layout."""
    said = {name: value for name, value in manifest.items() if name != "seal"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def is_whole(manifest: Any) -> bool:
    """Return whether a manifest says what was written; those of earlier versions had no seal."""
    if not isinstance(manifest, dict):
        return False
    return set(manifest) == UNSEALED or manifest.get("seal") == own_digest(manifest)


def fault(path: Path, *, read: bool = True) -> str:
    """Return why the checkpoint at `path` cannot be trusted, or nothing if it can.

    Without `read` the names and sizes are compared, not the hashes.
    """
    manifest = read_json(path / MANIFEST)
    if manifest is None:
        return "it was never finished"
    if not is_whole(manifest):
        return f"{MANIFEST} was changed"
    if f"checkpoint-{manifest.get('step')}" != path.name:
        return "its manifest is of another step"
    for name, want in manifest["files"].items():
        file = path / name
        if not file.is_file():
            return f"{name} is missing"
        if file.stat().st_size != want["bytes"]:
            return f"{name} has {file.stat().st_size} bytes, not {want['bytes']}"
        if read and digest(file) != want:
            return f"{name} has another hash"
    return ""


def numbered(folder: Path) -> list[tuple[int, Path]]:
    """Return step and path of every checkpoint folder, trusted or not, newest first."""
    if not folder.is_dir():
        return []
    found = [
        (int(match[1]), Path(entry.path))
        for entry in os.scandir(folder)
        if entry.is_dir() and (match := FOLDER.fullmatch(entry.name))
    ]
    return sorted(found, reverse=True)


def verified(folder: Path, *, read: bool = True) -> list[Checkpoint]:
    """Return the checkpoints in `folder` that verify, newest first; `read` as in `fault`."""
    return [read_back(step, path) for step, path in numbered(folder) if not fault(path, read=read)]


def read_back(step: int, path: Path) -> Checkpoint:
    """Return the sealed checkpoint at `path` as its manifest describes it."""
    manifest = read_json(path / MANIFEST)
    style = manifest.get("style")
    return Checkpoint(step, path, manifest["eval_loss"], (style[0], style[1]) if style else None)


def newest_sealed_step(folder: Path) -> int:
    """Return the step of the newest checkpoint with a manifest (its files unread), or 0."""
    return next((step for step, path in numbered(folder) if (path / MANIFEST).is_file()), 0)


def quarantine(folder: Path) -> list[str]:
    """Rename what does not verify, so that nothing resumes from it; return one line for each."""
    said = []
    for _, path in numbered(folder):
        if reason := fault(path):
            path.rename(free_name(folder / f"quarantined-{path.name}"))
            said.append(f"{path.name}: {reason}")
    if said:
        fsync_folder(folder)
    return said


def free_name(path: Path) -> Path:
    """Return `path`, or with the first number behind it under which nothing lies yet."""
    names = itertools.chain([path], (Path(f"{path}.{n}") for n in itertools.count(2)))
    return next(name for name in names if not name.exists())


def best(checkpoints: list[Checkpoint], choose_by: str = "eval_loss") -> Checkpoint:
    """Return the one with the lowest held-out loss; the newest where none was measured.

    With `choose_by` "style": with the best style score, where one was measured. The newer one wins
    a tie.
    """
    if choose_by == "style" and (scored := [one for one in checkpoints if one.style]):
        return max(scored, key=lambda one: (one.style or (0.0, 0.0), one.step))
    measured = [one for one in checkpoints if one.eval_loss is not None]
    return min(measured or checkpoints, key=lambda one: (one.eval_loss or 0.0, -one.step))


def rotate(folder: Path, keep: int, choose_by: str = "eval_loss") -> None:
    """Delete all but the newest `keep` verified checkpoints and the best one.

    Call it after a seal, which has just read the newest one back. Deleting renames first, so that
    a kill leaves no half checkpoint.
    """
    good = verified(folder, read=False)
    if not good:
        return
    kept = {one.path for one in [*good[:keep], best(good, choose_by)]}
    for one in good:
        if one.path not in kept:
            delete(one.path)


def delete(path: Path) -> None:
    """Delete a checkpoint; a kill in between leaves nothing that looks like one."""
    gone = free_name(path.with_name(f".deleted-{path.name}"))
    path.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Finish the deletions that a kill interrupted."""
    if folder.is_dir():
        for path in folder.glob(".deleted-*"):
            shutil.rmtree(path, ignore_errors=True)


def trained_steps(checkpoint: Path) -> tuple[int, int]:
    """Return the steps done and the steps asked for, as the checkpoint's own state says."""
    state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    return int(state["global_step"]), int(state["max_steps"])
