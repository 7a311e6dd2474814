"""Fill one shard of a dataset, as a container's command; settings from the environment.

    python -m datagen.shard --dataset mild-1 --request request.json --shard 2/4

Without `--shard` an Indexed Job's index counts (JOB_COMPLETION_INDEX from 0, JOB_COMPLETIONS).
Killed at any moment it goes on when it is started again. Exit codes: 0 every slot is filled or
given up, 1 it failed and may be started again, 2 arguments or settings cannot be used.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError

from contracts.dataset import Counts, DatasetRequest
from contracts.volume import MANIFEST, Volume, write_document
from datagen.board import Board
from datagen.config import Settings, shipped_folder
from datagen.library import StyleLibrary
from datagen.makings import Makings, open_makings
from datagen.metrics import Metrics
from datagen.question_sets import asked_banks, check_languages
from datagen.replies import Remembered, Replies
from datagen.shard_teachers import open_share
from datagen.shards import DONE, LOCK, Done, Shard, held, pinned
from datagen.slots import plan as slots_of
from kit.config import SettingsError
from kit.errors import InvalidInputError, NotFoundError, TonesmithError
from kit.logs import configure_logs

logger = logging.getLogger(__name__)
REPORT_SECONDS = 10.0


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Fill the shard; return the exit code."""
    options = parsed(arguments)
    try:
        settings = Settings.from_environ(environ)
        configure_logs("datagen", settings.log_level)
        request = read_request(options.request)
        shard = Shard.parse(options.shard) if options.shard else Shard.of_job(environ)
        volume = Volume(settings.data_dir.absolute())
        target = dataset_folder(volume, options.dataset)
    except (SettingsError, InvalidInputError) as error:
        sys.stderr.write(f"datagen.shard: {told(error)}\n")
        return 2
    if (target / MANIFEST).exists():
        logger.info("the dataset is published already", extra={"dataset": options.dataset})
        return 0
    try:
        staging = target.with_name(f".tmp-{target.name}")  # made once the request is known to do
        counts = asyncio.run(fill_shard(settings, staging, request, shard))
    except (SettingsError, InvalidInputError, NotFoundError) as error:
        sys.stderr.write(f"datagen.shard: {told(error)}\n")
        return 2
    except (TonesmithError, OSError) as error:
        sys.stderr.write(f"datagen.shard: {shard}: {told(error)}\n")
        return 1
    logger.info("shard ends", extra={"shard": str(shard), "counts": counts.model_dump()})
    return 0 if counts.accepted + sum(counts.failed.values()) == counts.asked else 1


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(prog="datagen.shard", description="Fill one shard.")
    parser.add_argument("--dataset", required=True, help="its id, the same for every shard")
    parser.add_argument("--request", required=True, type=Path, help="body of POST /datasets")
    parser.add_argument("--shard", default="", help="i/n, the first of four is 1/4")
    return parser.parse_args(arguments)


async def fill_shard(
    settings: Settings, staging: Path, request: DatasetRequest, shard: Shard
) -> Counts:
    """Fill one shard of the dataset in `staging`; return its counts.

    Raises ConflictError where another process fills it or the plan is another one, what
    `library_for` raises, and what a generation raises.
    """
    folder = shard.folder(staging)
    makings, metrics = open_makings(settings), Metrics()
    library = library_for(settings, makings, request)
    plan = pinned(staging, request, shard.count, library)  # before there is a folder of shards
    with held(folder / LOCK, f"another process fills shard {shard}"):
        teacher = open_share(settings, metrics, folder, library, makings.banks, shard.count)
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        try:
            with Replies(folder) as replies:
                generation = makings.generation(
                    plan,
                    folder,
                    Remembered(teacher, replies),
                    metrics=metrics,
                    on_change=Report(shard),
                    stopped=stop.is_set,
                    slots=shard.share(slots_of(plan.request, plan.styles)),
                )
                board = await generation.run(teacher.most)
        finally:
            await teacher.close()
        counts = board.counts()
        if not board.open_slots():
            write_document(folder / DONE, Done(shard=str(shard), counts=counts))
    return counts


def library_for(settings: Settings, makings: Makings, request: DatasetRequest) -> StyleLibrary:
    """Return the library; refuse, before a plan is pinned, what no generation could do.

    Raises:
        NotFoundError: there is no such style, or no such question set.
        InvalidInputError: the set has no training question in the language of a style.
    """
    volume = Volume(settings.data_dir.absolute())
    library = StyleLibrary(volume)
    library.install(shipped_folder(settings) / "styles")
    asked = asked_banks(volume, request.questions, makings.banks)
    check_languages(request.questions, asked, library.choose(request.styles))
    return library


class Report:
    """Logs how far a shard is, every ten seconds.

    Args:
        shard: that is filled.
    """

    def __init__(self, shard: Shard) -> None:
        self.shard = shard
        self._said = time.monotonic()

    def __call__(self, board: Board) -> None:
        """Log the counts, where it is time."""
        if time.monotonic() - self._said < REPORT_SECONDS:
            return
        self._said = time.monotonic()
        counts = board.counts().model_dump()
        logger.info("shard goes on", extra={"shard": str(self.shard), "counts": counts})


def read_request(path: Path) -> DatasetRequest:
    """Return the request in a JSON or YAML file. Raises InvalidInputError that names the field."""
    try:
        return DatasetRequest.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "request"
        raise InvalidInputError(f"{path.name}: {field}: {first['msg']}", field=field) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInputError(
            f"request: {path} cannot be read ({error})", field="request"
        ) from error


def dataset_folder(volume: Volume, dataset_id: str) -> Path:
    """Return where a dataset is published. Raises InvalidInputError for a name that is not safe."""
    try:
        return volume.dataset(dataset_id)
    except ValueError as error:
        raise InvalidInputError(f"dataset: {error}", field="dataset") from error


def told(error: Exception) -> str:
    """Return what a person reads of an error: the message, and the way out."""
    hint = error.body.hint if isinstance(error, TonesmithError) else None
    return f"{error}; {hint}" if hint else str(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
