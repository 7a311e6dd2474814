"""Look into every layer of an image, deleted files included: `docker save`, searched as bytes."""

import gzip
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

BLOCK = 1 << 22
GZIP = b"\x1f\x8b"


def words_in(image: Any, words: Iterable[bytes]) -> dict[bytes, set[str]]:
    """Return where in an image each of `words` is: names of layers, or of its description."""
    found: dict[bytes, set[str]] = {word: set() for word in words}
    for name, file in files_of(image):
        for word in held(file, list(found)):
            found[word].add(name)
    return found


def files_of(image: Any) -> Iterator[tuple[str, IO[bytes] | gzip.GzipFile]]:
    """Yield each file of a saved image, unpacked: its layers as archives, its description."""
    with tempfile.TemporaryFile() as saved:
        saved.writelines(image.save(chunk_size=BLOCK))
        saved.seek(0)
        with tarfile.open(fileobj=saved) as archive:
            for member in archive:
                if file := archive.extractfile(member):
                    packed = file.read(2) == GZIP
                    file.seek(0)
                    yield member.name, gzip.GzipFile(fileobj=file) if packed else file


def held(file: IO[bytes] | gzip.GzipFile, words: list[bytes]) -> set[bytes]:
    """Return which of `words` are in a file of any size."""
    found, tail = set(), b""
    longest = max(map(len, words))
    while block := file.read(BLOCK):
        found |= {word for word in words if word in tail + block}
        tail = block[-longest:]
    return found
