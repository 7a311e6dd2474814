"""Tests of the files that LLaMA-Factory reads."""

import pytest

from contracts.dataset import Conditioning
from contracts.sample import Sample, Turn
from contracts.style import Style
from datagen.formats import alpaca_row, dataset_info


@pytest.fixture
def sample(tsundere: Style) -> Sample:
    """A dialogue of two exchanges."""
    return Sample(
        id="tsundere-0",
        slot="tsundere/0",
        style="tsundere",
        style_version=1,
        language="zh",
        question="二",
        reply="答二",
        system=tsundere.system_prompt,
        history=[Turn(user="一", assistant="答一")],
    )


@pytest.mark.parametrize(
    ("conditioning", "system", "prefix"),
    [
        ("system", True, ""),
        ("prefix", False, "傲娇\n"),
        ("both", True, "傲娇\n"),
        ("none", False, ""),
    ],
)
def test_conditioning_names_the_style_where_it_should(
    sample: Sample, tsundere: Style, conditioning: str, system: bool, prefix: str
) -> None:
    """The style is in the system prompt, on the first line of each reply, both, or nowhere."""
    row = alpaca_row(sample, tsundere, Conditioning(conditioning))
    assert row == {
        "instruction": "二",
        "input": "",
        "output": f"{prefix}答二",
        "system": tsundere.system_prompt if system else "",
        "history": [["一", f"{prefix}答一"]],
    }


def test_dataset_info_names_the_columns_of_the_converter() -> None:
    """LLaMA-Factory's alpaca converter knows exactly these five."""
    info = dataset_info(["train", "eval"])
    assert list(info) == ["train", "eval"]
    assert info["eval"]["file_name"] == "eval.json"
    assert info["train"]["formatting"] == "alpaca"
    assert info["train"]["columns"] == {
        "prompt": "instruction",
        "query": "input",
        "response": "output",
        "system": "system",
        "history": "history",
    }


def test_dataset_info_marks_preference_pairs() -> None:
    """LLaMA-Factory reads chosen and rejected only where the file is marked as ranking."""
    info = dataset_info(["train", "preference", "preference-eval"])
    assert "ranking" not in info["train"]
    for name in ("preference", "preference-eval"):
        assert info[name]["ranking"] is True
        assert info[name]["columns"] == {
            "prompt": "instruction",
            "query": "input",
            "chosen": "chosen",
            "rejected": "rejected",
            "system": "system",
            "history": "history",
        }
