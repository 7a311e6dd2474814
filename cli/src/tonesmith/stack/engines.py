"""Where the engines of the embedded stack are: as set, or as the clone's own script says."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

SCRIPT = Path("scripts/environment.sh")
# Which engine each setting names.
ENGINES = {"TRAINER_ENGINE_PYTHON": "trainer", "SERVING_ENGINE_PYTHON": "serving"}
# It hashes four small files.
SCRIPT_SECONDS = 20


def with_engines(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return `environ` with the interpreter of each engine that it does not name.

    Args:
        environ: what it names already is kept, be it wrong.
        folder: of the clone, the script of which knows where `make engines` installs them.
    """
    unset = {name: engine for name, engine in ENGINES.items() if not environ.get(name)}
    found = {name: installed(engine, environ, folder) for name, engine in unset.items()}
    return dict(environ) | {name: str(python) for name, python in found.items() if python}


def installed(engine: str, environ: Mapping[str, str], folder: Path) -> Path | None:
    """Return the interpreter of an engine, or None where there is no clone or it is not there."""
    # The lock too, for any folder may have a script of that name, and this one is run.
    if not all((folder / path).is_file() for path in (SCRIPT, f"services/{engine}/engine.lock")):
        return None
    try:
        done = subprocess.run(
            ["bash", str(folder / SCRIPT), "path", engine],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=SCRIPT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    told = done.stdout.strip()
    return Path(told) if told and Path(told).is_file() else None
