"""Where the engines are found that `make engines` has installed."""

import os
from pathlib import Path

import pytest

from tonesmith.session import Session
from tonesmith.stack.engines import with_engines

BOTH = ("TRAINER_ENGINE_PYTHON", "SERVING_ENGINE_PYTHON")
PATH = {"PATH": os.environ["PATH"]}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose script names an interpreter in its cache, for each engine."""
    (tmp_path / "compose.yaml").touch()
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/environment.sh").write_text('echo "$TONESMITH_CACHE/$1-$2"\n')
    for engine in ("trainer", "serving"):
        (tmp_path / "services" / engine).mkdir(parents=True)
        (tmp_path / "services" / engine / "engine.lock").touch()
        (tmp_path / f"path-{engine}").touch()
    return tmp_path


def test_script_of_the_clone_is_asked(clone: Path) -> None:
    """With the same environment, for the cache may be elsewhere."""
    found = with_engines(PATH | {"TONESMITH_CACHE": str(clone), BOTH[0]: ""}, clone)
    assert [found[name] for name in BOTH] == [f"{clone}/path-trainer", f"{clone}/path-serving"]


def test_engine_that_is_set_is_kept(clone: Path) -> None:
    """Also one that is not there: the error then names what is wrong."""
    environ = PATH | {"TONESMITH_CACHE": str(clone), BOTH[0]: "/mine"}
    assert with_engines(environ, clone)[BOTH[0]] == "/mine"


def test_engine_that_is_not_installed_stays_unset(clone: Path) -> None:
    """The path alone would look like a setting of the user's."""
    environ = PATH | {"TONESMITH_CACHE": "/nowhere"}
    assert with_engines(environ, clone) == environ


def test_script_that_fails_is_no_crash(clone: Path) -> None:
    """As if it were not there."""
    (clone / "scripts/environment.sh").write_text("exit 3\n")
    assert with_engines(PATH, clone) == PATH


def test_script_of_another_project_is_not_run(clone: Path) -> None:
    """Any folder may have one of that name."""
    for engine in ("trainer", "serving"):
        (clone / "services" / engine / "engine.lock").unlink()
    environ = PATH | {"TONESMITH_CACHE": str(clone)}
    assert with_engines(environ, clone) == environ


def test_clone_is_found_from_below(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As its compose file is; screen and the rest of the session stay."""
    monkeypatch.chdir(clone / "scripts")
    session = Session(PATH | {"TONESMITH_CACHE": str(clone)})
    found = session.equipped()
    assert found.settings.trainer_engine_python == clone / "path-trainer"
    assert found.screen is session.screen
