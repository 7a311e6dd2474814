"""What settling costs: seconds and memory of the replay, beside those of the generation itself.

    python benchmarks/settling.py [--rows 20000] [--shards 1]

The scripted teacher answers inside the process, so the generation is as fast as it can be and
settling at its dearest beside it. The last line is `settling X.XX ms a row`, of CPU.
"""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from contracts.dataset import DatasetRequest
from contracts.volume import Volume
from datagen.config import Settings, shipped_folder
from datagen.generate import Plan
from datagen.library import StyleLibrary
from datagen.makings import Makings, open_makings
from datagen.metrics import Metrics
from datagen.replies import Remembered, Replies
from datagen.settling import Settling
from datagen.shard_teachers import open_share
from datagen.shards import Shard
from datagen.slots import plan as slots_of
from datagen.teachers import Asked


def main() -> int:
    """Measure, and return the exit status."""
    parser = argparse.ArgumentParser(description="What settling costs")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--shards", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-settling-") as folder:
        asyncio.run(measure(Path(folder), options.rows, options.shards))
    return 0


async def measure(folder: Path, rows: int, shards: int) -> None:
    """Generate in `folder`, settle, and say what both took."""
    settings = Settings(data_dir=folder / "data", state_dir=folder / "state")
    library = StyleLibrary(Volume(settings.data_dir))
    library.install(shipped_folder(settings) / "styles")
    styles = library.all()
    request = DatasetRequest(per_style=max(1, rows // len(styles)))
    plan = Plan(request=request, styles=styles)
    makings = open_makings(settings)
    teacher = open_share(settings, Metrics(), folder / "spent", library, makings.banks, 1)
    started = Clocks()
    parts = [Shard(number + 1, shards) for number in range(shards)]
    sources = [shard.folder(folder) for shard in parts]
    for shard, source in zip(parts, sources, strict=True):
        await generate(plan, makings, teacher, shard, source)
    generated = Clocks()
    settling = Settling(folder, sources, teacher, partial(makings.generation, plan))
    counts = await settling.run()
    settled = Clocks()
    await teacher.close()
    if counts is None:
        raise RuntimeError("nothing was settled")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"{counts.asked} rows, {shards} shards: generated in {generated.since(started)}")
    say(f"settled in {settled.since(generated)}, {settling.rounds} replays, peak {memory:.0f} MB")
    say(f"{counts.model_dump()}")
    say(f"settling {1000 * (settled.busy - generated.busy) / counts.asked:.2f} ms a row")


class Clocks:
    """The moment at which it is made: on the wall, and as the process's own CPU seconds."""

    def __init__(self) -> None:
        self.wall, self.busy = time.perf_counter(), time.process_time()

    def since(self, other: "Clocks") -> str:
        """Return the time since another moment."""
        return f"{self.wall - other.wall:.1f} s ({self.busy - other.busy:.1f} s of CPU)"


async def generate(
    plan: Plan, makings: Makings, teacher: Asked, shard: Shard, folder: Path
) -> None:
    """Fill one shard."""
    with Replies(folder) as replies:
        generation = makings.generation(
            plan,
            folder,
            Remembered(teacher, replies),
            metrics=Metrics(),
            slots=shard.share(slots_of(plan.request, plan.styles)),
        )
        await generation.run(teacher.most)


def say(text: str) -> None:
    """Write one line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
