"""Tests of reading what people bring."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.sample import Turn
from datagen.rows import Malformed, Row, read_row, read_rows
from kit.errors import InvalidInputError

EXCHANGE = {"user": "问", "assistant": "答", "style": "傲娇"}


def test_exchange_with_history_in_both_forms() -> None:
    """History is a list of pairs or of objects."""
    for earlier in ([["a", "b"]], [{"user": "a", "assistant": "b"}]):
        assert read_row(EXCHANGE | {"history": earlier}) == Row(
            "问", "答", "傲娇", "", (Turn(user="a", assistant="b"),)
        )


def test_alpaca_row_joins_instruction_and_input() -> None:
    """As LLaMA-Factory joins prompt and query."""
    row = {"instruction": "do", "input": "this", "output": "done", "system": "s", "history": []}
    assert read_row(row) == Row("do\nthis", "done", "", "s")
    assert read_row({"instruction": "", "input": "this", "output": "done"}) == Row("this", "done")


def test_messages_of_both_kinds() -> None:
    """The last exchange is the row, the others are its history, the system message its prompt."""
    openai = {
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"},
            {"role": "assistant", "content": "d"},
        ],
        "style": "tsundere",
    }
    sharegpt = {
        "conversations": [
            {"from": "human", "value": "a"},
            {"from": "gpt", "value": "b"},
            {"from": "human", "value": "c"},
            {"from": "gpt", "value": "d"},
        ],
        "system": "s",
        "style": "tsundere",
    }
    expected = Row("c", "d", "tsundere", "s", (Turn(user="a", assistant="b"),))
    assert read_row(openai) == read_row(sharegpt) == expected


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (3, "must be an object"),
        ({}, "user: missing"),
        ({"user": "a"}, "assistant: missing"),
        ({"user": "a", "assistant": "  "}, "assistant: missing"),
        ({"user": 7, "assistant": "b"}, "user: must be text"),
        (EXCHANGE | {"history": "x"}, "history: must be a list"),
        (EXCHANGE | {"history": [["a"]]}, "pair of texts"),
        (EXCHANGE | {"history": [["a", ""]]}, "pair of texts"),
        (EXCHANGE | {"style": ["x"]}, "style: must be text"),
        ({"output": "x"}, "instruction: missing"),
        ({"instruction": "x"}, "output: missing"),
        ({"messages": "x"}, "list of messages"),
        ({"messages": []}, "end with a reply"),
        ({"messages": [{"role": "user", "content": "a"}]}, "end with a reply"),
        ({"messages": [{"role": "user"}, {}]}, "role and a text"),
        ({"messages": [1, 2]}, "must be an object"),
        (
            {"messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]},
            "take turns",
        ),
    ],
)
def test_row_of_no_known_form_is_malformed(row: object, words: str) -> None:
    """One bad row says what is wrong and does not stop the others."""
    found = read_row(row)
    assert isinstance(found, Malformed)
    assert words in found.detail


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"[]", "no rows"),
        (b'"text"', "not a JSON list"),
        (b"hello", "not JSON"),
        (b'[{"user": "a"},\n {"user": ', "line 2"),
        (b'[{"user": "a\xff"}]', "byte 12 (line 1) is 0xff"),
        (b'[{"user": "a"}]\n[', "line 2"),
        (b'{"user": "a"}\n{"user"', "line 2"),
        (b"[" * 200_000, "line 1"),
        (b"[" + b"9" * 5000 + b"]", "line 1"),
    ],
)
def test_unreadable_file_is_refused_with_the_place(content: bytes, words: str) -> None:
    """The message names the byte or the line."""
    with pytest.raises(InvalidInputError) as caught:
        read_rows(content)
    assert words in caught.value.body.message
    assert caught.value.body.hint


def test_truncated_file_is_told_so() -> None:
    """A file cut anywhere is never read as a shorter one."""
    whole = json.dumps([EXCHANGE] * 3, ensure_ascii=False).encode()
    for end in range(1, len(whole)):
        with pytest.raises(InvalidInputError):
            read_rows(whole[:end])
    with pytest.raises(InvalidInputError) as caught:
        read_rows(whole[:-1])
    assert "truncated" in str(caught.value.body.hint)


def test_json_lines_are_read_too() -> None:
    """One object a line, with or without empty lines between."""
    line = json.dumps(EXCHANGE).encode()
    assert len(read_rows(line + b"\n\n" + line + b"\n")) == 2


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["user", "assistant", "style", "history", "messages", "output"]),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_gives_a_row_or_a_malformed_one(value: object) -> None:
    """No value of any shape raises."""
    assert isinstance(read_row(value), Row | Malformed)
