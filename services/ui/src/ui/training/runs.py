"""Training runs in the reader's words: the list, and one run with why it ended (pure)."""

from collections.abc import Sequence
from html import escape

from contracts.job import JobState
from contracts.run import Fit, RunRecord
from ui.texts import Texts
from ui.training.run_words import said
from ui.training.source import Training

GIB = 1 << 30
UNKNOWN = "–"
COMMAND = "tonesmith train --dataset DATASET"
COLUMNS = ("name", "state", "steps", "loss", "held_out", "batching", "best", "why")
# Figures of LLaMA-Factory's evaluation, with or without its prefix.
METRICS = {"perplexity": "PPL", "bleu-4": "BLEU-4", "rouge-l": "ROUGE-L"}
PREFIXES = ("predict_", "eval_")


def list_html(texts: Texts, training: Training) -> str:
    """Return the latest runs as a table; a sentence where there are none, or nobody answers."""
    if training.runs is None:
        return note(texts("train.down"), texts("train.down_hint"), "tonesmith up")
    if not training.runs:
        return note(texts("train.none"), texts("train.none_hint"), COMMAND)
    chosen = training.chosen.id if training.chosen else ""
    head = "".join(
        f'<th scope="col" class="ts-{key}">{escape(texts(f"train.{key}"))}</th>' for key in COLUMNS
    )
    rows = "".join(row_html(texts, run, chosen=run.id == chosen) for run in training.runs)
    label = escape(texts("train.name"))
    return (
        f'<div class="ts-roll" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="ts-runs"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def note(sentence: str, hint: str, command: str) -> str:
    """Return a notice with what to type."""
    return (
        f'<div class="ts-notice" role="status"><strong>{escape(sentence)}</strong>'
        f'<p>{escape(hint)}</p><div class="ts-commands"><code>{escape(command)}</code></div></div>'
    )


def row_html(texts: Texts, run: RunRecord, *, chosen: bool) -> str:
    """Return a run as a row; on a phone each cell says what it is."""
    cells = (
        f"<code>{escape(run.id)}</code>",
        state_html(texts, run),
        f"{run.step} / {run.max_steps}" if run.max_steps else UNKNOWN,
        figure(run.loss),
        figure(run.eval_loss),
        batching(texts, run),
        UNKNOWN if best_step(run) is None else str(best_step(run)),
        escape(ending(texts, run)) or UNKNOWN,
    )
    row = "".join(
        f'<td class="ts-{key}" data-label="{escape(texts(f"train.{key}"))}">{cell}</td>'
        for key, cell in zip(COLUMNS, cells, strict=True)
    )
    return f'<tr class="ts-chosen">{row}</tr>' if chosen else f"<tr>{row}</tr>"


def state_html(texts: Texts, run: RunRecord) -> str:
    """Return a run's state with its mark, and its place while it waits."""
    said = texts(f"run.{run.state}")
    if run.queue_place:
        said += f" · {texts('queue.short', place=run.queue_place)}"
    return f'<span class="ts-state ts-is-{run.state}">{escape(said)}</span>'


def batching(texts: Texts, run: RunRecord) -> str:
    """Return how the rows of a run share a batch."""
    return escape(texts(f"run.{run.fit.batching}")) if run.fit else UNKNOWN


def best_step(run: RunRecord) -> int | None:
    """Return the step that was taken, or None while that is open."""
    return run.stop.best_step if run.best_step is None and run.stop else run.best_step


def planned_steps(run: RunRecord) -> int:
    """Return how many steps the run was to make."""
    saved = run.stop.step + run.stop.saved_steps if run.stop else 0
    return max(run.max_steps, saved)


def ending(texts: Texts, run: RunRecord) -> str:
    """Return why a run ended, or nothing while it goes on."""
    if run.stop:
        values = {"step": run.stop.step, "planned": planned_steps(run)}
        return texts(f"run.{run.stop.reason}", **values)
    if run.state is JobState.DONE:
        return texts("run.whole", step=run.step)
    if not run.state.final:
        return ""
    return texts("run.broken", step=run.step, why=failure(texts, run))


def failure(texts: Texts, run: RunRecord) -> str:
    """Return why a run broke: a known code in the reader's words, else the trainer's own."""
    if not run.error:
        return texts(f"run.{run.state}")
    return texts.table.get(f"failure.{run.error.code}", run.error.message)


def card_html(texts: Texts, run: RunRecord | None) -> str:
    """Return one run: why it ended first, then what it was made of."""
    if run is None:
        return ""
    why = ending(texts, run)
    facts = [
        ("model", run.model_id or ""),
        ("dataset", run.request.dataset_id),
        ("recipe", f"{run.request.recipe} · {run.request.base_model.rsplit('/', 1)[-1]}"),
        ("best", "" if best_step(run) is None else str(best_step(run))),
        ("fit", fit_text(texts, run.fit) if run.fit else ""),
        ("memory", memory_text(texts, run.fit) if run.fit else ""),
        ("metrics", metrics_text(run.metrics)),
    ]
    known = "".join(
        f"<dt>{escape(texts(f'train.{key}'))}</dt><dd>{escape(value)}</dd>"
        for key, value in facts
        if value
    )
    detail = said(texts, run.stop.detail) if run.stop else ""
    # The trainer's own words, where a sentence in the reader's language took their place.
    error = run.error.message if run.error and run.error.message not in why else ""
    told = [error, detail, *(said(texts, note) for note in run.notes)]
    notes = "".join(f"<li>{escape(each)}</li>" for each in told if each)
    return (
        '<div class="ts-run">'
        f"<h3>{state_html(texts, run)}</h3>"
        + (f'<p class="ts-why">{escape(why)}</p>' if why else "")
        + f"<dl>{known}</dl>"
        + (f'<ul class="ts-faint">{notes}</ul>' if notes else "")
        + "</div>"
    )


def fit_text(texts: Texts, fit: Fit) -> str:
    """Return how a run was fitted to its rows."""
    words = [texts(f"run.{fit.batching}")]
    if fit.micro_batch:
        words.append(f"{fit.micro_batch} × {fit.accumulation}")
    if fit.cutoff_len:
        words.append(texts("train.cutoff", tokens=fit.cutoff_len))
    return " · ".join(words)


def memory_text(texts: Texts, fit: Fit) -> str:
    """Return what the planner said of the card's memory, and what was measured."""
    sizes = {
        "predicted": fit.predicted_bytes,
        "probed": fit.probed_bytes,
        "measured": fit.measured_bytes,
        "card": fit.card_bytes,
    }
    return " · ".join(
        f"{texts(f'train.{name}')} {size / GIB:.1f}"
        for name, size in sizes.items()
        if size is not None
    )


def metrics_text(metrics: dict[str, float]) -> str:
    """Return the known ones of a run's metrics."""
    plain = {plain_name(name): value for name, value in metrics.items()}
    return " · ".join(f"{name} {plain[key]:.4g}" for key, name in METRICS.items() if key in plain)


def plain_name(name: str) -> str:
    """Return a metric's name without the prefix of who measured it, in one spelling."""
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name.lower().replace("_", "-")


def figure(loss: float | None) -> str:
    """Return a loss for the list."""
    return UNKNOWN if loss is None else f"{loss:.4f}"


def run_choices(texts: Texts, runs: Sequence[RunRecord] | None) -> list[tuple[str, str]]:
    """Return the runs as the picker offers them."""
    return [(f"{run.id} · {texts(f'run.{run.state}')}", run.id) for run in runs or ()]
