"""The rules of CONTRIBUTING.md that a program can check."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from repository import ROOT, python_files

FUNCTION_LINES = 40
MODULE_LINES = 300
FORBIDDEN_NAMES = {"utils", "util", "common", "misc", "manager", "base", "core", "helpers"}
# Longer than the rule allows, each with its reason.
LONG_FUNCTIONS: dict[str, str] = {}
LONG_MODULES: dict[str, str] = {}

SOURCES = python_files("libs", "cli", "services", "benchmarks", "scripts", "monitoring")
TESTS = python_files("tests")


def tree(path: Path) -> ast.Module:
    """Return the syntax tree of the file at `path`."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function of the file at `path`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def name(path: Path) -> str:
    """Return the path of a file as it is named in a failure."""
    return path.relative_to(ROOT).as_posix()


def test_functions_are_short() -> None:
    """No function is longer than the limit, docstring and decorators included."""
    long = [
        f"{name(path)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path in SOURCES
        for node in functions(path)
        if node.end_lineno is not None
        and node.end_lineno - node.lineno >= FUNCTION_LINES
        and f"{name(path)}:{node.name}" not in LONG_FUNCTIONS
    ]
    assert not long, "\n".join(long)


def test_modules_are_short() -> None:
    """No module is longer than the limit; a longer one is two concepts."""
    long = [
        f"{name(path)}: {count} lines"
        for path in [*SOURCES, *TESTS]
        if (count := path.read_text(encoding="utf-8").count("\n")) > MODULE_LINES
        and name(path) not in LONG_MODULES
    ]
    assert not long, "\n".join(long)


def test_no_module_is_called_utils() -> None:
    """A module's name says what it holds."""
    bad = [name(path) for path in [*SOURCES, *TESTS] if path.stem in FORBIDDEN_NAMES]
    assert not bad


def test_libraries_and_services_do_not_print() -> None:
    """Services log; only the command line and scripts write to the terminal."""
    found = [
        f"{name(path)}:{node.lineno}"
        for path in python_files("libs", "services")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert not found


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_module_says_what_it_is(path: Path) -> None:
    """Every module opens with a docstring."""
    assert ast.get_docstring(tree(path)), "no module docstring"


def test_public_functions_have_docstrings() -> None:
    """A public function of a library or service says what comes in and goes out.

    Routes are excepted where nested in a factory: their path and types speak for them.
    """
    missing = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path in python_files("libs", "cli", "services")
        for node in public_members(tree(path))
        if not ast.get_docstring(node)
    ]
    assert not missing, "\n".join(missing)


def public_members(
    node: ast.Module | ast.ClassDef,
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Yield public functions and classes of a module, and public methods of its classes."""
    for child in node.body:
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield child
            yield from public_members(child)
        elif (
            isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            and not child.name.startswith("_")
            and not overrides(child)
        ):
            yield child


def overrides(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a method is marked as overriding one that is documented elsewhere."""
    return any(isinstance(d, ast.Name) and d.id == "override" for d in node.decorator_list)


def test_tests_assert() -> None:
    """Every test checks something: it has an assert, or calls something that raises or checks."""
    words = ("raises", "assert", "expect", "check", "warns")
    idle = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path in TESTS
        for node in functions(path)
        if node.name.startswith("test_")
        and not any(isinstance(child, ast.Assert) for child in ast.walk(node))
        and not any(
            isinstance(child, ast.Call) and any(word in ast.dump(child.func) for word in words)
            for child in ast.walk(node)
        )
    ]
    assert not idle, "\n".join(idle)
