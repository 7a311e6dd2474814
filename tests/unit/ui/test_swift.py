"""The script of Gradio's client that the page serves otherwise."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from ui import swift
from ui.swift import SWIFT, WALK, swift_router, swift_scripts


def test_installed_gradio_has_the_walk_in_one_script() -> None:
    """A version that has it elsewhere, or not at all, has to be looked at anew."""
    ((name, text),) = swift_scripts().items()
    assert name.startswith("core-")
    assert WALK not in text
    assert SWIFT in text
    original = (swift.ASSETS / name).read_text(encoding="utf-8")
    assert text.replace(SWIFT, WALK) == original


def test_script_is_served_in_place_of_gradios() -> None:
    """As a script, and asked for again each time: its name does not change with its content."""
    app = FastAPI()
    app.include_router(swift_router())
    ((name, text),) = swift_scripts().items()
    answer = TestClient(app).get(f"/assets/{name}")
    assert answer.text == text
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-cache"


def test_unknown_script_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page then works as Gradio made it."""
    (tmp_path / "core-new.js").write_text("export const nothing = 0")
    monkeypatch.setattr(swift, "ASSETS", tmp_path)
    assert swift_scripts() == {}
    assert not swift_router().routes
