"""Shards and merges as real processes on one volume, to be killed and started again."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from contracts.durable import read_journal
from contracts.style import Style
from datagen.cards import parse_card
from datagen.journals import REJECTED, SAMPLES
from datagen.publish import INFO
from repository import ROOT

DATAGEN = ROOT / "services" / "datagen"
SOURCES = ("libs/contracts/src", "libs/kit/src", "services/datagen/src")


def poor(name: str, closers: int = 4) -> Style:
    """Return a shipped card with so few words that its replies repeat one another.

    Args:
        name: of the card.
        closers: how many it keeps; one of all the rest.
    """
    card = parse_card((DATAGEN / "styles" / f"{name}.yaml").read_bytes())
    few = {kind: getattr(card.lexicon, kind)[:1] for kind in ("openers", "particles", "emoji")}
    words = card.lexicon.model_copy(update=few | {"closers": card.lexicon.closers[:closers]})
    return card.model_copy(update={"lexicon": words})


class Cluster:
    """Starts the commands that containers would run.

    Args:
        folder: holds the volume, the request and the logs.
        request: body of `POST /datasets`.
        settings: environment variables.
    """

    def __init__(self, folder: Path, request: dict[str, Any], **settings: str) -> None:
        self.folder = folder
        self.request = folder / "request.json"
        self.request.write_text(json.dumps(request))
        self.environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in SOURCES),
            "DATA_DIR": str(folder / "data"),
            **settings,
        }

    def shard(self, dataset: str, shard: str = "", **settings: str) -> "subprocess.Popen[str]":
        """Start one shard."""
        named = ["--shard", shard] if shard else []
        options = ["--dataset", dataset, "--request", str(self.request), *named]
        return self.start("datagen.shard", options, settings)

    def merge(self, dataset: str) -> "subprocess.Popen[str]":
        """Start a merge."""
        return self.start("datagen.merge", ["--dataset", dataset], {})

    def start(
        self, module: str, options: list[str], settings: dict[str, str]
    ) -> "subprocess.Popen[str]":
        """Start a command; its standard error goes to the caller."""
        return subprocess.Popen(
            [sys.executable, "-m", module, *options],
            env=self.environ | settings,
            stderr=subprocess.PIPE,
            text=True,
        )


def data_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a dataset that are trained on, to the byte."""
    info = json.loads((folder / INFO).read_text(encoding="utf-8"))
    names = [entry["file_name"] for entry in info.values()]
    return {name: (folder / name).read_bytes() for name in [INFO, *names]}


def rows_of(folder: Path) -> list[list[Any]]:
    """Return accepted and rejected rows in their order, without what names a single call."""
    return [
        [without_call_names(json.loads(line)) for line in read_journal(folder / name)]
        for name in (SAMPLES, REJECTED)
    ]


def without_call_names(value: Any) -> Any:
    """Return a JSON value without the ids that each call gets anew."""
    if isinstance(value, list):
        return [without_call_names(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: without_call_names(one)
        for name, one in value.items()
        if name not in ("request_id", "answer_id")
    }
