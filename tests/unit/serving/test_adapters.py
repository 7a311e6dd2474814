"""What an adapter must be before vLLM is asked to load it; every other one is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.artefact import ServedVersion
from contracts.volume import Volume
from fakes.published import publish_adapter
from serving.adapters import checked_manifest
from serving.bases import Base
from serving.errors import AdapterError

VERSION = ServedVersion(name="tonesmith", version=1, model_id="m1")
FAILED = {"checks": [{"name": "tokens", "passed": False}]}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"adapter": {"peft_type": "IA3"}}, "peft_type"),
    ({"adapter": {"base_model_name_or_path": "some/other-base"}}, "base_model_name_or_path"),
    ({"adapter": {"base_model_name_or_path": None}}, "base_model_name_or_path"),
    ({"adapter": {"auto_map": {"x": "y"}}}, "auto_map"),
    ({"adapter": {"rank_pattern": {"q_proj": 128}}}, "rank 128"),
    ({"adapter": {"r": "8"}}, "rank '8'"),
    ({"adapter": {"r": 0}}, "rank 0"),
    ({"rank": 65}, "at most 64"),
    ({"files": {"adapter_config.json": b"{"}}, "adapter_config"),
    ({"files": {"adapter_config.json": b"[]"}}, "no JSON object"),
    ({"files": {"evil.py": b"import os"}}, r"evil\.py"),
    ({"files": {"adapter_model.bin": b"\x80\x04"}}, r"adapter_model\.bin"),
    ({"files": {"optimizer.pt": b"\x80\x04"}}, r"optimizer\.pt"),
    ({"files": {"model.pkl": b"\x80\x04"}}, r"model\.pkl"),
    ({"manifest": {"kind": "base"}}, "not an adapter"),
    ({"manifest": {"name": "somebody"}}, "somebody"),
    ({"manifest": {"id": "m2"}}, "m2"),
    ({"manifest": {"gate": FAILED}}, "parity gate"),
    ({"manifest": {"gate": {"checks": []}}}, "parity gate"),
    ({"manifest": {"enable_thinking": True}}, "thinking"),
    ({"manifest": {"chat_template_sha256": "1" * 64}}, "chat template 1111"),
    ({"manifest": {"base": {"name": "other", "weights_sha256": "1" * 64}}}, "'other'"),
    ({"manifest": {"base": {"name": "starter", "weights_sha256": "1" * 64}}}, "weights 1111"),
    ({"manifest": {"files": {}}}, "not in the manifest"),
]


def checked(volume: Volume, base: Base) -> None:
    """Check the version."""
    checked_manifest(volume, VERSION, base, max_rank=64)


def test_published_adapter_passes(volume: Volume, base: Base) -> None:
    """A whole one on this base is fit to be loaded."""
    publish_adapter(volume, base.path, "m1")
    assert checked_manifest(volume, VERSION, base, max_rank=64).id == "m1"


@pytest.mark.parametrize(("changes", "reason"), REFUSED)
def test_adapter_is_refused_with_its_reason(
    volume: Volume, base: Base, changes: dict[str, Any], reason: str
) -> None:
    """Each thing that vLLM would take without a word is named."""
    publish_adapter(volume, base.path, "m1", **changes)
    with pytest.raises(AdapterError, match=reason):
        checked(volume, base)


def test_adapter_is_refused_when_a_file_changed(volume: Volume, base: Base) -> None:
    """A flipped byte, a cut file, an extra file and a lost one are all seen."""
    folder = publish_adapter(volume, base.path, "m1")
    weights = folder / "adapter_model.safetensors"
    good = weights.read_bytes()
    for bad in (good[:-1], bytes([good[0] ^ 1]) + good[1:], b""):
        weights.write_bytes(bad)
        with pytest.raises(AdapterError, match="adapter_model"):
            checked(volume, base)
    weights.write_bytes(good)
    extra = folder / "extra.json"
    extra.write_text("{}")
    with pytest.raises(AdapterError, match=r"extra\.json"):
        checked(volume, base)
    extra.unlink()
    checked(volume, base)
    weights.unlink()
    with pytest.raises(AdapterError, match="adapter_model"):
        checked(volume, base)


def test_adapter_is_refused_when_a_file_is_a_link(
    volume: Volume, base: Base, tmp_path: Path
) -> None:
    """A link leads out of the folder, even where the content is the same."""
    folder = publish_adapter(volume, base.path, "m1")
    weights = folder / "adapter_model.safetensors"
    weights.rename(tmp_path / "outside")
    weights.symlink_to(tmp_path / "outside")
    with pytest.raises(AdapterError, match="link"):
        checked(volume, base)


@pytest.mark.parametrize("name", ["../../secret.json", "/etc/passwd.json"])
def test_adapter_is_refused_when_its_manifest_names_files_elsewhere(
    volume: Volume, base: Base, name: str
) -> None:
    """A manifest may name files of its own folder only."""
    folder = publish_adapter(volume, base.path, "m1")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = {"bytes": 1, "sha256": "0" * 64}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(AdapterError, match="leads out"):
        checked(volume, base)


def test_adapter_is_refused_when_it_is_not_published(volume: Volume, base: Base) -> None:
    """A folder without a manifest does not exist; a broken manifest is shown."""
    with pytest.raises(AdapterError, match="not published"):
        checked(volume, base)
    volume.model("m1").mkdir(parents=True)
    for content, reason in (("{", "manifest"), ('{"schema_version": 99}', "newer")):
        (volume.model("m1") / "manifest.json").write_text(content)
        with pytest.raises(AdapterError, match=reason):
            checked(volume, base)


def test_adapter_is_refused_when_its_served_name_is_too_long(volume: Volume, base: Base) -> None:
    """The gate admits 63 characters."""
    version = ServedVersion(name="a" * 62, version=1, model_id="m1")
    with pytest.raises(AdapterError, match="63"):
        checked_manifest(volume, version, base, max_rank=64)
