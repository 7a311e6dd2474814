"""Presets by base model: how a base's chats are written down for training and for serving.

A base is recognised by the chat template in its folder, not by its name. The flags are those of
LLaMA-Factory's templates of the same name (llamafactory/data/template.py).
"""

from dataclasses import dataclass, replace

from kit.errors import InvalidInputError
from trainer.bases import TEMPLATE, Base
from trainer.engine.templates import Kind, base_kind

# 100 million weights of 16 bits. Between the starter (6 million) and the smallest Qwen3 (600
# million) lie no bases; the step that suits one of them spoils the other.
LARGE_BYTES = 200_000_000
INSTALL = "python -m trainer.engine.fetch --template"


@dataclass(frozen=True)
class Preset:
    """How chats of a base are rendered.

    Attributes:
        name: of the preset.
        template: LLaMA-Factory's name of the format.
        enable_thinking: whether replies carry a thinking block that is learned.
        why: how the base was recognised, a sentence.
        large: whether the base has 100 million weights or more (`RecipeHeader.large_base`).
    """

    name: str
    template: str
    enable_thinking: bool
    why: str
    large: bool = False


CHATML = Preset(
    "chatml",
    "qwen3_nothink",
    enable_thinking=False,
    why="Its chat template is plain ChatML without a thinking block: the starter, "
    "Qwen3-Instruct-2507, or a model that is served so.",
)
HYBRID = Preset(
    "qwen3-hybrid",
    "qwen3",
    enable_thinking=False,
    why="Its chat template writes an empty thinking block before every reply, as a hybrid Qwen3 "
    "with thinking switched off is trained.",
)
PRESETS: dict[Kind, Preset] = {"plain": CHATML, "hybrid": HYBRID}


def preset_of(base: Base) -> Preset:
    """Return the preset of a base.

    Raises:
        InvalidInputError: its chat template is none that training can follow in every turn; the
            hint says how to get one that is.
    """
    try:
        kind = base_kind(base.path)
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"base model {base.name!r} cannot be read: {error}", field="base_model"
        ) from error
    if kind not in PRESETS:
        message, hint = refusals(base.name)[kind]
        raise InvalidInputError(message, field="base_model", hint=hint)
    return replace(PRESETS[kind], large=base.weights_bytes >= LARGE_BYTES)


def refusals(name: str) -> dict[Kind, tuple[str, str]]:
    """Return for each kind of base without a preset what is wrong with it, and the way out."""
    return {
        "hybrid-hub": (
            f"base model {name!r} has the hub's {TEMPLATE}, which leaves the thinking block out of "
            "earlier turns; training writes it into every turn",
            f"`{INSTALL} <the base's folder>` puts ours in its place and keeps the hub's beside it",
        ),
        "thinking": (
            f"base model {name!r} always thinks before it answers; styles are trained on plain "
            "replies",
            "take the hybrid or the Instruct model of the same size",
        ),
        "foreign": (
            f"base model {name!r} has no {TEMPLATE} in ChatML that training knows",
            "take a Qwen3 model, or serve the base with plain ChatML: "
            f"`{INSTALL} <the base's folder>`",
        ),
    }
