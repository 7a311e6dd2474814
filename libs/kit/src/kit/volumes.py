"""What a stack of containers needs before its services start: `python -m kit.volumes DATA KEYS`.

It runs as the services' own user, once. It makes sure that the volumes can be written, and that
there is an API token, a key of serving and a password for Grafana: the operator's where a file of a
secret has a content, else random ones that stay as they are.
"""

import os
import secrets
import sys
from pathlib import Path

from kit.errors import TonesmithError

SECRETS = Path("/run/secrets")
KEYS = ("api_token", "serving_api_key", "grafana_password")
KEY_BYTES = 32
# Serving has another uid; group 0 is what all services share.
KEY_MODE = 0o440


class VolumeError(TonesmithError):
    """A volume or a secret cannot be used; the message says what to do."""

    code = "volume"


def require_writable(folder: Path) -> None:
    """Write into `folder` and take it away again. Raises VolumeError with the way out."""
    probe = folder / f".probe-{secrets.token_hex(4)}"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        hint = f"give it to uid {os.getuid()}: chown -R {os.getuid()}:0 on the volume, as root"
        message = f"{folder} cannot be written: {error.strerror}"
        raise VolumeError(message, field=str(folder), hint=hint) from error


def given(name: str, folder: Path) -> str:
    """Return the operator's secret, or nothing. Raises VolumeError where it cannot be read."""
    path = folder / name
    try:
        return path.read_text(encoding="utf-8").strip() if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        hint = "make the file readable (0444) inside a folder that is yours alone (0700)"
        raise VolumeError(f"secret {name}: {error}", field=name, hint=hint) from error


def seed_keys(keys: Path, operator: Path = SECRETS) -> list[str]:
    """Write the keys that are missing or that the operator changed; return their names."""
    written = []
    for name in KEYS:
        path, wanted = keys / name, given(name, operator)
        if path.exists() and wanted in ("", path.read_text(encoding="utf-8")):
            continue
        write_key(path, wanted or secrets.token_urlsafe(KEY_BYTES))
        written.append(name)
    return written


def write_key(path: Path, key: str) -> None:
    """Replace a key as a whole, so that no reader sees half of it."""
    staged = path.with_name(f".{path.name}.new")
    staged.unlink(missing_ok=True)
    staged.write_text(key, encoding="utf-8")
    staged.chmod(KEY_MODE)
    staged.replace(path)


def main(arguments: list[str]) -> int:
    """Prepare the volumes; return the exit status and say what was done, never a key."""
    data, keys = (Path(argument) for argument in arguments)
    try:
        for folder in (data, keys):
            require_writable(folder)
        written = seed_keys(keys)
    except VolumeError as error:
        sys.stderr.write(f"{error.body.message}\nwhat to do: {error.body.hint}\n")
        return 1
    sys.stdout.write(f"volumes are ready; new keys: {', '.join(written) or 'none'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
