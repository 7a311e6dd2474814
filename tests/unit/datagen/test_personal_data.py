"""Tests of personal data: found in the forms that people write, masked in place."""

import re
from pathlib import Path

import pytest
import yaml

from datagen.personal_data import STAND_INS, card_checks, find_personal_data, id_checks, mask

SENTENCES: dict[str, list[str]] = yaml.safe_load(
    (Path(__file__).parents[2] / "data" / "personal_data.yaml").read_text(encoding="utf-8")
)
MARK = re.compile(r"\[\[(\w+)\|(.*?)\]\](?!\])")


@pytest.mark.parametrize("marked", SENTENCES["found"])
def test_personal_data_is_found_at_its_place(marked: str) -> None:
    """Kind, start and end are those that the sentence is marked with."""
    match = MARK.search(marked)
    assert match is not None
    text = marked[: match.start()] + match[2] + marked[match.end() :]
    found = [(one.kind, text[one.start : one.end]) for one in find_personal_data(text)]
    assert found == [(match[1], match[2])]


@pytest.mark.parametrize("text", [*SENTENCES["none"], *SENTENCES["missed"]])
def test_harmless_numbers_are_left_alone(text: str) -> None:
    """Dates, scores, prices, public lines; and what we know not to find."""
    assert find_personal_data(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("打我电话13800138000吧！", "打我电话某个电话号码吧！"),
        ("发到a@example.com，或者QQ：12345678。", "发到某个邮箱，或者QQ：某个账号。"),
        ("没有什么可遮的。", "没有什么可遮的。"),
    ],
)
def test_masking_keeps_the_sentence(text: str, expected: str) -> None:
    """Only the data goes; words stand in, since a model would learn to write marks."""
    assert mask(text, "zh")[0] == expected


def test_masking_names_the_kinds() -> None:
    """Each kind once, sorted; a second pass finds nothing more."""
    text, kinds = mask("Call (415) 555-0132 or 212-555-0187, or mail a@example.com.", "en")
    assert kinds == ["email", "phone"]
    assert text == "Call a phone number or a phone number, or mail an e-mail address."
    assert mask(text, "en") == (text, [])


def test_stand_ins_hold_no_personal_data() -> None:
    """Both languages have a word for every kind."""
    assert STAND_INS["zh"].keys() == STAND_INS["en"].keys()
    for words in STAND_INS.values():
        assert not any(find_personal_data(word) for word in words.values())


def test_check_digits_decide() -> None:
    """A number with the wrong check digit is just a number."""
    assert card_checks("4111111111111111")
    assert not card_checks("4111111111111112")
    assert not card_checks("0000000000000000")
    assert id_checks("11010519491231002X")
    assert not id_checks("110105194912310021")
    assert find_personal_data("流水号4111111111111112已受理") == []
