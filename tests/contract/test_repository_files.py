"""What must never be committed, and what must not grow."""

import re

import pytest

from repository import ROOT, files

LOCKS = [path for path in files() if path.suffix == ".lock"]
TEXT = [path for path in files() if path.suffix not in {".png", ".safetensors"}]
# Spelled in pieces so that this file passes its own test.
REGISTRIES = re.compile("|".join(("py" + r"pi\.org", "python" + "hosted", "npm" + r"js\.org")))
MAX_BYTES = 16 * 1024 * 1024
PICTURES = [path for path in files() if path.parent == ROOT / "docs/screenshots"]
PICTURE_BYTES = 200_000


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_lock_is_pinned_and_hashed(path) -> None:
    """Every requirement is pinned by version and hash, and no address is recorded."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert lines
    for number, line in enumerate(lines):
        if line.startswith("    --hash=sha256:"):
            continue
        assert re.match(r"^[A-Za-z0-9._\[\],-]+==\S+( ;.*)? \\$", line), line
        assert lines[number + 1].startswith("    --hash=sha256:"), line
    assert "://" not in path.read_text()


def test_no_registry_address_is_committed() -> None:
    """Where packages come from is the machine's business."""
    found = [path.name for path in TEXT if REGISTRIES.search(path.read_text(errors="replace"))]
    assert not found


def test_no_file_is_larger_than_the_limit() -> None:
    """The clone stays small; the starter model is the largest file."""
    assert not [path.name for path in files() if path.stat().st_size > MAX_BYTES]


def test_pictures_of_the_documents_are_small() -> None:
    """Each of the page's screenshots, of which there are many."""
    assert PICTURES
    assert not [path.name for path in PICTURES if path.stat().st_size >= PICTURE_BYTES]
