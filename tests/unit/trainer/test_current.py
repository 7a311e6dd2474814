"""What serving must serve: staging, promoting, rolling back, forgetting."""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.artefact import CurrentModel, ModelManifest
from contracts.volume import Volume
from kit.errors import ConflictError, NotFoundError
from trainer.current import Board, first, listed, promote, rollback, stage


def model(number: int, *, name: str = "tonesmith", base: str = "starter") -> ModelManifest:
    """Return a manifest as far as these transitions look at it."""
    return ModelManifest.model_construct(
        id=f"{name}-{number}", name=name, kind="adapter", base=type("Base", (), {"name": base})()
    )


def served(current: CurrentModel) -> list[str]:
    """Return the served names of all versions."""
    return [each.served_name for each in current.versions]


def test_nothing_is_served_at_first_but_the_base() -> None:
    """Generation 0 names the base, so that serving can start."""
    current = first("starter")
    assert (current.generation, current.base, current.versions) == (0, "starter", [])


def test_staging_adds_a_version_and_moves_no_alias() -> None:
    """A staged version can be asked by name; nobody gets it unasked."""
    current = stage(first("starter"), model(1))
    assert (served(current), current.aliases, current.generation) == (["tonesmith.v1"], {}, 1)
    assert stage(current, model(1)) == current


def test_whole_model_is_not_promoted() -> None:
    """Serving could not load it, and the alias would answer with an error."""
    whole = model(1).model_copy(update={"kind": "base"})
    for transition in (stage, promote):
        with pytest.raises(ConflictError, match="whole model") as caught:
            transition(first("starter"), whole)
        assert "MODELS_DIR" in str(caught.value.body.hint)


def test_promotion_flips_the_alias_and_remembers_what_was_before() -> None:
    """The second promotion can be taken back, and taken back again."""
    current = promote(promote(first("starter"), model(1)), model(2))
    assert (current.aliases, current.previous) == ({"tonesmith": 2}, {"tonesmith": 1})
    back = rollback(current, "tonesmith")
    assert (back.aliases, back.previous) == ({"tonesmith": 1}, {"tonesmith": 2})
    assert rollback(back, "tonesmith").aliases == {"tonesmith": 2}
    assert promote(current, model(2)) == current


def test_forgotten_are_versions_that_nobody_needs() -> None:
    """Kept: the current, the previous, the newest."""
    current = first("starter")
    for number in (1, 2, 3):
        current = promote(current, model(number))
    assert served(current) == ["tonesmith.v2", "tonesmith.v3"]
    for number in (4, 5):
        current = stage(current, model(number))
    assert served(current) == ["tonesmith.v2", "tonesmith.v3", "tonesmith.v5"]
    assert served(stage(current, model(4))) == ["tonesmith.v2", "tonesmith.v3", "tonesmith.v6"]


def test_names_do_not_disturb_each_other() -> None:
    """Each name counts its own versions."""
    current = promote(promote(first("starter"), model(1)), model(1, name="other"))
    assert current.aliases == {"tonesmith": 1, "other": 1}


def test_model_on_another_base_is_refused_while_one_is_served() -> None:
    """Its adapter would not fit; before the first version the base may still be chosen."""
    assert stage(first("starter"), model(1, base="big")).base == "big"
    with pytest.raises(ConflictError, match="'big'"):
        stage(promote(first("starter"), model(1)), model(2, base="big"))


def test_rollback_needs_something_to_go_back_to() -> None:
    """The error says what is served, or that nothing came before."""
    with pytest.raises(NotFoundError, match="known: none"):
        rollback(first("starter"), "tonesmith")
    with pytest.raises(ConflictError, match="no earlier version"):
        rollback(promote(first("starter"), model(1)), "tonesmith")


@given(st.lists(st.tuples(st.sampled_from(["stage", "promote", "rollback"]), st.integers(1, 5))))
def test_every_alias_names_a_listed_version(steps: list[tuple[str, int]]) -> None:
    """Whatever happens, what is named is there, and generations only grow."""
    current = first("starter")
    for action, number in steps:
        before = current.generation
        if action == "stage":
            current = stage(current, model(number))
        elif action == "promote":
            current = promote(current, model(number))
            assert listed(current, f"tonesmith-{number}")
        elif current.previous:
            current = rollback(current, "tonesmith")
        versions = [each.version for each in current.versions]
        assert set(current.aliases.values()) | set(current.previous.values()) <= set(versions)
        assert len(versions) == len(set(versions)) <= 3
        assert current.generation >= before


def test_writers_take_turns(tmp_path: Path) -> None:
    """No change of two at the same time is lost."""
    board = Board(Volume(tmp_path), "starter")
    threads = [
        threading.Thread(
            target=lambda n=number: board.change(
                lambda now: promote(now, model(1, name=f"name-{n}"))
            )
        )
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shown = board.show()
    assert len(shown.aliases) == 8
    assert shown.generation == 16
    assert Volume(tmp_path).current_model() == shown
