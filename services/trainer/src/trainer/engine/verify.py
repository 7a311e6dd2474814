"""Render golden prompts from a model's exported files, and open its weights.

    python -m trainer.engine.verify < request.json > report.json

The request: {folder, base, enable_thinking, prompts: [[message, ...], ...]}. It loads tokenizers
only, no model and no torch kernels: a few seconds. The report is compared by the service.
"""

import json
import sys
from pathlib import Path
from typing import Any

from trainer.engine.parent import die_with_parent
from trainer.engine.rendering import pieces, template_ids


def main() -> int:
    """Read the request from standard input, write the report to standard output."""
    die_with_parent()
    request = json.load(sys.stdin)
    json.dump(report(request), sys.stdout, ensure_ascii=False)
    return 0


def report(request: dict[str, Any]) -> dict[str, Any]:
    """Return what the files of `request["folder"]` make of the prompts."""
    from transformers import PreTrainedTokenizerFast

    folder = Path(request["folder"])
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    tokenizer.chat_template = (folder / "chat_template.jinja").read_text(encoding="utf-8")
    return {
        "prompts": [rendered(tokenizer, messages, request) for messages in request["prompts"]],
        "eos_token": tokenizer.eos_token,
        "weights": {path.name: tensors(path) for path in sorted(folder.glob("*.safetensors"))},
    }


def rendered(
    tokenizer: Any, messages: list[dict[str, str]], request: dict[str, Any]
) -> dict[str, Any]:
    """Return one prompt's token ids, or why the template cannot make them."""
    from jinja2 import TemplateError

    try:
        ids = template_ids(tokenizer, messages, enable_thinking=request["enable_thinking"])
    except TemplateError as error:
        return {"token_ids": [], "pieces": [], "error": f"{type(error).__name__}: {error}"}
    return {"token_ids": ids, "pieces": pieces(tokenizer, ids), "error": ""}


def tensors(path: Path) -> dict[str, Any]:
    """Return how many tensors a weights file holds, or why it cannot be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as weights:
            return {"count": len(weights.keys()), "error": ""}
    except (SafetensorError, OSError) as error:
        return {"count": 0, "error": str(error)}


if __name__ == "__main__":
    sys.exit(main())
