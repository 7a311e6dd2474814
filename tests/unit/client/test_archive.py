"""Unpacking archives: plain files inside the folder, and the very bytes of the manifest."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from client.archive import unpack, verify
from client.errors import ArchiveError
from contracts.dataset import FileDigest
from contracts.durable import file_digest
from trainer.archive import archive as stream

FILES = {"adapter_config.json": b"{}", "merged/model.safetensors": b"weights" * 1000}


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE) -> bytes:
    """Return the tar of one member, without an end."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, len(content), "elsewhere"
    padding = -len(content) % tarfile.BLOCKSIZE
    return info.tobuf() + content + bytes(padding)


def archive(folder: Path, *members: bytes) -> Path:
    """Write a tar file of these members."""
    path = folder / "a.tar"
    path.write_bytes(b"".join(members) + bytes(2 * tarfile.BLOCKSIZE))
    return path


def digests() -> dict[str, FileDigest]:
    """Return the digests of FILES."""
    return {
        name: FileDigest(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in FILES.items()
    }


def test_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    """Folders are made, digests agree; a mode of the archive is not taken over."""
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for name, content in FILES.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o4777
            tar.addfile(info, io.BytesIO(content))
    out = tmp_path / "out"
    assert unpack(path, out) == list(FILES)
    verify(out, digests())
    assert not (out / "adapter_config.json").stat().st_mode & 0o4111


@pytest.mark.parametrize(
    "bad",
    [
        member("/etc/passwd", b"x"),
        member("../up", b"x"),
        member("a/../../up", b"x"),
        member("..\\up", b"x"),
        member(".", b"x"),
        member("link", kind=tarfile.SYMTYPE),
        member("hard", kind=tarfile.LNKTYPE),
        member("pipe", kind=tarfile.FIFOTYPE),
        member("device", kind=tarfile.CHRTYPE),
        member("good", b"again"),
        member("good/below", b"x"),
    ],
    ids=[
        "root",
        "up",
        "up-later",
        "windows",
        "dot",
        "link",
        "hard",
        "pipe",
        "dev",
        "twice",
        "below",
    ],
)
def test_unsafe_member_is_refused_and_nothing_is_kept(tmp_path: Path, bad: bytes) -> None:
    """Neither outside the folder nor inside: a bad archive leaves no file behind."""
    path = archive(tmp_path, member("good", b"x"), bad)
    with pytest.raises(ArchiveError):
        unpack(path, tmp_path / "deep" / "out")
    assert [each.name for each in tmp_path.rglob("*")] == ["a.tar", "deep"]


def test_damaged_archive_is_refused(tmp_path: Path) -> None:
    """A tar that breaks off in a file, and something that is no tar."""
    path = tmp_path / "a.tar"
    for content in (member("weights", b"x" * 5000)[:3000], b"<html>" * 500):
        path.write_bytes(content)
        with pytest.raises(ArchiveError, match="damaged"):
            unpack(path, tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_existing_folder_stays_as_it_is(tmp_path: Path) -> None:
    """What somebody has there is never mixed with an archive, nor removed."""
    (tmp_path / "out").mkdir()
    with pytest.raises(FileExistsError):
        unpack(archive(tmp_path, member("a", b"x")), tmp_path / "out")
    assert (tmp_path / "out").is_dir()


def test_every_difference_to_the_manifest_is_named(tmp_path: Path) -> None:
    """Changed, missing and foreign files."""
    (tmp_path / "adapter_config.json").write_bytes(b"[]")
    (tmp_path / "foreign").write_bytes(b"")
    with pytest.raises(ArchiveError) as caught:
        verify(tmp_path, digests())
    told = str(caught.value)
    assert "adapter_config.json: sha256" in told
    assert "merged/model.safetensors: missing" in told
    assert "foreign: not in the manifest" in told


def test_archive_of_the_trainer_is_unpacked_and_agrees(tmp_path: Path) -> None:
    """What one side streams the other takes: with the manifest, and below a prefix without it."""
    long_name = "merged/" + "x" * 120 + "/tokenizer.json"
    files = FILES | {long_name: b"t" * 1025, "empty": b"", "manifest.json": b"{}"}
    source = tmp_path / "model"
    for name, content in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    listed = {name: file_digest(source / name) for name in files if name != "manifest.json"}
    merged = {name: digest for name, digest in listed.items() if name.startswith("merged/")}
    for number, (wanted, inside) in enumerate([(listed, ""), (merged, "merged/")]):
        path, out = tmp_path / f"{number}.tar", tmp_path / f"out-{number}"
        path.write_bytes(b"".join(stream(source, wanted, inside)))
        unpack(path, out)
        verify(out, {name.removeprefix(inside): digest for name, digest in wanted.items()})
        assert (out / "manifest.json").is_file() == (not inside)
