"""The page's words."""

import ast
import re
import string
from pathlib import Path

import pytest

import ui
from contracts.style import Language
from ui.texts import LANGUAGES, accepted_language, as_language, texts_in

SOURCE = Path(ui.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# How a language names itself is the same in every language; brackets that a model may write.
NOT_TRANSLATED = {"中文", " []【】:："}


def placeholders(text: str) -> set[str]:
    """Return the names of the placeholders in `text`."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_languages_have_the_same_keys() -> None:
    """What is said in one language is said in the other."""
    assert set(texts_in("zh").table) == set(texts_in("en").table)


def test_languages_have_the_same_placeholders() -> None:
    """A value that one language shows is shown by the other."""
    zh, en = texts_in("zh"), texts_in("en")
    different = [key for key in zh.table if placeholders(zh(key)) != placeholders(en(key))]
    assert not different


def test_every_text_is_used() -> None:
    """A key that no code names is dead: full names, or the start of a computed one."""
    code = "".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    computed = ("notice.", "problem.", "stage.", "tab.", "chat.", "run.", "train.")
    computed += ("alert.", "dashboard.", "failure.", "gpu.", "health.", "service.", "store.")
    unused = [
        key
        for key in texts_in("zh").table
        if f'"{key}"' not in code and f"'{key}'" not in code and not key.startswith(computed)
    ]
    assert not unused


def test_code_holds_no_chinese() -> None:
    """Words for people are in the locales, never in the code."""
    found = [
        f"{path.name}: {node.value}"
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and CHINESE.search(node.value)
        and node.value not in NOT_TRANSLATED
    ]
    assert not found


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty(language: Language) -> None:
    """Every key says something."""
    assert all(text.strip() for text in texts_in(language).table.values())


def test_placeholders_are_filled_when_values_are_given() -> None:
    """A text takes its values."""
    assert "4000" in texts_in("en")("problem.too_long", limit=4000)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9", "en"),
        ("fr-FR,fr;q=0.9,en;q=0.8", "en"),
        ("", "zh"),
        ("*", "zh"),
    ],
)
def test_browser_language_is_taken_when_the_page_speaks_it(header: str, language: str) -> None:
    """The first language of the browser that the page speaks, else Chinese."""
    assert accepted_language(header) == language


@pytest.mark.parametrize("value", [None, "", "fr", 3, "../zh", ["zh"]])
def test_unknown_language_is_none(value: object) -> None:
    """Only a language with a locale counts."""
    assert as_language(value) is None
