"""Spoil a published adapter: the same files with weights of noise, or that do nothing."""

import json
import shutil

import numpy as np

from contracts.artefact import ModelManifest
from contracts.durable import tree_digests
from contracts.volume import MANIFEST, Volume
from fakes.published import safetensors


def publish_spoiled(volume: Volume, model_id: str, spoiled_id: str, *, noise: float) -> None:
    """Publish a copy of a model whose weights are `noise` times noise of their own size.

    With `noise` 0 it changes nothing in the base. Its golden prompts keep their token ids but
    not their replies, which no spoiled model could give.
    """
    target = volume.model(spoiled_id)
    staging = volume.staging(target)
    shutil.copytree(volume.model(model_id), staging, dirs_exist_ok=True)
    shutil.rmtree(staging / "merged", ignore_errors=True)
    (staging / MANIFEST).unlink()
    weights = staging / "adapter_model.safetensors"
    weights.write_bytes(noisy(weights.read_bytes(), noise))
    document = volume.model_manifest(model_id).model_dump(mode="json")
    document["id"] = spoiled_id
    document["files"] = {key: value.model_dump() for key, value in tree_digests(staging).items()}
    document["golden"] = [prompt | {"reply_ids": []} for prompt in document["golden"]]
    volume.publish(target, ModelManifest.model_validate(document))


def noisy(content: bytes, noise: float) -> bytes:
    """Return safetensors of the same names and shapes, filled with scaled noise."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header.pop("__metadata__", None)
    chance = np.random.default_rng(7)
    filled = {}
    for name, entry in header.items():
        start, end = (8 + size + offset for offset in entry["data_offsets"])
        assert entry["dtype"] == "F32", "the demo trains in float32"
        values = np.frombuffer(content[start:end], dtype="<f4").reshape(entry["shape"])
        drawn = chance.normal(0, 1, values.shape) * values.std() * noise
        filled[name] = drawn.astype("<f4")
    return safetensors(filled)
