"""Fetch a base model from the hub or a mirror, with the chat template that runs train with.

    python -m trainer.engine.fetch REPOSITORY FOLDER
    python -m trainer.engine.fetch --template FOLDER    # only the template, for a copied base

It runs in the engine's environment, which has the hub's client. A download that was cut off goes
on where it was; the folder gets its name only when it is whole. HF_ENDPOINT names a mirror.
"""

import os
import shutil
import sys
from pathlib import Path

import httpx
from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from trainer.engine.templates import HUB_TEMPLATE, PLAIN, TEMPLATE, TEMPLATES, base_kind

# What training and serving read; no pickled weights, no code, no other framework's files.
WANTED = ["*.safetensors", "*.json", "*.txt", "*.jinja", "tokenizer.model", "LICENSE*"]


def fetch(repository: str, folder: Path) -> bool:
    """Download `repository` into `folder`; return False where it is there already.

    Raises what the hub's client raises: HfHubHTTPError, HFValidationError,
    LocalEntryNotFoundError (no connection), and OSError.
    """
    if (folder / TEMPLATE).is_file():
        return False
    staging = folder.with_name(f".tmp-{folder.name}")
    snapshot_download(repository, local_dir=staging, allow_patterns=WANTED)
    shutil.rmtree(staging / ".cache", ignore_errors=True)
    install_template(staging)
    os.sync()
    staging.rename(folder)
    return True


def install_template(folder: Path) -> Path:
    """Have the base served with the template that our runs train it with; return which one.

    A hybrid model's own template (kept beside ours) leaves the thinking block out of earlier turns,
    which training writes into every turn; the parity gate would refuse every model of that base.
    Whatever else the base brings is served as plain ChatML. Adapters that were trained with the
    template before this one are no longer served. Raises OSError, ValueError.
    """
    own, hub = folder / TEMPLATE, folder / HUB_TEMPLATE
    if own.is_file() and not hub.exists():
        own.rename(hub)
    elif hub.exists():
        own.unlink(missing_ok=True)
    wanted = TEMPLATES.get(base_kind(folder), PLAIN)
    shutil.copyfile(wanted, own)
    return wanted


def main(arguments: list[str]) -> int:
    """Fetch and say what happened; return the exit status."""
    if arguments[0] == "--template":
        return replace_template(Path(arguments[1]))
    repository, folder = arguments[0], Path(arguments[1])
    try:
        fresh = fetch(repository, folder)
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, httpx.HTTPError) as error:
        reason = str(error).strip().splitlines()[0]
        sys.stderr.write(
            f"{repository} could not be fetched from {constants.ENDPOINT}: {reason}\n"
            f"what to do: set HF_ENDPOINT to a mirror, or copy the model's folder to {folder}\n"
        )
        return 1
    except OSError as error:
        sys.stderr.write(f"{folder}: {error}\n")
        return 1
    sys.stdout.write(f"{folder}: {'fetched' if fresh else 'there already'}\n")
    return 0


def replace_template(folder: Path) -> int:
    """Put our template into a base's folder and say which; return the exit status."""
    try:
        used = install_template(folder)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{folder}: {error}\n")
        return 1
    sys.stdout.write(f"{folder}: {TEMPLATE} is now our {used.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
