"""Publish adapters for tests: real LoRA files with random or zero weights, and their manifests."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from contracts.artefact import (
    BaseModelRef,
    CurrentModel,
    GateCheck,
    GateResult,
    GoldenPrompt,
    ModelManifest,
    ServedVersion,
)
from contracts.dataset import Conditioning
from contracts.durable import file_digest, tree_digests
from contracts.run import EngineVersions
from contracts.volume import Volume, write_document

AT = datetime(2030, 1, 1, tzinfo=UTC)
MODULES = {"q_proj": "heads", "v_proj": "kv"}


def safetensors(tensors: dict[str, Any]) -> bytes:
    """Return float32 arrays in the safetensors format."""
    header, offset = {}, 0
    for name, array in tensors.items():
        end = offset + array.nbytes
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, end]}
        offset = end
    head = json.dumps(header).encode()
    body = b"".join(np.ascontiguousarray(array).tobytes() for array in tensors.values())
    return len(head).to_bytes(8, "little") + head + body


def lora_tensors(config: dict[str, Any], rank: int, scale: float, seed: int) -> dict[str, Any]:
    """Return LoRA weights for every layer; with `scale` 0 the adapter changes nothing."""
    random = np.random.default_rng(seed)
    hidden, width = config["hidden_size"], config["head_dim"]
    sizes = {"heads": config["num_attention_heads"], "kv": config["num_key_value_heads"]}
    tensors = {}
    for layer in range(config["num_hidden_layers"]):
        for module, kind in MODULES.items():
            stem = f"base_model.model.model.layers.{layer}.self_attn.{module}"
            down = random.normal(0, 0.05, (rank, hidden))
            up = random.normal(0, 1, (sizes[kind] * width, rank)) * scale
            tensors[f"{stem}.lora_A.weight"] = down.astype("float32")
            tensors[f"{stem}.lora_B.weight"] = up.astype("float32")
    return tensors


def tiny_base(folder: Path) -> Path:
    """Write files that look like a base model to everything but an engine; return the folder."""
    folder.mkdir(parents=True)
    config = {"hidden_size": 8, "head_dim": 4, "num_attention_heads": 2, "num_key_value_heads": 1}
    config |= {"num_hidden_layers": 1, "max_position_embeddings": 512}
    (folder / "config.json").write_text(json.dumps(config))
    tokens = [{"id": i, "content": t} for i, t in enumerate(["<|im_start|>", "<|im_end|>", "<x>"])]
    (folder / "tokenizer.json").write_text(json.dumps({"added_tokens": tokens}))
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    (folder / "model.safetensors").write_bytes(safetensors({}))
    return folder


def publish_adapter(
    volume: Volume,
    base: Path,
    model_id: str,
    *,
    name: str = "tonesmith",
    golden: Sequence[GoldenPrompt] = (),
    rank: int = 4,
    scale: float = 0.05,
    adapter: dict[str, Any] | None = None,
    manifest: dict[str, Any] | None = None,
    files: dict[str, bytes] | None = None,
) -> Path:
    """Publish an adapter on `base`; return its folder.

    `adapter`, `manifest` and `files` replace keys of the adapter's config, keys of the manifest,
    and whole files: for what must be refused.
    """
    target = volume.model(model_id)
    staging = volume.staging(target)
    config = json.loads((base / "config.json").read_text())
    seed = int(hashlib.sha256(model_id.encode()).hexdigest()[:8], 16)
    weights = safetensors(lora_tensors(config, rank, scale, seed))
    settings = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": 2 * rank}
    settings |= {"base_model_name_or_path": str(base), "target_modules": list(MODULES)}
    settings |= {"lora_dropout": 0.0, "bias": "none", **(adapter or {})}
    (staging / "adapter_config.json").write_text(json.dumps(settings))
    (staging / "adapter_model.safetensors").write_bytes(weights)
    for path, content in (files or {}).items():
        (staging / path).write_bytes(content)
    document = manifest_of(base, model_id, name, golden, rank).model_dump(mode="json")
    document["files"] = {key: value.model_dump() for key, value in tree_digests(staging).items()}
    volume.publish(target, ModelManifest.model_validate(document | (manifest or {})))
    return target


def manifest_of(
    base: Path, model_id: str, name: str, golden: Sequence[GoldenPrompt], rank: int
) -> ModelManifest:
    """Return a manifest without files that passed the gate."""
    return ModelManifest(
        id=model_id,
        name=name,
        kind="adapter",
        created_at=AT,
        base=BaseModelRef(
            name=base.name, weights_sha256=file_digest(base / "model.safetensors").sha256
        ),
        run_id="run",
        dataset_id="dataset",
        styles=[],
        conditioning=Conditioning.SYSTEM,
        recipe={},
        lora_rank=rank,
        eos_token="<|im_end|>",
        chat_template_sha256=file_digest(base / "chat_template.jinja").sha256,
        files={},
        golden=list(golden),
        gate=GateResult(checks=[GateCheck(name="test", passed=True)]),
        engine=EngineVersions(),
    )


def write_current(
    volume: Volume,
    generation: int,
    versions: dict[int, str],
    alias: int | None = None,
    *,
    base: str = "starter",
    name: str = "tonesmith",
) -> CurrentModel:
    """Write `models/current.json`: version -> model id, and the version behind the alias."""
    current = CurrentModel(
        generation=generation,
        base=base,
        versions=[
            ServedVersion(name=name, version=number, model_id=model_id)
            for number, model_id in versions.items()
        ],
        aliases={} if alias is None else {name: alias},
        updated_at=AT,
    )
    write_document(volume.current_path, current)
    return current
