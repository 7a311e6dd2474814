"""The base model on disk: what serving needs to know of it before vLLM starts."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.durable import file_digest
from contracts.model import check_name
from serving.errors import BaseModelError

TEMPLATE = "chat_template.jinja"
NEEDED = ("config.json", "tokenizer.json", TEMPLATE)


@dataclass(frozen=True)
class Base:
    """A base model: its name, its folder as an absolute path, and facts from its files."""

    name: str
    path: Path
    max_positions: int
    control_tokens: tuple[str, ...]
    template_sha256: str
    weights_sha256: str  # empty where the weights are in several files


def read_base(models_dir: Path, name: str) -> Base:
    """Return the base called `name`. Raises BaseModelError: the message says what is missing."""
    try:
        folder = models_dir.resolve() / check_name(name)
    except ValueError as error:
        raise BaseModelError(f"base: {error}", field="base") from error
    if not folder.is_dir():
        hint = f"put the model there, or promote one whose base is in {models_dir.name}/"
        raise BaseModelError(f"there is no base model {name!r}", field="base", hint=hint)
    for needed in NEEDED:
        if not (folder / needed).is_file():
            raise BaseModelError(f"base model {name!r} has no {needed}", field="base")
    config = read_json(folder, "config.json")
    if "auto_map" in config:
        raise BaseModelError(f"base model {name!r} wants to run code of its own", field="base")
    return Base(
        name=name,
        path=folder,
        max_positions=int(config.get("max_position_embeddings", 0)),
        control_tokens=added_tokens(read_json(folder, "tokenizer.json")),
        template_sha256=file_digest(folder / TEMPLATE).sha256,
        weights_sha256=weights_digest(folder, name),
    )


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """Return a JSON object of the base's folder. Raises BaseModelError."""
    try:
        content = json.loads((folder / name).read_text(encoding="utf-8"))
    except ValueError as error:
        raise BaseModelError(f"{name} of base model {folder.name!r}: {error}") from error
    if not isinstance(content, dict):
        raise BaseModelError(f"{name} of base model {folder.name!r} is no JSON object")
    return content


def added_tokens(tokenizer: dict[str, Any]) -> tuple[str, ...]:
    """Return the strings that the tokenizer treats as one token wherever they stand."""
    return tuple(str(token["content"]) for token in tokenizer.get("added_tokens", []))


def weights_digest(folder: Path, name: str) -> str:
    """Return the digest of the base's weights, or nothing where they are split over files."""
    whole = folder / "model.safetensors"
    if whole.is_file():
        return file_digest(whole).sha256
    if not any(folder.glob("*.safetensors")):
        raise BaseModelError(f"base model {name!r} has no *.safetensors", field="base")
    return ""
