"""Bring a model to a folder of this machine: whole, checked, under its name in one step."""

import json
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path

from client import ArchiveError, TrainerClient
from client.archive import unpack, verify
from contracts.artefact import ModelManifest
from contracts.dataset import FileDigest
from contracts.export import ExportManifest, Form
from contracts.volume import MANIFEST, read_document
from kit.errors import InvalidInputError
from tonesmith.errors import CommandError

# The ranks that vLLM makes room for (vllm.config.lora.MaxLoRARanks).
VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


def free_folder(folder: Path) -> Path:
    """Return `folder` if nothing is there yet, or nothing in it. Raises InvalidInputError."""
    if folder.is_symlink() or (folder.exists() and not empty(folder)):
        raise InvalidInputError(
            f"{folder} is there already", field="--to", hint="name a new folder: --to FOLDER"
        )
    return folder


def empty(folder: Path) -> bool:
    """Return whether `folder` is a folder with nothing in it."""
    return folder.is_dir() and not any(folder.iterdir())


def fetch(trainer: TrainerClient, export_id: str, folder: Path) -> int:
    """Save an export as `folder` and return the bytes that came.

    Everything happens in a hidden folder beside it, which is removed in any case.

    Raises:
        CommandError: what came is damaged or not what the manifest says, or there is no room.
        ServiceError, ServiceDownError: it did not come.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as name:
            archive, files = Path(name) / "archive.tar", Path(name) / "files"
            size = trainer.export_archive(export_id, archive)
            unpack(archive, files)
            verify(files, manifest_files(files))
            files.replace(folder)
    except ArchiveError as error:
        raise CommandError(str(error), hint="try again; nothing was kept") from error
    except OSError as error:
        hint = "the archive and its files need room beside each other; or name another --to"
        raise CommandError(f"{folder} cannot be written: {error.strerror}", hint=hint) from error
    return size


def manifest_files(folder: Path) -> Mapping[str, FileDigest]:
    """Return the digests in the manifest that an export brings along. Raises ArchiveError."""
    try:
        return read_document(folder / MANIFEST, ExportManifest).files
    except (FileNotFoundError, ValueError) as error:
        raise ArchiveError("the archive brings no manifest of its files along") from error


def serve_command(manifest: ModelManifest, form: Form, folder: Path, models_dir: Path) -> str:
    """Return the vLLM command that serves the folder as we do.

    Args:
        manifest: of the model.
        form: of the folder.
        folder: where it is.
        models_dir: where the bases are, if they are here.
    """
    thinking = json.dumps({"enable_thinking": manifest.enable_thinking})
    common = ["--default-chat-template-kwargs", thinking]
    if form != "adapter":
        words = ["vllm", "serve", str(folder), "--served-model-name", manifest.name, *common]
        return shlex.join(words)
    base = models_dir / manifest.base.name
    rank = next((room for room in VLLM_RANKS if room >= manifest.lora_rank), manifest.lora_rank)
    words = ["vllm", "serve", str(base) if base.is_dir() else manifest.base.name, "--enable-lora"]
    words += ["--max-lora-rank", str(rank), "--lora-modules", f"{manifest.name}={folder}"]
    words += ["--chat-template", str(folder / "chat_template.jinja"), *common]
    return shlex.join(words)
