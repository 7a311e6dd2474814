"""The model card: what a published model is, where it comes from, how it is served. Pure.

Names and numbers come from the manifest; text that a person wrote (a style's name) is escaped, so
that it can neither break the page nor put a link or a tag into it.
"""

import html
import re
from collections.abc import Iterable, Mapping

import yaml

from contracts.artefact import ModelManifest
from contracts.export import Form

# What Markdown reads as more than text in the middle of a line; HTML's are escaped as entities.
SPECIAL = re.compile(r"([\\`*_{}\[\]|~$@])")
SHOWN = 200  # characters of one text of a person's
# Of LLaMA-Factory's arguments, those that say what was learnt and how; no paths.
ARGUMENTS = (
    "stage",
    "finetuning_type",
    "quantization_bit",
    "lora_rank",
    "lora_alpha",
    "learning_rate",
    "num_train_epochs",
    "max_steps",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "cutoff_len",
    "pref_beta",
    "seed",
)
FORMS: dict[str, str] = {
    "adapter": "a LoRA adapter, to be loaded on its base",
    "merged": "whole weights in 16 bits",
    "int8": "whole weights, quantised (W8A8): 8 bits for weights and activations",
}
METRICS = {
    "eval_loss": "loss of a held-out reply token, in nats",
    "perplexity": "its exponential",
    "bleu_4": "BLEU-4 of greedy replies against the given ones, 0 to 100",
    "rouge_1": "ROUGE-1, 0 to 100",
    "rouge_2": "ROUGE-2, 0 to 100",
    "rouge_l": "ROUGE-L, 0 to 100",
    "measured_rows": "held-out rows that were answered",
    "style_accuracy": "share of replies in the asked style",
}


def card(
    model: ModelManifest,
    *,
    rows: Mapping[str, int] | None = None,
    form: Form | None = None,
    made_with: str = "",
) -> str:
    """Return the card, in Markdown with the header that model hubs read.

    Args:
        model: the manifest; its list of files is not needed, so the card can be one of them.
        rows: rows of the dataset by split, where they are known.
        form: of an export; None for the model itself.
        made_with: library and version that quantised it.
    """
    shown = form or ("adapter" if model.lora_rank else "merged")
    parts = [
        header(model, shown),
        f"# {text(model.name)}\n\nMade by Tonesmith: {FORMS[shown]}.",
        section("Lineage", table(lineage(model, rows or {}))),
        section("Styles", styles(model)),
        section("Training", table(training(model))),
        section("Measured on held-out rows", measured(model)),
        section("Parity gate", gate(model)),
        section("Serving", serving(model, shown, made_with)),
        section("Before you pass it on", LICENCES.format(base=text(model.base.name))),
    ]
    return "\n\n".join(parts) + "\n"


# docs.vllm.ai, features/quantization/int8.
CARDS = (
    "vLLM runs it on CPUs and on NVIDIA cards from Turing to Hopper; on Blackwell (compute "
    "capability 10.0 and above) take the merged weights."
)
LICENCES = """Check the licences of what it is made of: the base `{base}`, the rows of the dataset \
(imported ones have an owner), and the terms of the model that wrote generated replies."""


def text(value: object) -> str:
    """Return a text for Markdown: one line, nothing in it is more than text."""
    line = " ".join(str(value).split())
    line = "".join(character for character in line if character.isprintable())[:SHOWN]
    return SPECIAL.sub(r"\\\1", html.escape(line, quote=False))


def header(model: ModelManifest, form: str) -> str:
    """Return the header that hubs read."""
    languages = sorted({version.style.language for version in model.styles})
    found = {
        "base_model": model.base.name,
        "base_model_relation": {"adapter": "adapter", "int8": "quantized"}.get(form, "finetune"),
        "library_name": "peft" if form == "adapter" else "transformers",
        "pipeline_tag": "text-generation",
        "language": languages,
        "tags": ["tonesmith", "style", *(["lora"] if form == "adapter" else [])],
    }
    return f"---\n{yaml.safe_dump(found, sort_keys=False, allow_unicode=True)}---"


def section(title: str, body: str) -> str:
    """Return a section."""
    return f"## {title}\n\n{body}"


def table(rows: Iterable[tuple[str, object]]) -> str:
    """Return a table of two columns; both texts are escaped here."""
    lines = [f"| {text(name)} | {text(value)} |" for name, value in rows]
    return "\n".join(["| | |", "|---|---|", *lines])


def lineage(model: ModelManifest, rows: Mapping[str, int]) -> list[tuple[str, object]]:
    """Return what the model was made from."""
    counted = ", ".join(f"{count} {name}" for name, count in rows.items() if count)
    found: list[tuple[str, object]] = [
        ("model", model.id),
        ("base", f"{model.base.name}, weights sha256 {model.base.weights_sha256}"),
        ("dataset", f"{model.dataset_id}{f' ({counted} rows)' if counted else ''}"),
        ("conditioning", model.conditioning.value),
        ("run", model.run_id),
        ("made", f"{model.created_at:%Y-%m-%d %H:%M} UTC"),
        ("engine", f"LLaMA-Factory {model.engine.llamafactory}, torch {model.engine.torch}"),
    ]
    return found + ([("goes on from", model.continues)] if model.continues else [])


def styles(model: ModelManifest) -> str:
    """Return the styles with their versions and names."""
    lines = [
        f"- {text(version.style.id)}, version {version.version}: "
        f"{text(version.style.names.zh)} / {text(version.style.names.en)}"
        for version in model.styles
    ]
    return "\n".join(lines) or "None."


def training(model: ModelManifest) -> list[tuple[str, object]]:
    """Return what was set, and which step was taken."""
    chosen = [(name, model.recipe[name]) for name in ARGUMENTS if model.recipe.get(name)]
    best = [("step that was taken", model.best_step)] if model.best_step is not None else []
    return [*chosen, *best]


def measured(model: ModelManifest) -> str:
    """Return the figures, each with what it is."""
    rows = [
        (f"{name} ({METRICS[name]})", f"{model.metrics[name]:.4g}")
        for name in METRICS
        if name in model.metrics
    ]
    return table(rows) if rows else "Not measured."


def gate(model: ModelManifest) -> str:
    """Return what the gate compared."""
    passed = sum(check.passed for check in model.gate.checks)
    return (
        f"{passed} of {len(model.gate.checks)} checks passed: the chat template, token ids of "
        "golden prompts, end token, and greedy replies of the adapter and of the merged weights."
    )


def serving(model: ModelManifest, form: str, made_with: str) -> str:
    """Return how vLLM serves it: with the chat template that it was trained with."""
    thinking = f"--default-chat-template-kwargs '{{\"enable_thinking\": {yes(model)}}}'"
    template = "--chat-template ./chat_template.jinja"
    if form == "adapter":
        command = (
            f"vllm serve <folder of {model.base.name}> {template} {thinking} \\\n"
            f"    --enable-lora --max-lora-rank {model.lora_rank} --lora-modules {model.name}=."
        )
    else:
        command = f"vllm serve . --served-model-name {model.name} {template} {thinking}"
    said = {
        "system": "Give the style's system prompt with every chat.",
        "prefix": "The model names its style on the first line of a reply.",
        "both": "Give the style's system prompt; the reply's first line names the style.",
        "none": "The model speaks its style without being asked.",
    }[model.conditioning.value]
    made = f"\n\nQuantised with {text(made_with)}. {CARDS}" if form == "int8" and made_with else ""
    return f"    {command}\n\n{said}{made}"


def yes(model: ModelManifest) -> str:
    """Return the thinking flag as JSON."""
    return "true" if model.enable_thinking else "false"
