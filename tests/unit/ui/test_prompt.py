"""What a model is sent."""

import pytest

from contracts.dataset import Conditioning
from contracts.sample import Message
from fakes.library import shipped_styles
from ui.chat.prompt import chat_messages, system_prompt, visible_reply

STYLES = [entry.style for entry in shipped_styles()]
STYLE = STYLES[0]
HISTORY = [Message(role="user", content="a"), Message(role="assistant", content="b")]


def roles(conditioning: Conditioning) -> list[str]:
    """Return the roles of the messages for one question with history."""
    return [message.role for message in chat_messages(STYLE, conditioning, HISTORY, "c")]


@pytest.mark.parametrize("conditioning", [Conditioning.SYSTEM, Conditioning.BOTH])
def test_system_prompt_goes_first_when_the_model_was_trained_with_one(
    conditioning: Conditioning,
) -> None:
    """The style's own prompt, unchanged, then what was said, then the question."""
    messages = chat_messages(STYLE, conditioning, HISTORY, "c")
    assert roles(conditioning) == ["system", "user", "assistant", "user"]
    assert messages[0].content == STYLE.system_prompt
    assert messages[-1].content == "c"


@pytest.mark.parametrize("conditioning", [Conditioning.PREFIX, Conditioning.NONE])
def test_no_system_prompt_is_sent_when_the_model_was_trained_without(
    conditioning: Conditioning,
) -> None:
    """A model never sees a message that its training did not have."""
    assert roles(conditioning) == ["user", "assistant", "user"]
    assert system_prompt(STYLE, conditioning) == ""


def test_no_system_prompt_is_sent_when_there_is_no_style() -> None:
    """Without any style the question goes alone."""
    messages = chat_messages(None, Conditioning.SYSTEM, [], "c")
    assert [message.role for message in messages] == ["user"]


@pytest.mark.parametrize("line", ["傲娇", "tsundere", "【傲娇】", "Tsundere:", " 傲娇 "])
def test_style_name_is_hidden_when_the_model_writes_it_first(line: str) -> None:
    """The first line only tells the style; the reader sees the reply."""
    assert visible_reply(f"{line}\n哼！", Conditioning.PREFIX, STYLES) == "哼！"


@pytest.mark.parametrize("text", ["傲娇是什么\n哼！", "哼！", "傲娇", "哼！\n傲娇\n哼"])
def test_reply_is_untouched_when_its_first_line_is_no_style_name(text: str) -> None:
    """A sentence that mentions a style, or has no second line yet, stays."""
    assert visible_reply(text, Conditioning.BOTH, STYLES) == text


@pytest.mark.parametrize("conditioning", [Conditioning.SYSTEM, Conditioning.NONE])
def test_reply_is_untouched_when_the_model_has_no_prefix(conditioning: Conditioning) -> None:
    """Only a model that was trained to name its style has the name taken away."""
    assert visible_reply("傲娇\n哼！", conditioning, STYLES) == "傲娇\n哼！"
