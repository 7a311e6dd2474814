"""Fetch a base model from the hub or a mirror: `python -m trainer.engine.fetch REPOSITORY FOLDER`.

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

TEMPLATE = "chat_template.jinja"
# What training and serving read; no pickled weights, no code, no other framework's files.
WANTED = ["*.safetensors", "*.json", "*.txt", "*.jinja", "tokenizer.model", "LICENSE*"]
PLAIN = Path(__file__).with_name("chatml.jinja")


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
    use_plain_template(staging)
    os.sync()
    staging.rename(folder)
    return True


def use_plain_template(folder: Path) -> None:
    """Have the base served with plain ChatML, which is what our runs train with.

    A hybrid model's own template (kept beside it) opens a thinking block that training does not
    show it; the parity gate would refuse every model of that base.
    """
    own = folder / TEMPLATE
    if own.is_file():
        own.rename(folder / "chat_template.hub.jinja")
    shutil.copyfile(PLAIN, own)


def main(arguments: list[str]) -> int:
    """Fetch and say what happened; return the exit status."""
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
