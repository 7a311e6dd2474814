"""One run as it goes: how far, how fast, how well, how full the card is; and its curves (pure)."""

from collections.abc import Mapping, Sequence
from html import escape

from contracts.job import JobState
from contracts.run import RunEvent, RunOutput, RunRecord
from ui.texts import Texts
from ui.training.curve import HELD_OUT, LOSS, SMOOTH, last_step, points, series_of
from ui.training.progress import progress_html, remaining_text
from ui.training.run_chart import Line, Mark, chart_html
from ui.training.run_memory import run_memory_html
from ui.training.runs import UNKNOWN, best_step, ending, figure
from ui.training.source import Training

HOUR, KWH = 3600, 3.6e6
OUTPUT_LINES = 200


def live_html(texts: Texts, training: Training) -> str:
    """Return the figures of the chosen run; nothing without one."""
    run = training.chosen
    if run is None:
        return ""
    figures = figures_of(training)
    facts = "".join(
        f"<div><dt>{escape(texts(f'run.{key}'))}</dt><dd>{escape(value)}</dd></div>"
        for key, value in facts_of(texts, training, figures).items()
        if value
    )
    return (
        f'<div class="ts-live">{head_html(texts, training)}<dl class="ts-run-facts">{facts}</dl>'
        f"{plateau_html(texts, run, figures)}{run_memory_html(texts, run.fit)}</div>"
    )


def figures_of(training: Training) -> dict[str, float]:
    """Return the newest figures: of the log, outweighed by what the job says just now."""
    found: dict[str, float] = {}
    for event in training.events:
        found |= event.figures
    return found | (training.job.progress.figures if training.job else {})


def head_html(texts: Texts, training: Training) -> str:
    """Return where the run is: its stage, its steps as a bar, and the time that is left."""
    run, job = training.chosen, training.job
    if run is None:
        return ""
    words = []
    if run.queue_place:
        words.append(texts("queue.place", place=run.queue_place))
    elif job and job.progress.stage:
        stage = job.progress.stage
        words.append(texts.table.get(f"stage.{stage}", stage))
    if run.max_steps:
        words.append(texts("run.step_of", step=run.step, planned=run.max_steps))
    if left := time_left(texts, training):
        words.append(left)
    said = f"<p>{escape(' · '.join(words))}</p>" if words else ""
    return said + (progress_html(run) if run.state is JobState.RUNNING else "")


def time_left(texts: Texts, training: Training) -> str:
    """Return how long the run takes yet, in words: by its engine, else by the pace of its log."""
    run, job = training.chosen, training.job
    seconds = job.progress.figures.get("eta_seconds") if job else None
    if run is None or run.state is not JobState.RUNNING:
        return ""
    if seconds is None:
        return remaining_text(texts, run, training.events)
    return texts("run.left", time=duration(texts, seconds))


