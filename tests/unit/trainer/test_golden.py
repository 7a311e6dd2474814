"""The golden conversations that ship."""

from contracts.style import Style, StyleVersion
from fakes.training import STYLE
from repository import ROOT
from trainer.golden import conversations

SHIPPED = ROOT / "services/trainer/golden/prompts.yaml"
STYLES = [StyleVersion(version=1, style=Style.model_validate(STYLE))]


def test_shipped_conversations_cover_what_differs_in_practice() -> None:
    """Single turns, three turns, a system prompt, no content, both languages; each ends asking."""
    found = {each["name"]: each["messages"] for each in conversations(SHIPPED, STYLES)}
    assert {"single-zh", "single-en", "system", "history", "empty"} <= set(found)
    assert all(messages[-1]["role"] == "user" for messages in found.values())
    assert len(found["history"]) == 5
    assert found["empty"][0]["content"] == ""


def test_system_prompt_is_that_of_the_first_style() -> None:
    """The prompt that the model will really get is among the golden ones."""
    found = {each["name"]: each["messages"] for each in conversations(SHIPPED, STYLES)}
    assert found["system"][0] == {"role": "system", "content": "你说话傲娇。"}
    assert "{system}" not in str(found)
    assert conversations(SHIPPED, [])
