"""Write Grafana's dashboards: python monitoring/grafana/generate.py [--check].

Each module of `boards` describes one dashboard; what Grafana reads lies in `dashboards/` and is
committed, so that a change shows in review. `--check` writes nothing and exits with 1 where a file
is stale, missing or of no module.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from boards import chat, datagen, gpus, overview, serving, training

FOLDER = Path(__file__).resolve().parent / "dashboards"
BOARDS = {
    "overview": overview.board,
    "training": training.board,
    "gpus": gpus.board,
    "serving": serving.board,
    "datagen": datagen.board,
    "chat": chat.board,
}


def text(document: dict[str, Any]) -> str:
    """Return a dashboard as it is committed."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def expected() -> dict[str, str]:
    """Return the text of every dashboard by its file name."""
    return {f"{name}.json": text(board()) for name, board in BOARDS.items()}


def stale(folder: Path) -> list[str]:
    """Return the names of files in `folder` that are missing, outdated or of no module."""
    wanted = expected()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return [name for name in sorted({*wanted, *found}) if wanted.get(name) != found.get(name)]


def write(folder: Path) -> None:
    """Write every dashboard into `folder`, and remove those of no module."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        path.unlink()
    for name, content in expected().items():
        (folder / name).write_text(content, encoding="utf-8")


def main(argv: Sequence[str]) -> int:
    """Write the dashboards, or compare them; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where stale")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(argv)
    if not options.check:
        write(options.folder)
        return 0
    for name in (old := stale(options.folder)):
        sys.stderr.write(f"{name} is stale: python monitoring/grafana/generate.py\n")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
