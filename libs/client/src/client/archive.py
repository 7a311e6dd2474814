"""Unpack a model's archive: plain files inside the folder only, compared with their digests.

trainer.archive(model_id, "merged", tar)
unpack(tar, folder)
verify(folder, manifest.files)
"""

import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from client.errors import ArchiveError
from contracts.dataset import FileDigest
from contracts.durable import digest_differences, tree_digests
from contracts.volume import MANIFEST


def unpack(archive: Path, folder: Path) -> list[str]:
    """Unpack a tar file into `folder`, which is made; return the names of the files in it.

    Modes, owners and times are not taken over. A name that leads elsewhere (absolute, `..`), a
    link, a device, and a name that comes twice are refused.

    Raises:
        ArchiveError: the archive is damaged or unsafe; `folder` is removed.
        FileExistsError: there is such a folder already; it stays.
    """
    folder.mkdir(parents=True)
    try:
        # "r|": one file after the other, and not compressed, so that nothing can blow up.
        with tarfile.open(archive, "r|") as tar:
            return [place(tar, member, folder) for member in tar if not member.isdir()]
    except (tarfile.TarError, EOFError) as error:
        shutil.rmtree(folder)
        raise ArchiveError(f"the archive is damaged: {error}") from error
    except BaseException:
        shutil.rmtree(folder)
        raise


def place(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> str:
    """Write one file of an archive where its name says, and return it. Raises ArchiveError."""
    name = safe_name(member)
    target = folder / name
    content = tar.extractfile(member)
    assert content is not None  # a regular file, as `safe_name` made sure
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with content, target.open("xb") as file:
            shutil.copyfileobj(content, file)
    except (FileExistsError, NotADirectoryError) as error:
        raise ArchiveError(f"the archive holds {name!r} twice") from error
    return name


def safe_name(member: tarfile.TarInfo) -> str:
    """Return the name of a plain file below the folder. Raises ArchiveError for anything else."""
    path = PurePosixPath(member.name)
    inside = not path.is_absolute() and ".." not in path.parts and path.parts
    if not inside or "\\" in member.name or "\0" in member.name:
        raise ArchiveError(f"the archive names a place outside its folder: {member.name[:200]!r}")
    if not member.isreg() or member.issparse():
        raise ArchiveError(f"the archive holds {member.name[:200]!r}, which is no plain file")
    return path.as_posix()


def verify(folder: Path, files: Mapping[str, FileDigest]) -> None:
    """Compare the files below `folder` with their digests.

    Args:
        files: what has to be there, by path below `folder`; what else is there is a difference,
            except for the manifest, which cannot list itself.

    Raises:
        ArchiveError: names each difference.
    """
    found = tree_digests(folder)
    foreign = [
        f"{name}: not in the manifest" for name in sorted(found.keys() - files.keys() - {MANIFEST})
    ]
    if told := [*digest_differences(folder, dict(files)), *foreign]:
        raise ArchiveError("the files are not those of the manifest: " + "; ".join(told))
