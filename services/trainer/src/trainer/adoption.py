"""Engines that outlived their service: found by the next one, and followed to their end.

An engine writes `engine.pid` at its very start. When its service dies it goes on for
TRAINER_ORPHAN_SECONDS; within that time the next service writes `adopted.json`, and the run goes on
as if nothing had happened. See docs/adr/0013.
"""

import asyncio
import json
import os

from contracts.durable import write_atomic
from trainer.child import Engine
from trainer.processes import Identity, identity_in, identity_of, lives
from trainer.runfolder import RunFolder

POLL_SECONDS = 0.1
# Nobody but a parent learns the exit status of a process. Without an outcome the engine was killed,
# or crashed; its next start, as our own child, tells which.
UNKNOWN = -9


class Survivor:
    """An engine that an earlier life of this service started.

    Args:
        engine: knows what belongs to it.
        who: the process of rank 0.
    """

    def __init__(self, engine: Engine, who: Identity) -> None:
        self.engine = engine
        self.who = who

    async def wait(self) -> int:
        """Wait until the process is gone; return UNKNOWN."""
        while True:
            if not lives(self.who):
                return UNKNOWN
            await asyncio.sleep(POLL_SECONDS)

    async def kill(self) -> None:
        """Kill it and everything that it started; no error if it is gone."""
        await self.engine.kill_all()


def survivor(engine: Engine, folder: RunFolder) -> Survivor | None:
    """Return the engine that trains in `folder` without a service, if there is one."""
    who = identity_in(folder.engine_process())
    return Survivor(engine, who) if who and lives(who) else None


def adopt(folder: RunFolder) -> None:
    """Tell the engine of `folder` that this process watches it from now on."""
    me = identity_of(os.getpid())
    document = me.document if me else {"pid": os.getpid()}
    write_atomic(folder.path / "adopted.json", json.dumps(document).encode())
