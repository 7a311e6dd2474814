"""A style card from rows that show a tone."""

import json
from typing import Any

import pytest

from datagen.persona_packs import read_draft
from kit.errors import InvalidInputError

ALPACA = {"instruction": "好累", "input": "", "output": "哼！快去睡。听到没！", "system": "傲娇"}
SHAREGPT = {
    "conversations": [
        {"from": "system", "value": "傲娇"},
        {"from": "human", "value": "好累"},
        {"from": "gpt", "value": "哼！快去睡。听到没！"},
    ]
}
MESSAGES = {
    "messages": [
        {"role": "system", "content": "傲娇"},
        {"role": "user", "content": "好累"},
        {"role": "assistant", "content": "哼！快去睡。听到没！"},
    ]
}


@pytest.mark.parametrize("row", [ALPACA, SHAREGPT, MESSAGES])
@pytest.mark.parametrize("lines", [True, False])
def test_rows_become_examples_openers_and_closers(row: dict[str, Any], lines: bool) -> None:
    """As a JSON list or as lines; what they do not say is left to a person."""
    text = "\n".join([json.dumps(row)] * 2) if lines else json.dumps([row, 3, {}])
    draft = read_draft(text.encode())
    assert draft.source == "exchanges"
    assert draft.draft["examples"][0] == {"user": "好累", "assistant": "哼！快去睡。听到没！"}
    assert draft.draft["lexicon"] == {"openers": ["哼！"], "closers": ["听到没！"]}
    assert draft.draft["system_prompt"] == "傲娇"
    assert draft.draft["language"] == "zh"
    assert {problem.field for problem in draft.problems} >= {"names", "description", "traits"}


@pytest.mark.parametrize("rows", [[], [1], [{"a": "b"}], [{"messages": [{"role": "user"}]}]])
def test_rows_without_an_exchange_are_refused(rows: list[Any]) -> None:
    """With what they should look like."""
    with pytest.raises(InvalidInputError, match="no row has"):
        read_draft(json.dumps(rows).encode())
