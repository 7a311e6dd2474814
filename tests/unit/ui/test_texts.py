"""The page's words."""

import ast
import json
import re
import string
from pathlib import Path

import pytest

import ui
from contracts.style import Language
from ui.texts import FOLDER, LANGUAGES, accepted_language, as_language, files_of, texts_in

SOURCE = Path(ui.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# The start of a key whose end is computed.
COMPUTED = re.compile(r"""\bf["']([a-z_]+\.)\{""")
# What a component shows as words, and the components whose value, or first argument, is shown.
SHOWN = frozenset({"label", "info", "placeholder", "title", "description"})
SAYING = frozenset(
    {"Accordion", "Button", "DownloadButton", "HTML", "Markdown", "Tab", "UploadButton"}
)
# A name is a name in every language.
NAMES = {"Tonesmith"}
# How a language names itself is the same in every language; brackets that a model may write.
NOT_TRANSLATED = {"中文", " []【】:："}


def placeholders(text: str) -> set[str]:
    """Return the names of the placeholders in `text`."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def keys_of(path: Path) -> list[str]:
    """Return the keys of a file, each as often as it stands there."""
    pairs = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=list)
    return [key for key, _ in pairs]


def test_languages_have_the_same_keys_in_the_same_files() -> None:
    """What is said in one language is said in the other, and stands in the same place."""
    zh, en = [
        {
            path.relative_to(FOLDER).as_posix().removeprefix(language): keys_of(path)
            for path in files_of(language)
        }
        for language in LANGUAGES
    ]
    assert {"chat", "train", "monitor"} <= {name[1:].removesuffix(".json") for name in zh}
    assert {name: sorted(keys) for name, keys in zh.items()} == {
        name: sorted(keys) for name, keys in en.items()
    }
    assert set(texts_in("zh").table) == set(texts_in("en").table)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_is_said_twice(language: Language) -> None:
    """Neither in one file nor in two: which of them holds would depend on their order."""
    keys = [key for path in files_of(language) for key in keys_of(path)]
    assert len(keys) == len(set(keys)) == len(texts_in(language).table)


def test_languages_have_the_same_placeholders() -> None:
    """A value that one language shows is shown by the other."""
    zh, en = texts_in("zh"), texts_in("en")
    different = [key for key in zh.table if placeholders(zh(key)) != placeholders(en(key))]
    assert not different


def test_every_text_is_used() -> None:
    """A key that no code names is dead: full names, or the start of a computed one."""
    code = "".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    computed = tuple(COMPUTED.findall(code))
    assert "tab." in computed
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


def literals(node: ast.AST) -> list[str]:
    """Return the literal text in an argument, of an f-string its constant parts."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    values = [part.value for part in parts if isinstance(part, ast.Constant)]
    return [value for value in values if isinstance(value, str)]


def shown_arguments(call: ast.Call) -> list[ast.AST]:
    """Return the arguments of `gr.Something(...)` that a reader would see as words."""
    kind = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    named = SHOWN | {"value"} if kind in SAYING else SHOWN
    first = call.args[:1] if kind in SAYING else []
    return [*first, *(word.value for word in call.keywords if word.arg in named)]


def is_component(node: ast.AST) -> bool:
    """Return whether a node is a call `gr.Something(...)`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "gr"
    )


def test_no_component_is_given_words() -> None:
    """They come by `render`, out of the locales, so that a change of language reaches all."""
    found = [
        f"{path.name}: {text}"
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and is_component(node)
        for argument in shown_arguments(node)
        for text in literals(argument)
        if re.search("[A-Za-z]", text) and text not in NAMES
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
