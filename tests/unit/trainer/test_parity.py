"""The parity gate: it passes what is equal, and shows what is not."""

from typing import Any

import pytest

from trainer.parity import (
    failures,
    gate_result,
    golden_prompts,
    same_end,
    same_reply,
    same_template,
    same_tokens,
    sure_part,
)

EOS = {
    "trained": "<|im_end|>",
    "trained_ids": [2],
    "exported": "<|im_end|>",
    "exported_id": 2,
    "generation_ids": [2],
}


def side(text: str, **more: Any) -> dict[str, Any]:
    """Return text as tokens, one a character."""
    return {"token_ids": [ord(char) for char in text], "pieces": list(text), **more}


def report(**changes: Any) -> dict[str, Any]:
    """Return an export report in which everything agrees, but for `changes`."""
    golden = {
        "name": "single",
        "messages": [{"role": "user", "content": "你好"}],
        "trained": side("ab"),
        "served": side("ab"),
        "adapter": side("好的", leads=[2.0, 1.0]),
        "merged": side("好的"),
    }
    return {"golden": [golden | changes], "eos": EOS}


def test_equal_sides_pass() -> None:
    """Nothing is found where nothing differs."""
    gate = gate_result(report(), "t", "t")
    assert gate.passed
    assert failures(gate) == ""
    assert {"chat_template", "eos", "token_ids:single", "reply:single"} == {
        check.name for check in gate.checks
    }


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ("line one\nline 2\n", ["-line two", "+line 2"]),
        ("line one\nline two \n", ["-line two", "+line two\\x20"]),
        ("line one\nline two", ["-line two", "+line two␃"]),
        ("line one\nline two\n\n", ["+"]),
        ("line one\r\nline two\n", ["-line one", "+line one\\x0d"]),
    ],
)
def test_template_difference_is_shown_even_if_it_is_blank(found: str, shown: list[str]) -> None:
    """One character is enough, also one that cannot be seen."""
    check = same_template("chat_template", "line one\nline two\n", found)
    assert not check.passed
    assert set(shown) <= set(check.detail.splitlines())


def test_token_difference_shows_both_sides_around_it() -> None:
    """The first different token is marked in its text, with its id on both sides."""
    check = same_tokens("system", side("<s>hello world"), side("<s>helLo world"))
    assert (check.name, check.passed) == ("token_ids:system", False)
    assert "at token 6" in check.detail
    assert f"id {ord('l')} in '<s>hel«l»o worl'" in check.detail
    assert f"id {ord('L')} in '<s>hel«L»o worl'" in check.detail


@pytest.mark.parametrize(("want", "found"), [("abc", "ab"), ("ab", "abc"), ("", "a")])
def test_prompt_that_ends_early_differs(want: str, found: str) -> None:
    """A missing or an added tail is a difference."""
    check = same_tokens("x", side(want), side(found))
    assert not check.passed
    assert "ends after" in check.detail


def test_template_that_cannot_render_fails_with_its_error() -> None:
    """A template error is the difference."""
    broken = {"token_ids": [], "pieces": [], "error": "TemplateSyntaxError: unexpected end"}
    assert same_tokens("x", side(""), broken).detail.startswith("TemplateSyntaxError")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"exported": "</s>"}, "'</s>'"),
        ({"exported_id": 9}, "none of training's"),
        ({"generation_ids": [5]}, "generation_config"),
    ],
)
def test_other_end_token_fails(change: dict[str, Any], said: str) -> None:
    """A model that would not stop where it was trained to stop is refused."""
    check = same_end(EOS | change)
    assert not check.passed
    assert said in check.detail


@pytest.mark.parametrize(("lead", "passed"), [(0.5, False), (1e-5, True)])
def test_replies_may_part_only_at_a_tie(lead: float, passed: bool) -> None:
    """Rounding swaps tokens that are equally likely; anything else is another model."""
    check = same_reply("x", side("好吗", leads=[3.0, lead]), side("好吧"))
    assert check.passed is passed
    assert "at token 1" in check.detail


def test_longer_reply_of_the_merged_model_fails() -> None:
    """A reply that goes on where the adapter's ended is a difference."""
    assert not same_reply("x", side("好", leads=[3.0]), side("好吧")).passed


def test_golden_reply_ends_where_engines_may_differ() -> None:
    """Serving is held to the tokens that are sure, not to coin flips."""
    assert sure_part(side("abcd", leads=[3.0, 1.0, 0.01, 4.0])) == [97, 98]
    assert golden_prompts(report())[0].reply_ids == [ord("好"), ord("的")]
    assert golden_prompts(report())[0].token_ids == [97, 98]
