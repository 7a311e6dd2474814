"""Tests of the stream of published files."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from contracts.durable import tree_digests
from fakes.published import manifest_of, tiny_base
from trainer.archive import BLOCK, ArchiveBrokenError, archive, part_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A published folder: a manifest, a large file, an empty one, one further down."""
    (tmp_path / "merged").mkdir()
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(os.urandom(2 * BLOCK + 7))
    (tmp_path / "empty.txt").touch()
    (tmp_path / "merged/config.json").write_text("{}", encoding="utf-8")
    return tmp_path


def unpacked(stream: bytes) -> dict[str, bytes]:
    """Return what another program finds in a tar."""
    with tarfile.open(fileobj=io.BytesIO(stream)) as tar:
        return {each.name: tar.extractfile(each).read() for each in tar}  # type: ignore[union-attr]


def test_archive_is_a_tar_of_the_published_files(folder: Path) -> None:
    """Every file to the byte, and the manifest; the same bytes every time."""
    files = tree_digests(folder)
    files.pop("manifest.json")
    stream = b"".join(archive(folder, files))
    assert unpacked(stream) == {
        name: (folder / name).read_bytes() for name in (*files, "manifest.json")
    }
    assert b"".join(archive(folder, files)) == stream


def test_archive_needs_no_more_than_a_block_of_memory(folder: Path) -> None:
    """Pieces come as they are read."""
    assert max(map(len, archive(folder, tree_digests(folder)))) <= BLOCK


def test_prefix_is_left_out(folder: Path) -> None:
    """The merged weights lie at the top of their tar, without the adapter's manifest."""
    files = {name: digest for name, digest in tree_digests(folder).items() if "/" in name}
    assert set(unpacked(b"".join(archive(folder, files, "merged/")))) == {"config.json"}


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "a\\b"])
def test_name_that_leads_out_is_refused_before_anything_is_sent(folder: Path, name: str) -> None:
    """A manifest that was tampered with opens no other file."""
    digest = next(iter(tree_digests(folder).values()))
    with pytest.raises(ValueError, match="leads out"):
        next(archive(folder, {name: digest}))


@pytest.mark.parametrize("damage", ["changed", "gone", "link"])
def test_damaged_file_breaks_the_stream_off(folder: Path, damage: str) -> None:
    """Nobody takes a half or another archive for the published one."""
    files = tree_digests(folder)
    path = folder / "model.safetensors"
    if damage == "changed":
        path.write_bytes(b"x" * path.stat().st_size)
    else:
        path.unlink()
    if damage == "link":
        path.symlink_to("/etc/hostname")
    with pytest.raises(ArchiveBrokenError, match="model.safetensors"):
        list(archive(folder, files))


def test_model_falls_into_adapter_and_merged(tmp_path: Path) -> None:
    """Each file is part of one of both."""
    base = tiny_base(tmp_path / "starter")
    files = dict.fromkeys(
        ("adapter_model.safetensors", "README.md", "merged/config.json"),
        tree_digests(base)["config.json"],
    )
    model = manifest_of(base, "m", "tonesmith", (), 4).model_copy(update={"files": files})
    assert set(part_of(model, "adapter")) == {"adapter_model.safetensors", "README.md"}
    assert set(part_of(model, "merged")) == {"merged/config.json"}
