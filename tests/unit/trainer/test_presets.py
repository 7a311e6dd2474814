"""Presets: a base is recognised by the chat template in its folder, whatever it is called."""

import json
from pathlib import Path

import pytest

from fakes.training import write_base
from kit.errors import InvalidInputError
from trainer.bases import Base
from trainer.engine import templates
from trainer.presets import CHATML, HYBRID, LARGE_BYTES, preset_of

# The parts that matter of the templates that Qwen publishes; the wording is ours.
TURNS = (
    "{%- for m in messages -%}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{%- endfor %}"
)
PROMPT = "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}"
SWITCH = (
    "{%- if enable_thinking is defined and not enable_thinking %}{{- '<think>\\n\\n</think>' }}"
)
HUB_HYBRID = TURNS + PROMPT + SWITCH + "{%- endif %}{%- endif %}"
INSTRUCT = TURNS + PROMPT + "{%- endif %}"
ALWAYS_THINKS = TURNS + PROMPT + "{{- '<think>\\n' }}{%- endif %}"
LLAMA = "{{- '<|start_header_id|>' + message.role }}"


def base_with(folder: Path, template: str, model_type: str = "qwen3") -> Base:
    """Return a base whose folder holds this template."""
    write_base(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}), "utf-8")
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return Base(folder.name, folder)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (templates.PLAIN.read_text(encoding="utf-8"), CHATML),
        (INSTRUCT, CHATML),
        (templates.HYBRID.read_text(encoding="utf-8"), HYBRID),
    ],
    ids=["ours", "instruct", "hybrid"],
)
def test_base_is_recognised_by_its_template(
    tmp_path: Path, template: str, expected: object
) -> None:
    """The folder's name says nothing: Qwen3-8B may be served as plain ChatML."""
    assert preset_of(base_with(tmp_path / "any-name", template)) == expected


@pytest.mark.parametrize(
    ("template", "model_type", "said"),
    [
        (HUB_HYBRID, "qwen3", "every turn"),
        (HUB_HYBRID, "smollm3", "ChatML that training knows"),
        (ALWAYS_THINKS, "qwen3", "always thinks"),
        (LLAMA, "llama", "ChatML that training knows"),
        ("", "qwen3", "ChatML that training knows"),
    ],
)
def test_base_that_training_cannot_follow_is_refused(
    tmp_path: Path, template: str, model_type: str, said: str
) -> None:
    """The error names the base, and says how to get one that can be trained."""
    with pytest.raises(InvalidInputError) as caught:
        preset_of(base_with(tmp_path / "copied", template, model_type))
    assert said in caught.value.body.message
    assert "'copied'" in caught.value.body.message
    assert caught.value.body.field == "base_model"
    assert caught.value.body.hint


def test_base_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A broken file is named, no traceback."""
    base = base_with(tmp_path / "broken", INSTRUCT)
    (base.path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        preset_of(base)


@pytest.mark.parametrize(("size", "large"), [(LARGE_BYTES - 1, False), (LARGE_BYTES, True)])
def test_size_of_a_base_is_part_of_its_preset(tmp_path: Path, size: int, large: bool) -> None:
    """Recipes change their learning rate by it."""
    base = base_with(tmp_path / "base", INSTRUCT)
    with (base.path / "model.safetensors").open("wb") as weights:
        weights.truncate(size)
    assert preset_of(base).large is large


def test_template_among_the_settings_of_the_tokenizer_is_found(tmp_path: Path) -> None:
    """Older models have no template file; the one that is fetched last wins."""
    base = base_with(tmp_path / "base", INSTRUCT)
    (base.path / "chat_template.jinja").unlink()
    settings = {"chat_template": HUB_HYBRID}
    (base.path / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    assert templates.base_kind(base.path) == "hybrid-hub"
    (base.path / "chat_template.hub.jinja").write_text(INSTRUCT, encoding="utf-8")
    assert templates.base_kind(base.path) == "plain"
