"""Tests of names, strictness and schema versions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.dataset import DatasetRequest
from contracts.errors import ErrorBody
from contracts.evaluation import EvaluationManifest
from contracts.identity import new_id, now
from contracts.model import Name, check_name

NAME: TypeAdapter[str] = TypeAdapter(Name)


@pytest.mark.parametrize(
    "name", ["a", "tsundere", "tonesmith.v3", "styled-20260101-0a1b2c", "x" * 64]
)
def test_plain_names_are_kept(name: str) -> None:
    """Lower-case letters, digits, dots, dashes and underscores are safe everywhere."""
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-a",
        ".a",
        "A",
        "a b",
        "a/b",
        "a\\b",
        "a..b",
        "a\x00",
        "a\n",
        "é",
        "con",
        "aux.txt",
        "lpt1",
    ],
)
def test_unsafe_names_are_refused(name: str) -> None:
    """Nothing that is a path, a device or looks different elsewhere."""
    with pytest.raises(ValidationError, match="must match"):
        NAME.validate_python(name)


@settings(deadline=None)
@given(st.text(max_size=70))
def test_accepted_names_are_single_path_segments(name: str) -> None:
    """Whatever is accepted stays one segment, in ASCII, without a leading dot."""
    try:
        check_name(name)
    except ValueError:
        return
    assert name.isascii()
    assert not set(name) & set("/\\\x00 ")
    assert not name.startswith((".", "-"))


def test_unknown_key_is_an_error_where_people_write() -> None:
    """A misspelt option of a request is named, not ignored."""
    with pytest.raises(ValidationError, match="per_stile"):
        DatasetRequest.model_validate({"per_stile": 3})


def test_unknown_key_is_ignored_where_machines_read() -> None:
    """A newer minor version may add fields."""
    body = ErrorBody.model_validate({"code": "a", "message": "b", "trace_id": "c"})
    assert not hasattr(body, "trace_id")


@pytest.mark.parametrize("version", [2, 99, "2", 2.0, 0])
def test_other_schema_version_is_refused(version: object) -> None:
    """A newer major version is refused, however it is spelt."""
    with pytest.raises(ValidationError, match="schema_version"):
        manifest(schema_version=version)


def test_schema_version_may_be_left_out() -> None:
    """The first files had none."""
    assert manifest().schema_version == 1


def manifest(**changes: object) -> EvaluationManifest:
    """Return a small versioned document."""
    return EvaluationManifest.model_validate(
        {"id": "e", "created_at": now(), "files": {}} | changes
    )


def test_documents_do_not_change() -> None:
    """A document that was read cannot be altered by accident."""
    with pytest.raises(ValidationError, match="frozen"):
        manifest().id = "f"  # type: ignore[misc]


def test_new_ids_are_names_and_differ() -> None:
    """An id is readable, sortable by day, and a valid folder name."""
    ids = {new_id("tonesmith") for _ in range(50)}
    assert len(ids) == 50
    assert all(check_name(one).startswith("tonesmith-20") for one in ids)
    assert len(new_id("x" * 99)) <= 64
