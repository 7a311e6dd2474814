"""torchrun as the service sees it: ranks in sessions of their own, and its words at their deaths.

engine-python -m torch.distributed.run --standalone --nproc-per-node 2 -m <module> ...
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence

NODES = "PET_NNODES"


def launch(program: Sequence[str], arguments: Sequence[str]) -> int:
    """Run `-m <module> ...` once for each rank until one fails or all have ended.

    Args:
        program: what runs the fake engine.
        arguments: behind `-m torch.distributed.run`.
    """
    rest = list(arguments)
    count = int(os.environ.get("PET_NPROC_PER_NODE", "1"))
    while rest[0] != "-m":
        if rest.pop(0) == "--nproc-per-node":
            count = int(rest.pop(0))
    world = count * int(os.environ.get(NODES, "1"))
    ranks = [start([*program, *rest], rank, world) for rank in range(count)]
    while None in [rank.poll() for rank in ranks]:
        if failed := [rank for rank in ranks if rank.poll()]:
            for rank in ranks:
                rank.kill()
                rank.wait()
            say(ranks.index(failed[0]), failed[0])
            return 1
        time.sleep(0.01)
    failed = [rank for rank in ranks if rank.returncode]
    if failed:
        say(ranks.index(failed[0]), failed[0])
    return 1 if failed else 0


def start(command: Sequence[str], rank: int, world: int) -> "subprocess.Popen[bytes]":
    """Start one rank in a session of its own."""
    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "TORCHELASTIC_RUN_ID": "none"}
    environ = os.environ | {name: str(value) for name, value in names.items()}
    return subprocess.Popen(command, env=environ, start_new_session=True)


def say(number: int, rank: "subprocess.Popen[bytes]") -> None:
    """Write what torchrun 2.13 writes when a rank failed."""
    sys.stderr.write(
        "E1122 23:51:34.161000 29992 torch/distributed/elastic/multiprocessing/api.py:1002] "
        f"failed (exitcode: {rank.returncode}) local_rank: {number} (pid: {rank.pid}) of binary: "
        "/engine/bin/python\nTraceback (most recent call last):\n"
        "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: \n"
        + "=" * 60
        + f"\ntrainer.engine.run FAILED\n  exitcode  : {rank.returncode} (pid: {rank.pid})\n"
        + "=" * 60
        + "\n"
    )
