"""Training run: one run in full, from its loss to its energy."""

from typing import Any

from boards import resources, runs
from boards.document import dashboard, jobs, newest, run_events
from boards.fields import NONE_ALLOWED, PLAIN, Field, by_regex, colored, line
from boards.layout import Line, Row, even
from boards.panels import heatmap, timeseries, trend
from boards.queries import Scope, buckets, over_time

Json = dict[str, Any]
ONE = Scope(('run_id="$run_id"',))
ALL = Scope()
NONE = runs.NO_RUN


def board() -> Json:
    """Return the dashboard."""
    started = f"sort_desc(max by (run_id) ({ALL('train_start_timestamp_seconds')}))"
    return dashboard(
        "training",
        "Training run",
        "One run: progress, loss by time and by step, speed, memory, checkpoints, energy, cost.",
        [*jobs("trainer"), newest("run_id", "Run", started)],
        [progress(), loss(), speed(), resources.memory(), resources.checkpoints(), others()],
        events=run_events('job=~"$job", instance=~"$instance", run_id="$run_id"'),
    )


def learnt() -> list[Json]:
    """Return what the run has learnt, in four numbers."""
    patience = f"{ONE('train_plateau_steps')} / ({ONE('train_plateau_patience_steps')} > 0)"
    early = ((None, "green"), (0.7, "yellow"), (1, "red"))
    return [
        resources.number(
            "Smoothed loss",
            "Training loss without its noise.",
            Field("none", NONE, decimals=3),
            ONE("train_loss_smoothed"),
        ),
        resources.number(
            "Best held-out",
            "Lowest loss on rows that it does not train on: what counts.",
            Field("none", "not evaluated", decimals=3),
            ONE("train_best_eval_loss"),
        ),
        resources.number(
            "Patience used",
            "Steps without improvement against those allowed; at 100 % the run stops by itself.",
            Field("percentunit", NONE, early),
            patience,
        ),
        resources.number(
            "Bad steps",
            "Steps whose loss or gradient was no number. Any: lower the learning "
            "rate, or look for a broken row.",
            Field("none", "0", NONE_ALLOWED, decimals=0),
            ONE.gained("train_nonfinite_steps_total"),
        ),
    ]


def progress() -> Row:
    """Return how far the run is."""
    tiles = [
        resources.number(
            "State",
            "What the run does, or how it ended; its log says why it failed.",
            Field("none", NONE, words=runs.state_words()),
            runs.state_number(ONE),
        ),
        resources.number(
            "Done",
            "Share of its steps. A plateau may end the run earlier.",
            Field("percentunit", NONE, PLAIN, low=0, high=1),
            runs.progress(ONE),
        ),
        resources.number(
            "Step",
            "Optimiser steps so far; after a resume it goes back to the checkpoint.",
            Field("none", NONE, decimals=0),
            ONE("train_step"),
        ),
        resources.number(
            "Time left",
            "From recent steps, so it is right after a resume too.",
            Field("s", "not running"),
            ONE("train_eta_seconds"),
        ),
        *learnt(),
    ]
    return Row("Progress", [even(4, *tiles)])


def loss() -> Row:
    """Return what the run learns, by time and by step."""
    names = {"loss": "train_loss", "smoothed": "train_loss_smoothed", "held-out": "train_eval_loss"}
    curves = [over_time(ONE(metric), name) for name, metric in names.items()]
    field = Field("none", NONE)
    by_time = timeseries(
        "Loss by time",
        "Held-out loss that rises while training loss falls is overfitting. Marks are start, end, "
        "checkpoints and best evaluations.",
        field,
        *curves,
        overrides=[colored("held-out", "orange")],
    )
    by_step = trend(
        "Loss by step",
        "The same without pauses and resumes: compare runs by this. Repeated steps show their "
        "newest value.",
        field,
        over_time(ONE("train_step"), "step"),
        *curves,
    )
    return Row("Loss", [even(9, by_time, by_step), even(7, rate(), gradient(), plateau())])


def rate() -> Json:
    """Return the learning rate."""
    return timeseries(
        "Learning rate",
        "Rises in the warm-up, then falls to the end. A flat line: the schedule is not applied.",
        Field("sci", NONE),
        over_time(ONE("train_learning_rate"), "learning rate"),
    )


def gradient() -> Json:
    """Return the gradient's norm."""
    return timeseries(
        "Gradient norm",
        "Before clipping, logarithmic. A climb by orders of magnitude comes before divergence; a "
        "gap is no number, which the tile of bad steps counts.",
        Field("none", NONE),
        over_time(ONE("train_grad_norm"), "gradient norm"),
        log=True,
    )


def plateau() -> Json:
    """Return how long nothing has improved, against how long that is allowed."""
    return timeseries(
        "Plateau",
        "Steps since the smoothed loss last fell enough, and how many are allowed: where they "
        "meet, the run stops. Noise (right scale) keeps a restless run from being called flat.",
        Field("none", NONE, low=0),
        over_time(ONE("train_plateau_steps"), "without improvement"),
        over_time(ONE("train_plateau_patience_steps"), "allowed"),
        over_time(ONE("train_loss_noise_ratio"), "noise"),
        overrides=[
            line("allowed", "red"),
            by_regex("^noise$", unit="percentunit", custom__axisPlacement="right"),
        ],
    )


def speed() -> Row:
    """Return how fast it goes, and what holds it up."""
    durations = heatmap(
        "Step duration",
        "How long steps take. A second band above the first: now and then something waits.",
        Field("s", NONE),
        buckets(f"sum by (le) ({ONE.rate('train_step_duration_seconds_bucket')})"),
    )
    waiting = ONE.rate("train_data_wait_seconds_sum")
    stepping = f"({ONE.rate('train_step_duration_seconds_sum')} > 0)"
    shares = timeseries(
        "Use of the hardware",
        "MFU: arithmetic of the model against the card's peak; 30 to 50 % is good. Waiting for "
        "data above 5 %: more loader workers.",
        Field("percentunit", "unknown GPU, or no run", low=0),
        over_time(f"sum({waiting}) / sum({stepping})", "waiting for data"),
        over_time(ONE("train_mfu_ratio"), "MFU"),
    )
    tokens = timeseries(
        "Throughput",
        "Useful tokens and rows in a second, padding not counted. A fall without another batch "
        "size: heat, or a neighbour on the card.",
        Field("none", NONE, low=0),
        over_time(ONE.rate("train_tokens_total"), "tokens/s"),
        over_time(ONE.rate("train_samples_total"), "rows/s"),
        overrides=[by_regex("^rows/s$", custom__axisPlacement="right")],
    )
    return Row("Speed", [even(8, durations, shares, tokens)])


def others() -> Row:
    """Return the runs that can be opened instead."""
    return Row("All runs", [Line(7, [(24, runs.runs_table(ALL))])])
