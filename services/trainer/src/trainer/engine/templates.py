"""Which chat template a base needs, read from its own files. Standard library only.

A run must be served with the very template that it was trained with. Two ship: plain ChatML
(`chatml.jinja`), and ChatML with an empty thinking block in every turn (`hybrid.jinja`), which is
what LLaMA-Factory's `qwen3` trains with `enable_thinking: false`.
"""

import json
from pathlib import Path
from typing import Literal

TEMPLATE = "chat_template.jinja"
HUB_TEMPLATE = "chat_template.hub.jinja"
PLAIN = Path(__file__).with_name("chatml.jinja")
HYBRID = Path(__file__).with_name("hybrid.jinja")

Kind = Literal["plain", "hybrid", "hybrid-hub", "thinking", "foreign"]
TEMPLATES: dict[Kind, Path] = {"plain": PLAIN, "hybrid": HYBRID, "hybrid-hub": HYBRID}
# Qwen3.5 and others open a block where Qwen3 closes an empty one.
HYBRIDS = frozenset({"qwen3", "qwen3_moe"})
EMPTY_BLOCK = r"<think>\n\n</think>\n\n"


def template_kind(text: str, model_type: str) -> Kind:
    """Return what a chat template does, by the marks that it writes.

    `plain`: ChatML without thinking. `hybrid`: ours for a hybrid model. `hybrid-hub`: a hybrid
    model's own, with the switch `enable_thinking`. `thinking`: opens a thinking block without a
    switch. `foreign`: no ChatML, or a switch of another family than Qwen3.

    Args:
        text: the template.
        model_type: of config.json; only Qwen3's thinking block is known to be the one trained with.
    """
    if "<|im_start|>" not in text:
        return "foreign"
    prompt = text.partition("add_generation_prompt")[2]
    if "enable_thinking" not in text and "<think>" not in prompt:
        return "plain"
    if model_type not in HYBRIDS:
        return "foreign"
    if "enable_thinking" in text:
        return "hybrid-hub"
    return "hybrid" if EMPTY_BLOCK in prompt else "thinking"


def base_kind(folder: Path) -> Kind:
    """Return what the template of a base's folder does. Raises OSError, ValueError."""
    return template_kind(template_text(folder), model_type(folder))


def template_text(folder: Path) -> str:
    """Return the template that the folder is served with, else the hub's.

    The hub's is in a file of its own, or among the tokenizer's settings. Nothing where there is
    none. Raises OSError, ValueError.
    """
    for name in (TEMPLATE, HUB_TEMPLATE):
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8")
    found = document(folder / "tokenizer_config.json").get("chat_template", "")
    return found if isinstance(found, str) else ""


def model_type(folder: Path) -> str:
    """Return the architecture's name in config.json. Raises OSError, ValueError."""
    return str(document(folder / "config.json").get("model_type", ""))


def document(path: Path) -> dict[str, object]:
    """Return a JSON object; an empty one where there is no file. Raises OSError, ValueError."""
    if not path.is_file():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}