def duration(texts: Texts, seconds: float) -> str:
    """Return a length of time in words."""
    hours, rest = divmod(round(seconds), HOUR)
    if not hours and rest < 60:
        return texts("run.seconds", seconds=rest)
    return texts("run.hours" if hours else "run.minutes", hours=hours, minutes=rest // 60)


def facts_of(texts: Texts, training: Training, figures: Mapping[str, float]) -> dict[str, str]:
    """Return what is known of the run, in words, by the end of the locale key."""
    run = training.chosen
    if run is None:
        return {}
    going = run.state is JobState.RUNNING
    best = best_eval(training.events)
    smooth = points(training.events, "loss_smoothed")
    last = figures.get("loss_smoothed", smooth[-1][1] if smooth else None)
    return {
        "loss_now": figure(run.loss) if run.loss is not None else "",
        "smooth_now": "" if last is None else figure(last),
        "best_eval": f"{best[1]:.4f} · {texts('run.at_step', step=best[0])}" if best else "",
        "tokens_second": rate(figures, "tokens_per_second"),
        "step_seconds": plain(figures, "step_seconds_ewma") if going else "",
        "learning_rate": plain(figures, "learning_rate") if going else "",
        "epoch": f"{figures['epoch']:.2f}" if "epoch" in figures else "",
        "took": took(texts, run),
        "energy": f"{run.energy_joules / KWH:.2f} kWh" if run.energy_joules else "",
        "cost": f"$ {run.cost_dollars:.2f}" if run.cost_dollars else "",
        "resumed": ", ".join(str(step) for step in run.resumed_from),
    }


def took(texts: Texts, run: RunRecord) -> str:
    """Return how long a run that has ended took."""
    if not run.started_at or not run.ended_at:
        return ""
    return duration(texts, (run.ended_at - run.started_at).total_seconds())


def rate(figures: Mapping[str, float], name: str) -> str:
    """Return a rate with its thousands apart."""
    return f"{figures[name]:,.0f}" if name in figures else ""


def plain(figures: Mapping[str, float], name: str) -> str:
    """Return a figure as it is."""
    return f"{figures[name]:.3g}" if name in figures else ""


def best_eval(events: Sequence[RunEvent]) -> tuple[int, float] | None:
    """Return step and value of the lowest held-out loss."""
    return min(points(events, "eval_loss"), key=lambda point: point[1], default=None)


def plateau_html(texts: Texts, run: RunRecord, figures: Mapping[str, float]) -> str:
    """Return how long the loss has not fallen, against the patience after which the run stops."""
    steps, patience = figures.get("plateau_steps"), figures.get("plateau_patience_steps")
    if run.state is not JobState.RUNNING or steps is None or not patience:
        return ""
    key = "run.patience" if run.request.stop_when_flat else "run.patience_only"
    said = texts(key, steps=round(steps), patience=round(patience))
    share = min(steps / patience, 1.0)
    return (
        f'<div class="ts-patience"><p>{escape(said)}</p>'
        f'<span class="ts-bar" aria-hidden="true"><i style="width:{share:.1%}"></i></span></div>'
    )


def curves_html(texts: Texts, training: Training) -> str:
    """Return the chart of the chosen run: losses, best step, where it went flat or ended."""
    run = training.chosen
    if run is None:
        return ""
    found = series_of(training.events)
    lines = [
        Line(name, texts(f"train.{name}"), found[name])
        for name in (LOSS, SMOOTH, HELD_OUT)
        if name in found
    ]
    chart = chart_html(lines, marks_of(texts, training), last_step(run) or 0, texts("run.axis"))
    return chart or f'<p class="ts-run-none">{escape(texts(empty_key(run)))}</p>'


def empty_key(run: RunRecord) -> str:
    """Return the key of the sentence for a run without a curve."""
    return "train.no_curve" if run.state.final else "run.no_curve_yet"


def marks_of(texts: Texts, training: Training) -> list[Mark]:
    """Return the steps that are marked."""
    run, figures, found = training.chosen, figures_of(training), []
    if run is None:
        return []
    best, lowest = best_step(run), best_eval(training.events)
    step = best if best is not None else lowest[0] if lowest else None
    if step:
        found.append(Mark("best", texts("run.best_mark", step=step), step))
    flat = figures.get("plateau_steps", 0.0) if run.state is JobState.RUNNING else 0.0
    if flat and run.step > flat and flat >= figures.get("plateau_patience_steps", flat * 3) / 2:
        since = round(run.step - flat)
        found.append(Mark("flat", texts("run.flat_mark", step=since), since))
    if run.stop:
        found.append(Mark("stop", ending(texts, run), run.stop.step))
    return found


def output_text(output: RunOutput) -> str:
    """Return the last lines of what an engine wrote; of a line written over, what it became."""
    lines = [line.rsplit("\r", 1)[-1] for line in output.text.replace("\r\n", "\n").split("\n")]
    return "\n".join(lines[-OUTPUT_LINES:]).strip("\n") or UNKNOWN
