"""Shards: one generation parted over processes that share nothing but the volume.

Shard i of n fills every n-th slot of the plan, from the i-th on, and journals below
`<staging>/shards/<i>-of-<n>/`. The plan is pinned once for all of them. What keeps two processes
from filling one shard is a lock of the file system, which the kernel gives back when its holder
dies; on NFS that takes a server with locks (version 4, or 3 with lockd, not mounted `nolock`).
"""

import fcntl
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from contracts.dataset import Counts, DatasetRequest
from contracts.model import Recorded
from contracts.volume import read_document, write_document
from datagen.generate import PLAN, Plan
from datagen.library import StyleLibrary
from kit.errors import ConflictError, InvalidInputError, NotFoundError

SHARDS, DONE, LOCK = "shards", "done.json", "lock"
# What an Indexed Job sets in its pods; the manifest passes the second one on.
INDEX, COMPLETIONS = "JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"
MOST_SHARDS = 1024
Slotlike = TypeVar("Slotlike")


@dataclass(frozen=True)
class Shard:
    """The `index`-th of `count` shards, from 1."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the shard that `i/n` names. Raises InvalidInputError."""
        match = re.fullmatch(r"(\d{1,5})/(\d{1,5})", text)
        if match and 1 <= int(match[1]) <= int(match[2]) <= MOST_SHARDS:
            return cls(int(match[1]), int(match[2]))
        raise InvalidInputError(
            f"shard: {text[:20]!r} is not i/n with 1 <= i <= n <= {MOST_SHARDS}",
            field="shard",
            hint="the first of four is 1/4",
        )

    @classmethod
    def of_job(cls, environ: Mapping[str, str]) -> Self:
        """Return the shard that an Indexed Job's pod has. Raises InvalidInputError."""
        index, count = environ.get(INDEX, ""), environ.get(COMPLETIONS, "")
        if not index.isdecimal() or not count:
            raise InvalidInputError(
                "shard: none is named",
                field="shard",
                hint=f"give --shard i/n, or set {INDEX} (from 0) and {COMPLETIONS}",
            )
        return cls.parse(f"{int(index) + 1}/{count}")

    def share(self, slots: Sequence[Slotlike]) -> list[Slotlike]:
        """Return the slots of this shard; all shards together have each slot once."""
        return list(slots[self.index - 1 :: self.count])

    def folder(self, staging: Path) -> Path:
        """Return where this shard journals."""
        return staging / SHARDS / f"{self.index}-of-{self.count}"


class Done(Recorded):
    """`done.json` of a shard: all its slots are filled or given up."""

    shard: str
    counts: Counts


class SharedPlan(Plan):
    """`plan.json` of a dataset that shards fill."""

    shards: int


def pinned(
    staging: Path, request: DatasetRequest, shards: int, library: StyleLibrary
) -> SharedPlan:
    """Return the plan of all shards: the first one pins it, with the cards as they are then.

    Raises ConflictError where another request, or another number of shards, was pinned.
    """
    path = staging / PLAN
    with held(staging / LOCK, "another process pins the plan", wait=True):
        if not path.exists():
            styles = library.choose(request.styles)
            write_document(path, SharedPlan(request=request, styles=styles, shards=shards))
    plan = shared_plan(staging)
    if plan.shards != shards:
        raise ConflictError(
            f"shard: this dataset is parted into {plan.shards} shards, not {shards}",
            field="shard",
            hint="start every shard with the same n, or take another dataset id",
        )
    if plan.request != request:
        raise ConflictError(
            "request: another shard was started with another one: "
            f"{differences(plan, request)} differ",
            field="request",
            hint="start every shard with the same file, or take another dataset id",
        )
    return plan


def differences(plan: Plan, request: DatasetRequest) -> str:
    """Return which fields of `request` are not those of the plan."""
    old, new = plan.request.model_dump(), request.model_dump()
    return ", ".join(name for name in new if old[name] != new[name])


def shared_plan(staging: Path) -> SharedPlan:
    """Return the plan that was pinned. Raises NotFoundError; ConflictError for one of no shards."""
    try:
        return read_document(staging / PLAN, SharedPlan)
    except FileNotFoundError as error:
        raise NotFoundError(
            "no shard of this dataset was started",
            field="dataset",
            hint="python -m datagen.shard --dataset ... --request ... --shard 1/n",
        ) from error
    except ValueError as error:
        raise ConflictError(
            f"dataset: its plan is none of shards: {str(error)[:200]}", field="dataset"
        ) from error


def finished_shards(staging: Path, count: int) -> list[Path]:
    """Return the folders of all shards. Raises ConflictError that names those not finished."""
    every = [Shard(number + 1, count) for number in range(count)]
    open_ones = []
    for shard in every:
        path = shard.folder(staging) / DONE
        if not path.exists():
            open_ones.append(f"{shard} ({'unfinished' if path.parent.exists() else 'missing'})")
        elif (found := read_document(path, Done).shard) != str(shard):
            open_ones.append(f"{shard} (holds {found})")
    if open_ones:
        shown = ", ".join(open_ones[:8]) + (", …" if len(open_ones) > 8 else "")
        raise ConflictError(
            f"{len(open_ones)} of {count} shards are not finished: {shown}",
            field="shard",
            hint="run them, again where they were stopped; each goes on where it was",
        )
    return [shard.folder(staging) for shard in every]


def journal_folders(folder: Path) -> list[Path]:
    """Return where the rows of a dataset stand, published or not: its folder, or its shards'."""
    return sorted((folder / SHARDS).glob("*-of-*")) or [folder]


@contextmanager
def held(path: Path, otherwise: str, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock at `path`. Raises ConflictError, which says `otherwise`, where it is taken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise ConflictError(otherwise, hint="wait until it ends, or stop it") from error
        yield
