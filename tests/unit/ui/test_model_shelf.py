"""Published models."""

from typing import Any

from contracts.artefact import GateCheck, GateResult
from contracts.dataset import Conditioning
from contracts.errors import ErrorBody
from contracts.job import JobState
from fakes.library import shipped_styles
from fakes.live_model import MODEL_ID, current, manifest
from fakes.page_jobs import job
from fakes.train_state import other_model
from trainer import current as board
from ui.texts import texts_in
from ui.training.model_shelf import Shelf, card_html, jobs_html, list_html, status_key

ZH, EN = texts_in("zh"), texts_in("en")
LIVE = manifest(shipped_styles(), Conditioning.SYSTEM)
OTHER = other_model(LIVE, shipped_styles())
SHELF = Shelf((OTHER, LIVE), current(promoted=True))


def test_models_tell_how_they_stand() -> None:
    """Live, staged, the one before, or only kept."""
    assert (status_key(SHELF, LIVE), status_key(SHELF, OTHER)) == ("live", "kept")
    assert SHELF.current
    staged = Shelf(SHELF.models, board.stage(SHELF.current, OTHER))
    assert status_key(staged, OTHER) == "staged"
    promoted = Shelf(SHELF.models, board.promote(SHELF.current, OTHER))
    assert (status_key(promoted, OTHER), status_key(promoted, LIVE)) == ("live", "previous")
    assert promoted.earlier("tonesmith") == 1
    page = list_html(EN, SHELF, MODEL_ID)
    assert page.count("ts-chosen") == 1
    assert EN("models.none") in list_html(EN, Shelf(), "")


def test_model_is_picked_else_the_live_one() -> None:
    """Else the newest."""
    assert SHELF.model(OTHER.id) == OTHER
    assert SHELF.model("gone") == LIVE
    assert Shelf((OTHER, LIVE)).model("") == OTHER
    assert Shelf().model("") is None


def test_card_shows_where_a_model_comes_from() -> None:
    """From the styles' versions over dataset and run to the name that answers."""
    page = card_html(EN, SHELF, LIVE)
    links = [f"{LIVE.styles[0].style.id} v1", LIVE.dataset_id, LIVE.run_id, LIVE.id]
    places = [page.index(link) for link in [*links, "tonesmith.v1"]]
    assert places == sorted(places)
    assert card_html(EN, SHELF, None) == ""


def test_gate_that_failed_is_readable() -> None:
    """Each check that failed with its difference, line by line, and nothing of it is markup."""
    checks = [
        GateCheck(name="eos", passed=False, detail="want <a>\ngot  <b>"),
        OTHER.gate.checks[0],
    ]
    broken = OTHER.model_copy(update={"gate": GateResult(checks=checks)})
    page = card_html(EN, SHELF, broken)
    assert EN("models.gate_failed", failed=1, checks=2) in page
    assert "<pre>want &lt;a&gt;\ngot  &lt;b&gt;</pre>" in page
    assert EN("models.gate_passed", failed=0, checks=2) in card_html(EN, SHELF, OTHER)


def test_orders_tell_how_far_they_are_or_why_they_failed() -> None:
    """The newest first; an export by its form."""
    why = ErrorBody(code="gate_refused", message="no:\n- files: <x>", hint="train again")
    known: dict[str, Any] = {"request": {"model_id": "m", "form": "int8"}}
    jobs = [
        job("p-1", JobState.FAILED, kind="promotion", error=why, request={"model_id": "m"}),
        job("e-1", JobState.RUNNING, age=60, kind="export", **known),
    ]
    page = jobs_html(EN, jobs)
    assert page.index(EN("models.job_promotion")) < page.index(EN("models.job_export"))
    assert "- files: &lt;x&gt;" in page
    assert "train again" in page
    assert jobs_html(EN, []) == ""
