"""The run that goes on, or the last one: how far, how well, and how long yet (pure)."""

from collections.abc import Sequence
from html import escape

from contracts.job import JobState
from contracts.run import RunEvent, RunRecord
from ui.texts import Texts
from ui.training.runs import COMMAND, UNKNOWN, ending, figure, note, state_html
from ui.training.source import Training

# The last points of the log from which the pace is taken: a run's pace changes, as its rows do.
PACE_POINTS = 20
MINUTE, HOUR = 60, 3600


def run_html(texts: Texts, training: Training) -> str:
    """Return one run in short; a sentence where there is none, or nobody answers."""
    title = f"<h3>{escape(texts('monitor.run'))}</h3>"
    run = training.chosen
    if training.runs is None:
        return title + note(texts("train.down"), texts("train.down_hint"), "tonesmith up")
    if run is None:
        return title + note(texts("train.none"), texts("train.none_hint"), COMMAND)
    facts = {
        "train.steps": f"{run.step} / {run.max_steps}" if run.max_steps else UNKNOWN,
        "train.loss": figure(run.loss),
        "train.held_out": figure(run.eval_loss),
        "monitor.remaining": remaining_text(texts, run, training.events),
        "train.why": ending(texts, run),
    }
    known = "".join(
        f"<dt>{escape(texts(key))}</dt><dd>{escape(value)}</dd>"
        for key, value in facts.items()
        if value
    )
    return (
        f'{title}<div class="ts-run"><h4>{state_html(texts, run)} <code>{escape(run.id)}</code>'
        f"</h4>{progress_html(run)}<dl>{known}</dl></div>"
    )


def progress_html(run: RunRecord) -> str:
    """Return how far a run is, as a bar; its figures stand beside it in words."""
    if not run.max_steps:
        return ""
    done = min(run.step / run.max_steps, 1.0)
    return f'<span class="ts-bar" aria-hidden="true"><i style="width:{done:.1%}"></i></span>'


def remaining_text(texts: Texts, run: RunRecord, events: Sequence[RunEvent]) -> str:
    """Return how long a run takes yet, in words; nothing where that is not known."""
    seconds = remaining_seconds(run, events)
    if seconds is None:
        return ""
    if seconds < MINUTE:
        return texts("monitor.soon")
    hours, rest = divmod(round(seconds), HOUR)
    values = {"hours": hours, "minutes": rest // MINUTE}
    return texts("monitor.hours" if hours else "monitor.minutes", **values)


def remaining_seconds(run: RunRecord, events: Sequence[RunEvent]) -> float | None:
    """Return the seconds that the planned steps take at the pace of the last log lines.

    None unless the run goes on and has logged twice since it started or was resumed. Where it
    stops early, it takes less.
    """
    if run.state is not JobState.RUNNING or not run.max_steps:
        return None
    logged = since_resumed([event for event in events if event.kind == "log"])[-PACE_POINTS:]
    if len(logged) < 2:
        return None
    steps = logged[-1].step - logged[0].step
    seconds = (logged[-1].at - logged[0].at).total_seconds()
    left = max(run.max_steps - run.step, 0)
    return left * seconds / steps if steps > 0 and seconds > 0 else None


def since_resumed(events: Sequence[RunEvent]) -> list[RunEvent]:
    """Return the events since the last time at which the clock or the steps went back."""
    found: list[RunEvent] = []
    for event in events:
        if found and (event.step < found[-1].step or event.at < found[-1].at):
            found = []
        found.append(event)
    return found
