"""One run as it goes."""

from contracts.job import Progress
from contracts.run import RunOutput
from fakes.lent import run_job
from fakes.recorded_runs import FLAT, GIB, OVERFIT, recorded, run_log
from ui.texts import texts_in
from ui.training.run_live import OUTPUT_LINES, curves_html, live_html, output_text
from ui.training.source import Training

ZH, EN = texts_in("zh"), texts_in("en")
GOING = {
    "id": "r-20261123-abc123",
    "state": "running",
    "step": 310,
    "max_steps": 900,
    "loss": 0.31,
    "fit": {"card_bytes": 24 * GIB, "predicted_bytes": 20 * GIB, "measured_bytes": 22 * GIB},
}
FIGURES = {
    "eta_seconds": 1500.0,
    "plateau_steps": 60.0,
    "plateau_patience_steps": 100.0,
    "tokens_per_second": 5230.4,
}


def going(figures: dict[str, float] | None = None, **known: object) -> Training:
    """Return a run that goes on, with what its job says."""
    run = recorded(GOING | known)
    job = run_job(run.id, Progress(stage="train", done=310, total=900, figures=figures or FIGURES))
    return Training((run,), run, tuple(run_log(run)), job)


def test_run_tells_how_far_how_fast_and_how_well() -> None:
    """The stage, the steps, what is left; the pace; the best loss; how long it has been flat."""
    page = live_html(EN, going())
    for words in (
        "Training · step 310 of 900 · about 25 min left",
        "5,230",
        EN("run.best_eval"),
        EN("run.patience", steps=60, patience=100),
        EN("run.memory_measured"),
        "22.0 / 24.0 GiB · 92 %",
        EN("run.memory_band"),
    ):
        assert words in page


def test_waiting_run_tells_its_place() -> None:
    """There is nothing else to tell of it."""
    run = recorded({"id": "r", "state": "queued", "queue_place": 2})
    assert EN("queue.place", place=2) in live_html(EN, Training((run,), run))
    assert live_html(EN, Training()) == ""


def test_patience_is_told_where_nothing_stops_for_it() -> None:
    """A run that is to go to its last step says so."""
    request = {"dataset_id": "d", "stop_when_flat": False}
    assert EN("run.patience_only", steps=60, patience=100) in live_html(EN, going(request=request))


def test_curve_marks_the_best_step_and_the_plateau() -> None:
    """While it goes on: the lowest held-out loss so far, and since when it is flat."""
    page = curves_html(EN, going())
    assert EN("run.best_mark", step=280) in page
    assert EN("run.flat_mark", step=250) in page
    assert "run.flat_mark" not in curves_html(EN, going({"plateau_steps": 3.0}))


def test_curve_of_a_run_that_ended_says_why() -> None:
    """At its step, beside the checkpoint that was taken."""
    for known, best in ((FLAT, 380), (OVERFIT, 180)):
        run = recorded(known)
        page = curves_html(EN, Training((run,), run, tuple(run_log(run))))
        assert EN("run.best_mark", step=best) in page
        assert "ts-step-stop" in page


def test_run_without_a_curve_says_so() -> None:
    """What waits has none yet; what broke at once has none at all."""
    for state, key in (("queued", "run.no_curve_yet"), ("failed", "train.no_curve")):
        run = recorded({"id": "r", "state": state})
        assert ZH(key) in curves_html(ZH, Training((run,), run))


def test_output_shows_the_last_lines_as_they_became() -> None:
    """A bar that was drawn over itself is one line; a long log is cut at its beginning."""
    assert (
        output_text(RunOutput(text="loading\n 0%\r 50%\r100%\ndone\r\n")) == "loading\n100%\ndone"
    )
    long = "".join(f"{number}\n" for number in range(1000))
    assert len(output_text(RunOutput(text=long)).split("\n")) <= OUTPUT_LINES
    assert output_text(RunOutput()) == "–"
