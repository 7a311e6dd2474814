"""What is read of a base model, and what is no base model."""

import json
from pathlib import Path

import pytest

from contracts.durable import file_digest
from serving.bases import read_base
from serving.errors import BaseModelError


def test_base_is_described(models_dir: Path) -> None:
    """Path, length, control tokens and digests come from its files."""
    base = read_base(models_dir, "starter")
    folder = models_dir / "starter"
    assert base.path == folder.resolve()
    assert base.max_positions == 512
    assert base.control_tokens == ("<|im_start|>", "<|im_end|>", "<x>")
    assert base.weights_sha256 == file_digest(folder / "model.safetensors").sha256


@pytest.mark.parametrize(
    "missing", ["config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors"]
)
def test_file_is_named_when_missing(models_dir: Path, missing: str) -> None:
    """Each file that vLLM needs is named when it is not there."""
    (models_dir / "starter" / missing).unlink()
    with pytest.raises(BaseModelError, match=missing.split(".")[-1]):
        read_base(models_dir, "starter")


@pytest.mark.parametrize("name", ["../starter", "/etc", "nobody", "a/b", "", "Starter"])
def test_base_is_refused_when_it_is_elsewhere(models_dir: Path, name: str) -> None:
    """A base lies in the folder for bases, under a plain name."""
    with pytest.raises(BaseModelError) as caught:
        read_base(models_dir, name)
    assert caught.value.body.field == "base"


def test_base_is_refused_when_it_brings_code(models_dir: Path) -> None:
    """`auto_map` means code of the model's own."""
    path = models_dir / "starter" / "config.json"
    path.write_text(json.dumps({"auto_map": {"AutoModel": "evil.Model"}}))
    with pytest.raises(BaseModelError, match="code"):
        read_base(models_dir, "starter")


def test_base_is_refused_when_its_json_is_broken(models_dir: Path) -> None:
    """The file at fault is named."""
    (models_dir / "starter" / "tokenizer.json").write_text("{")
    with pytest.raises(BaseModelError, match=r"tokenizer\.json"):
        read_base(models_dir, "starter")


def test_weights_in_several_files_have_no_digest(models_dir: Path) -> None:
    """They cannot be compared with the one digest of a manifest."""
    folder = models_dir / "starter"
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    assert read_base(models_dir, "starter").weights_sha256 == ""
