"""Tests of reading JSON objects in what a model wrote."""

import pytest

from datagen.json_objects import read_objects

ONE, TWO = '{"question": "为什么？", "area": "work"}', '{"question": "How so?"}'
FIRST, SECOND = {"question": "为什么？", "area": "work"}, {"question": "How so?"}


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE}\n{TWO}",
        f"```json\n{ONE}\n{TWO}\n```",
        f"[{ONE}, {TWO}]",
        f'{{"questions": [{ONE}, {TWO}]}}',
        f"Here you are:\n1. {ONE}\n2. {TWO}\nEnjoy!",
        '{\n  "question": "为什么？",\n  "area": "work"\n}\n{\n  "question": "How so?"\n}',
        f"{ONE[:-1]},}}\n{TWO}",
        f"{ONE[:-1]}\n{TWO}",
        "{“question”: “为什么？”, “area”: “work”}\n" + TWO,
        "{'question': '为什么？', 'area': 'work'}\n" + TWO,
    ],
)
def test_objects_are_found_in_every_form(text: str) -> None:
    """Fenced, listed, numbered, printed over lines, with a comma too many or a brace too few."""
    assert read_objects(text) == ([FIRST, SECOND], [])


def test_quotes_inside_a_value_are_kept() -> None:
    """A value ends where the next key begins, not at its first quote."""
    text = '{"question": "She said "never" to me.", "area": "love"}'
    assert read_objects(text) == ([{"question": 'She said "never" to me.', "area": "love"}], [])


def test_line_break_inside_a_value_is_kept() -> None:
    """Models forget to escape it."""
    assert read_objects('{"question": "One.\nTwo."}') == ([{"question": "One.\nTwo."}], [])


@pytest.mark.parametrize(
    "text", ["", "I cannot help with that.", '{"question": "This one was cut o', "{", "{{{{", "[]"]
)
def test_what_cannot_be_read_is_one_broken_piece(text: str) -> None:
    """A value that was cut off is not completed; nothing at all is a piece, too."""
    objects, broken = read_objects(text)
    assert objects == []
    assert broken


def test_broken_object_does_not_take_the_next_one_along() -> None:
    """Each line is by itself."""
    objects, broken = read_objects(f'{{"question": "cut o\n{TWO}')
    assert objects == [SECOND]
    assert len(broken) == 1


def test_deeply_nested_text_is_refused_quickly() -> None:
    """Ten thousand brackets are no question."""
    objects, broken = read_objects('{"question": ' + "[" * 10_000)
    assert objects == []
    assert len(broken) == 1
