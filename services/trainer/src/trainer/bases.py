"""The base models that an operator offers: the sub-folders of MODELS_DIR."""

import hashlib
import json
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.artefact import BaseModelRef
from contracts.durable import discard_folder, file_digest, publish_folder
from contracts.model import check_name
from kit.errors import InvalidInputError

logger = logging.getLogger(__name__)
TEMPLATE = "chat_template.jinja"


@dataclass(frozen=True)
class Base:
    """A base model on disk; the path is absolute, and the same in trainer and serving."""

    name: str
    path: Path

    @property
    def chat_template(self) -> str:
        """The text of the template that training must agree with and serving uses."""
        return (self.path / TEMPLATE).read_text(encoding="utf-8")

    @property
    def config(self) -> dict[str, Any]:
        """The architecture, as transformers wrote it."""
        found = json.loads((self.path / "config.json").read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}

    @property
    def weights(self) -> list[Path]:
        """The weights files, sorted by name."""
        return sorted(self.path.glob("*.safetensors"))

    @property
    def weights_bytes(self) -> int:
        """Size of all weights."""
        return sum(path.stat().st_size for path in self.weights)


class Bases:
    """Finds bases by name, and digests their weights once for each state of the files.

    Args:
        folder: MODELS_DIR.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._digests: dict[tuple[tuple[str, int, int], ...], str] = {}

    def names(self) -> list[str]:
        """Return the names of all bases, sorted."""
        if not self.folder.is_dir():
            return []
        folders = (entry.name for entry in os.scandir(self.folder) if entry.is_dir())
        return sorted(name for name in folders if is_base(self.folder / name))

    def all(self) -> list[BaseModelRef]:
        """Return name and digest of every base."""
        return [self.reference(Base(name, self.folder / name)) for name in self.names()]

    def get(self, name: str) -> Base:
        """Return the base of that name. Raises InvalidInputError that lists the known ones."""
        try:
            path = self.folder / check_name(name)
        except ValueError as error:
            raise self._unknown(name) from error
        if not is_base(path):
            raise self._unknown(name)
        if not (path / TEMPLATE).is_file():
            raise InvalidInputError(
                f"base model {name!r} has no {TEMPLATE}",
                field="base_model",
                hint=f"put the template that it is served with into its folder as {TEMPLATE}",
            )
        return Base(name, path)

    def reference(self, base: Base) -> BaseModelRef:
        """Return name and digest of a base."""
        state = tuple((p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in base.weights)
        key = ((str(base.path), 0, 0), *state)
        if key not in self._digests:
            self._digests[key] = weights_digest(base.weights)
        return BaseModelRef(name=base.name, weights_sha256=self._digests[key])

    def _unknown(self, name: str) -> InvalidInputError:
        known = ", ".join(self.names()) or "none"
        return InvalidInputError(
            f"there is no base model {name[:80]!r}; known: {known}",
            field="base_model",
            hint="name one of them, or put the model's folder into MODELS_DIR",
        )


def install_bases(source: Path, target: Path) -> list[str]:
    """Copy the bases in `source` that `target` has not; return their names.

    A base that is there already stays: adapters name its weights by their digest. Raises OSError
    where `target` cannot be written.
    """
    names = sorted(entry.name for entry in os.scandir(source) if is_base(source / entry.name))
    missing = [name for name in names if not (target / name).exists()]
    for name in missing:
        staging = target / f".tmp-{name}"
        discard_folder(staging)
        shutil.copytree(source / name, staging)
        publish_folder(staging, target / name)
        logger.info("base installed", extra={"base": name})
    return missing


def is_base(path: Path) -> bool:
    """Return whether the folder holds a model."""
    return (path / "config.json").is_file() and any(path.glob("*.safetensors"))


def weights_digest(files: list[Path]) -> str:
    """Return the SHA-256 of one weights file; of several, that of their `name sha256` lines."""
    if len(files) == 1:
        return file_digest(files[0]).sha256
    lines = "".join(f"{path.name} {file_digest(path).sha256}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()
