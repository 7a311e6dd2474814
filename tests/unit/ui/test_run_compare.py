"""Runs side by side."""

from fakes.recorded_runs import recorded, recorded_runs, run_log
from ui.texts import texts_in
from ui.training.run_compare import MOST, differences, overlay_html, table_html

ZH, EN = texts_in("zh"), texts_in("en")
RUNS = recorded_runs()
EVENTS = {run.id: run_log(run) for run in RUNS}


def test_each_run_has_a_look_of_its_own() -> None:
    """A colour and dashes; its name; and its best step, on the held-out loss."""
    page = overlay_html(EN, RUNS[:2], EVENTS, "held_out")
    for number, run in enumerate(RUNS[:2]):
        assert f"ts-line-run-{number}" in page
        assert run.id in page
    assert EN("run.best_of", run=RUNS[0].id, step=380) in page
    assert "ts-step-run-0" not in overlay_html(EN, RUNS[:2], EVENTS, "smoothed")


def test_no_more_runs_than_looks() -> None:
    """More lines than that nobody tells apart."""
    many = [run.model_copy(update={"id": f"r-{number}"}) for number, run in enumerate(RUNS * 3)]
    page = overlay_html(EN, many, {run.id: EVENTS[RUNS[0].id] for run in many}, "smoothed")
    assert f"ts-line-run-{MOST - 1}" in page
    assert f"ts-line-run-{MOST}" not in page


def test_runs_without_a_curve_say_so() -> None:
    """A run that broke at once has none."""
    assert ZH("run.compare_no_curve") in overlay_html(ZH, RUNS[2:3], {}, "held_out")


def test_table_tells_results_and_differences() -> None:
    """The lowest loss, the steps, the peak; and only those values that differ."""
    page = table_html(EN, RUNS[:2], EVENTS)
    for words in ("420 / 900", "22.3 GiB · 93 %", "41.7", EN("recipe.batching"), "grouped"):
        assert words in page
    assert EN("recipe.dataset_id") not in page
    assert '<th scope="row">' in page


def test_same_recipes_are_said_to_be_the_same() -> None:
    """Nothing to list is something to know."""
    assert differences([RUNS[0], RUNS[0]]) == []
    assert EN("run.no_difference") in table_html(EN, [RUNS[0], RUNS[0]], EVENTS)


def test_overrides_are_compared() -> None:
    """What one run was asked for and the other was not."""
    other = recorded({"id": "r", "state": "done"})
    request = other.request.model_copy(
        update={"overrides": other.request.overrides.model_copy(update={"lora_rank": 64})}
    )
    found = dict(differences([other, other.model_copy(update={"request": request})]))
    assert found["lora_rank"] == ["", "64"]
