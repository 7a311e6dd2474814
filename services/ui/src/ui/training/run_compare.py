"""Past runs side by side: their losses on one chart, what differs, what came out (pure)."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from contracts.run import RunEvent, RunRecord
from ui.texts import Texts
from ui.training.curve import points, series_of
from ui.training.run_chart import Line, Mark, chart_html
from ui.training.run_live import best_eval, took
from ui.training.runs import GIB, UNKNOWN, best_step, ending, plain_name, state_html

# As many as have a look of their own in the style sheet.
MOST = 4
TRAINING, HELD_OUT = "smoothed", "held_out"
FIGURES = (HELD_OUT, TRAINING)

Events = Mapping[str, Sequence[RunEvent]]
Cell = Callable[[Texts, RunRecord, Sequence[RunEvent]], str]


def overlay_html(texts: Texts, runs: Sequence[RunRecord], events: Events, figure: str) -> str:
    """Return the losses of several runs on one chart, each with its best step."""
    lines, marks = [], []
    for number, run in enumerate(runs[:MOST]):
        curve = series_of(events.get(run.id, ())).get(figure, [])
        lines.append(Line(f"run-{number}", run.id, curve))
        best = best_step(run)
        if best and curve and figure == HELD_OUT:
            said = texts("run.best_of", run=run.id, step=best)
            marks.append(Mark(f"run-{number}", said, best))
    chart = chart_html(lines, marks, 0, texts("run.axis"))
    return chart or f'<p class="ts-run-none">{escape(texts("run.compare_no_curve"))}</p>'


def table_html(texts: Texts, runs: Sequence[RunRecord], events: Events) -> str:
    """Return what came out of each run, and in what their recipes differ."""
    head = "".join(
        f'<th scope="col"><span class="ts-swatch ts-swatch-{number}"></span>'
        f"<code>{escape(run.id)}</code></th>"
        for number, run in enumerate(runs)
    )
    results = [
        row_html(texts(f"run.{name}"), [cell(texts, run, events.get(run.id, ())) for run in runs])
        for name, cell in RESULTS.items()
    ]
    metrics = [row_html(name, cells) for name, cells in metric_rows(runs)]
    changed = [
        row_html(
            field_label(texts, name), [escape(value) for value in values], differs=len(runs) > 1
        )
        for name, values in differences(runs)
    ]
    label = escape(texts("run.compare"))
    return (
        f'<div class="ts-roll" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="ts-against"><thead><tr><td></td>{head}</tr></thead>'
        f"{body_html(texts('run.results'), [*results, *metrics], len(runs))}"
        f"{body_html(texts('run.differences'), changed, len(runs), texts('run.no_difference'))}"
        "</table></div>"
    )


def body_html(title: str, rows: Sequence[str], columns: int, empty: str = "") -> str:
    """Return a part of the table; rows in which nothing is known are left out."""
    shown = [row for row in rows if row]
    if not shown and not empty:
        return ""
    if not shown:
        shown = [f'<tr><td colspan="{columns + 1}">{escape(empty)}</td></tr>']
    head = f'<tr class="ts-part"><th colspan="{columns + 1}" scope="rowgroup">{escape(title)}</th>'
    return f"<tbody>{head}</tr>{''.join(shown)}</tbody>"


def row_html(name: str, cells: Sequence[str], *, differs: bool = False) -> str:
    """Return a row of cells that are HTML; nothing where all are empty."""
    if not any(cells):
        return ""
    row = "".join(f"<td>{cell or UNKNOWN}</td>" for cell in cells)
    mark = ' class="ts-differs"' if differs else ""
    return f'<tr{mark}><th scope="row">{escape(name)}</th>{row}</tr>'


def field_label(texts: Texts, name: str) -> str:
    """Return what a value of a request is called."""
    return texts.table.get(f"recipe.{name}", texts.table.get(f"run.{name}", name))


def differences(runs: Sequence[RunRecord]) -> list[tuple[str, list[str]]]:
    """Return the values of the requests and the fits in which runs differ."""
    asked = [values_of(run) for run in runs]
    names = dict.fromkeys(name for values in asked for name in values)
    found = [(name, [values.get(name, "") for values in asked]) for name in names]
    return [(name, values) for name, values in found if len(set(values)) > 1]


def values_of(run: RunRecord) -> dict[str, str]:
    """Return what a run was asked for, and how it was fitted, flat."""
    request: dict[str, Any] = run.request.model_dump(mode="json", exclude_none=True)
    request |= request.pop("overrides")
    if run.fit:
        fitted = {"batching": run.fit.batching, "cutoff_len": run.fit.cutoff_len}
        micro = f"{run.fit.micro_batch} × {run.fit.accumulation}"
        request |= {name: value for name, value in fitted.items() if value} | {"batch": micro}
    return {name: str(value) for name, value in request.items()}


def metric_rows(runs: Sequence[RunRecord]) -> list[tuple[str, list[str]]]:
    """Return the measured figures of the runs by name, a bounded number of them."""
    plain = [{plain_name(name): value for name, value in run.metrics.items()} for run in runs]
    names = sorted({name for metrics in plain for name in metrics} - {"loss"})[:12]
    return [
        (name, [f"{metrics[name]:.4g}" if name in metrics else "" for metrics in plain])
        for name in names
    ]


def speed(events: Sequence[RunEvent]) -> str:
    """Return the mean of the tokens a second, with the thousands apart."""
    found = [value for _, value in points(events, "tokens_per_second")]
    return f"{sum(found) / len(found):,.0f}" if found else ""


def peak(run: RunRecord) -> str:
    """Return the peak of the memory, and its share of the card."""
    if not run.fit or not run.fit.measured_bytes:
        return ""
    used, card = run.fit.measured_bytes, run.fit.card_bytes
    share = f" · {used / card * 100:.0f} %" if card else ""
    return f"{used / GIB:.1f} GiB{share}"


def lowest(texts: Texts, run: RunRecord, events: Sequence[RunEvent]) -> str:
    """Return the lowest held-out loss and its step."""
    best = best_eval(events)
    if best:
        return f"<b>{best[1]:.4f}</b> · {escape(texts('run.at_step', step=best[0]))}"
    return f"<b>{run.eval_loss:.4f}</b>" if run.eval_loss is not None else ""


RESULTS: dict[str, Cell] = {
    "state_row": lambda texts, run, _: state_html(texts, run),
    "best_eval": lowest,
    "steps_row": lambda _, run, __: f"{run.step} / {run.max_steps}" if run.max_steps else "",
    "took": lambda texts, run, _: escape(took(texts, run)),
    "tokens_second": lambda _, __, events: speed(events),
    "peak": lambda _, run, __: peak(run),
    "cost": lambda _, run, __: "" if run.cost_dollars is None else f"$ {run.cost_dollars:.2f}",
    "why_row": lambda texts, run, _: escape(ending(texts, run)),
}
