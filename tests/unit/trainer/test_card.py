"""Tests of the model card."""

import re
from pathlib import Path

import pytest
import yaml

from contracts.artefact import ModelManifest
from contracts.dataset import Conditioning
from contracts.style import Style, StyleVersion
from fakes.published import manifest_of, tiny_base
from fakes.training import STYLE
from trainer.card import METRICS, card

ATTACK = "x](https://evil.example) <img src=y onerror=z> `a` | b\n# heading\n\n- list"


@pytest.fixture
def model(tmp_path: Path) -> ModelManifest:
    """A manifest with everything that a card shows."""
    style = StyleVersion(version=3, style=Style.model_validate(STYLE))
    made = manifest_of(tiny_base(tmp_path / "starter"), "m-20300101-000001", "tonesmith", (), 16)
    return made.model_copy(
        update={
            "styles": [style],
            "recipe": {"stage": "dpo", "learning_rate": 5e-4, "model_name_or_path": "/secret/x"},
            "continues": "m-20300101-000000",
            "best_step": 24,
            "metrics": dict.fromkeys(METRICS, 1.25),
        }
    )


def test_card_says_where_the_model_comes_from(model: ModelManifest) -> None:
    """Base with digest, dataset with rows, styles with versions, recipe, step, lineage, gate."""
    page = card(model, rows={"train": 48, "eval": 8})
    for words in (
        model.base.weights_sha256,
        "48 train, 8 eval rows",
        "tsundere, version 3: 傲娇 / Tsundere",
        "goes on from | m-20300101-000000 |",
        "step that was taken | 24 |",
        "1 of 1 checks passed",
        "licences",
    ):
        assert words in page
    assert all(name.replace("_", "\\_") in page for name in METRICS)
    assert "/secret/x" not in page


def test_header_is_what_hubs_read(model: ModelManifest) -> None:
    """One YAML document that names base, library and languages."""
    found = yaml.safe_load(card(model).split("---\n")[1])
    assert found["base_model"] == "starter"
    assert (found["library_name"], found["language"]) == ("peft", ["zh"])
    quantised = yaml.safe_load(card(model, form="int8").split("---\n")[1])
    assert quantised["base_model_relation"] == "quantized"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("adapter", "--lora-modules tonesmith=."),
        ("merged", "vllm serve . --served-model-name tonesmith"),
        ("int8", "Quantised with compressed-tensors 0.17.0"),
    ],
)
def test_card_says_how_each_form_is_served(model: ModelManifest, form: str, words: str) -> None:
    """With vLLM, the trained chat template, and the thinking flag."""
    page = card(model, form=form, made_with="compressed-tensors 0.17.0")  # type: ignore[arg-type]
    assert words in page
    assert "--chat-template ./chat_template.jinja" in page
    assert '{"enable_thinking": false}' in page


@pytest.mark.parametrize("how", list(Conditioning))
def test_card_says_how_the_style_is_asked_for(model: ModelManifest, how: Conditioning) -> None:
    """Each conditioning has its sentence."""
    page = card(model.model_copy(update={"conditioning": how}))
    assert ("system prompt" in page) == (how in (Conditioning.SYSTEM, Conditioning.BOTH))


def test_what_people_wrote_is_only_text(model: ModelManifest) -> None:
    """A name with links, tags and headings is one line of text."""
    names = {"zh": ATTACK[:40], "en": ATTACK[:40]}
    style = Style.model_validate(STYLE | {"names": names})
    evil = {"styles": [StyleVersion(version=1, style=style)]}
    page = card(model.model_copy(update=evil))
    assert "<img" not in page
    assert not re.search(r"(?<!\\)\]\(", page)
    assert not re.search(r"^# heading", page, re.MULTILINE)


def test_model_without_figures_says_so(model: ModelManifest) -> None:
    """No empty table."""
    assert "Not measured." in card(model.model_copy(update={"metrics": {}}))
