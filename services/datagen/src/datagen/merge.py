"""Merge the shards of a dataset, as a container's command; settings from the environment.

    python -m datagen.merge --dataset mild-1

Exit codes: 0 the dataset is published and complete, 3 it is published and incomplete, 1 it cannot
be merged now (the message names the shards), 2 arguments or settings cannot be used.
"""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Mapping, Sequence

from contracts.volume import Volume
from datagen.config import Settings
from datagen.merging import merge
from datagen.shard import dataset_folder, told
from kit.config import SettingsError
from kit.errors import InvalidInputError, TonesmithError
from kit.logs import configure_logs

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Merge; return the exit code."""
    parser = argparse.ArgumentParser(prog="datagen.merge", description="Merge shards.")
    parser.add_argument("--dataset", required=True, help="the id that the shards were given")
    options = parser.parse_args(arguments)
    try:
        settings = Settings.from_environ(environ)
        configure_logs("datagen", settings.log_level)
        dataset_folder(Volume(settings.data_dir.absolute()), options.dataset)
    except (SettingsError, InvalidInputError) as error:
        sys.stderr.write(f"datagen.merge: {told(error)}\n")
        return 2
    try:
        manifest = asyncio.run(merge(settings, options.dataset))
    except (TonesmithError, SettingsError, OSError) as error:
        sys.stderr.write(f"datagen.merge: {told(error)}\n")
        return 1
    logger.info(
        "dataset published",
        extra={"dataset": manifest.id, "counts": manifest.counts.model_dump()},
    )
    return 0 if manifest.status == "complete" else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
