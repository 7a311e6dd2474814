"""Stream published files as one tar, in constant memory, each compared with its digest."""

import hashlib
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from contracts.artefact import ModelManifest
from contracts.dataset import FileDigest
from contracts.export import Form
from contracts.volume import MANIFEST

BLOCK = 1 << 20
MERGED = "merged/"
END = bytes(2 * tarfile.BLOCKSIZE)  # two empty blocks end a tar (POSIX.1-1988, ustar)


class ArchiveBrokenError(RuntimeError):
    """A file is no more what was published: the stream breaks off, so that nobody takes it."""


def part_of(model: ModelManifest, form: Form) -> dict[str, FileDigest]:
    """Return the files of a model that make a form of it: its merged weights, or all the others."""
    return {
        name: digest
        for name, digest in model.files.items()
        if name.startswith(MERGED) == (form == "merged")
    }


def archive(folder: Path, files: Mapping[str, FileDigest], inside: str = "") -> Iterator[bytes]:
    """Yield a tar of published files, with the manifest of the folder where it has one.

    The tar is the same every time: no times, no owners, sorted names.

    Args:
        folder: of the artefact.
        files: names below `folder` and digests, as its manifest has them.
        inside: a prefix that all names have and that the tar leaves out, such as `merged/`.

    Raises:
        ValueError: a name leads out of the folder, before anything is yielded.
        ArchiveBrokenError: a file is missing or has changed, wherever the stream is then.
    """
    for name in files:
        check_inside(name, inside)
    if not inside and (folder / MANIFEST).is_file():
        yield from whole_file(folder / MANIFEST, MANIFEST, None)
    for name in sorted(files):
        yield from whole_file(folder / name, name.removeprefix(inside), files[name])
    yield END


def check_inside(name: str, inside: str) -> None:
    """Raise ValueError where a name is no plain path below its folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or not name.startswith(inside):
        raise ValueError(f"{name!r:.100} leads out of the artefact's folder")


def whole_file(path: Path, name: str, digest: FileDigest | None) -> Iterator[bytes]:
    """Yield header, content and padding of one file. Raises ArchiveBrokenError."""
    if path.is_symlink() or not path.is_file():
        raise ArchiveBrokenError(f"{name} is missing")
    size = path.stat().st_size
    header = tarfile.TarInfo(name)
    header.size, header.mode = size, 0o644
    yield header.tobuf(tarfile.PAX_FORMAT)
    hashed, sent = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            hashed.update(block)
            sent += len(block)
            yield block
    if sent != size or (digest and digest.sha256 != hashed.hexdigest()):
        raise ArchiveBrokenError(f"{name} is not what was published")
    yield bytes(-size % tarfile.BLOCKSIZE)
