"""No text of a client keeps a string that is a control token."""

from hypothesis import given, settings
from hypothesis import strategies as st

from serving.engine.control_tokens import USUAL, neutraliser

ADDED = ("<|im_start|>", "<|im_end|>", "<tool>", "<a>", "a>b", "  ", "\n", "x")
TOKENS = [token for token in (*USUAL, *ADDED) if len(token) > 1 and token.strip()]
neutralise = neutraliser(ADDED)


def test_token_is_broken_visibly() -> None:
    """The text keeps every character and gains one space."""
    assert neutralise("a <|im_start|> b") == "a < |im_start|> b"


def test_ordinary_text_stays_as_it_is() -> None:
    """White space, single letters and half tokens are no control tokens."""
    text = "1 < 2 |  x\n\n<|im_ start|> 你好 ♡"
    assert neutralise(text) == text


def test_overlapping_tokens_are_all_broken() -> None:
    """Breaking one token must not leave the next one whole."""
    assert "a>b" not in neutralise("<a>b")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*TOKENS, "<", "|", ">", "im_end", " ", "<|im_", "end|>"])))
def test_no_token_survives_in_any_order(pieces: list[str]) -> None:
    """Pieces that join to tokens, nested and side by side, are all broken."""
    out = neutralise("".join(pieces))
    assert not [token for token in TOKENS if token in out]
