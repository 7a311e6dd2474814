"""What several dashboards show of training runs: their words, their table, the latest of them."""

from typing import Any

from boards.fields import Field
from boards.queries import Scope, equals, or_row, rows
from boards.tables import Column, table

Json = dict[str, Any]
STATES = (
    ("queued", "text"),
    ("running", "blue"),
    ("succeeded", "green"),
    ("stopped", "yellow"),
    ("failed", "red"),
)
NO_RUN = "no run yet"
TO_TRAINING = "/d/tonesmith-training?var-run_id=${__value.text}&${__url_time_range}"


def latest(scope: Scope) -> str:
    """Return the series of the run that began last."""
    return f"topk(1, {scope('train_start_timestamp_seconds')})"


def of_latest(scope: Scope, expr: str) -> str:
    """Return `expr`, of the run that began last only."""
    return f"({expr}) and on (instance, run_id) {latest(scope)}"


def state_number(scope: Scope) -> str:
    """Return the place of a run's state in `STATES`, counted from 0: Grafana maps it to a word."""
    terms = [
        f"{number} * {scope('train_state', equals('state', name))}"
        for number, (name, _) in enumerate(STATES)
    ]
    return "sum by (instance, run_id) (" + " or ".join(terms) + ")"


def state_words() -> tuple[tuple[str, str, str], ...]:
    """Return the words and colours for `state_number`."""
    return tuple((str(number), name, color) for number, (name, color) in enumerate(STATES))


def progress(scope: Scope) -> str:
    """Return the share of a run's steps that is done."""
    return f"{scope('train_step')} / {scope('train_max_steps')}"


def runs_table(scope: Scope) -> Json:
    """Return the table of the runs that the trainer still knows; a click opens one."""
    info = scope("train_run_info")
    named = f"max by (run_id, model, method, dataset) ({info})"
    columns = [
        Column("run_id", "Run", link=TO_TRAINING),
        Column("model", "Base"),
        Column("method", "Method"),
        Column("dataset", "Dataset"),
        Column("Value #B", "State", "none", words=state_words(), width=110),
        Column("Value #C", "Done", "percentunit", width=90),
        Column("Value #D", "Loss", "none", width=90),
        Column("Value #E", "Best on held-out", "none", width=140),
        Column("Value #F", "Energy", "joule", width=110),
    ]
    energy = f"sum by (run_id) ({scope.gained('train_energy_joules_total')})"
    return table(
        "Runs",
        "The newest five runs. A click on a run opens its dashboard.",
        Field("none", "-"),
        columns,
        rows(or_row(named, info, "run_id", NO_RUN)),
        rows(f"max by (run_id) ({state_number(scope)})"),
        rows(f"max by (run_id) ({progress(scope)})"),
        rows(f"max by (run_id) ({scope('train_loss_smoothed')})"),
        rows(f"max by (run_id) ({scope('train_best_eval_loss')})"),
        rows(energy),
    )
