"""A `docker` command that writes down how it was called, and answers what it was told to."""

import json
import os
from pathlib import Path
from typing import Any

SCRIPT = """\
#!/bin/sh
echo "$PWD: $*" >> {folder}/calls
case "$*" in
  "compose version --short") echo 2.26.1 ;;
  "buildx version") echo github.com/docker/buildx 0.13.1 ;;
  *" config --format json") cat {folder}/config.json ;;
  *) echo "docker $*"; exit $(cat {folder}/code) ;;
esac
"""
CONFIG: dict[str, Any] = {
    "name": "tonesmith",
    "services": {
        "datagen": {
            "image": "tonesmith/datagen:dev",
            "build": {"args": {"PYTHON_IMAGE": "python:3.11", "REVISION": "x"}},
        },
        "trainer": {
            "image": "tonesmith/trainer:dev",
            "build": {"context": "."},
            "shm_size": str(2 << 30),
        },
        "ui": {
            "image": "tonesmith/ui:dev",
            "build": {"context": "."},
            "ports": [{"host_ip": "127.0.0.1", "target": 7860, "published": "17860"}],
        },
        "init": {"image": "tonesmith/datagen:dev"},
    },
    "volumes": {
        "data": {"name": "tonesmith_data"},
        "serving-cache": {"name": "tonesmith_serving-cache"},
    },
}


class FakeDockerCommand:
    """A folder with the command.

    Args:
        folder: is put in front of PATH.
        config: what `docker compose config` prints.
    """

    def __init__(self, folder: Path, config: dict[str, Any] | None = None) -> None:
        self.folder = folder
        self.fails(0)
        (folder / "config.json").write_text(json.dumps(config or CONFIG))
        (folder / "docker").write_text(SCRIPT.format(folder=folder))
        (folder / "docker").chmod(0o700)

    def fails(self, code: int) -> None:
        """Let what changes something end with this exit code from now on."""
        (self.folder / "code").write_text(str(code))

    @property
    def path(self) -> str:
        """The value of PATH."""
        return f"{self.folder}{os.pathsep}{os.environ['PATH']}"

    @property
    def calls(self) -> list[str]:
        """How it was called, with the folder in front."""
        calls = self.folder / "calls"
        return calls.read_text().splitlines() if calls.is_file() else []
