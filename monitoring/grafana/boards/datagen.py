"""Data generation: what the teacher is asked, what is kept, what it costs."""

from typing import Any

from boards.document import choice, dashboard, jobs
from boards.fields import FEW_ALLOWED, Field, colored, line
from boards.layout import Line, Row, even
from boards.panels import heatmap, stat, timeseries
from boards.queries import Scope, buckets, now, or_zero, over_time, share

Json = dict[str, Any]
HOST = Scope()
TEACHER = Scope(('model=~"$teacher"',))
QUIET = "nothing is generated"
SAMPLES = "datagen_samples_total"
ACCEPTED = 'outcome="accepted"'
REJECTED = 'outcome="rejected"'
NOT_OK = 'status!="ok"'


def board() -> Json:
    """Return the dashboard."""
    known = (
        'label_values(datagen_teacher_requests_total{job=~"$job", instance=~"$instance"}, model)'
    )
    return dashboard(
        "datagen",
        "Data generation",
        "The teacher's requests, the gates' verdicts, the dataset and its cost.",
        [*jobs("datagen"), choice("teacher", "Teacher", known)],
        [status(), teacher(), gates(), money(), dataset()],
    )


def trouble() -> list[Json]:
    """Return what may go wrong, in four numbers."""
    spent = f"sum({HOST.gained('datagen_cost_dollars_total')})"
    age = f"time() - ({HOST('datagen_last_accept_timestamp_seconds')} > 0)"
    return [
        stat(
            "Breaker",
            "open: the teacher failed too often and is left alone for a while.",
            Field("none", "service off", words=(("0", "closed", "green"), ("1", "OPEN", "red"))),
            now(f"max({HOST('datagen_breaker_open')})"),
        ),
        stat(
            "Spent",
            "On the teacher in the time shown; local teachers are free.",
            Field("currencyUSD", "no paid teacher", decimals=2),
            now(spent),
        ),
        stat(
            "Duplicates",
            "Share of rows that were too close to another. High: ask for more variety.",
            Field("percentunit", QUIET, ((None, "green"), (0.2, "yellow"))),
            now(f"max({HOST('datagen_duplicate_ratio')})"),
        ),
        stat(
            "Last accepted",
            "Since the newest row passed. Minutes inside a generation: stuck.",
            Field("s", "none yet"),
            now(f"min({age})"),
        ),
    ]


def status() -> Row:
    """Return the generation in eight numbers."""
    low = ((None, "red"), (0.5, "yellow"), (0.7, "green"))
    tiles = [
        stat(
            "Accepted",
            "Rows that passed every gate in the time shown.",
            Field("none", QUIET, decimals=0),
            now(f"sum({HOST.gained(SAMPLES, ACCEPTED)})"),
        ),
        stat(
            "Asked for",
            "Rows that the current generation is to bring.",
            Field("none", QUIET),
            now(f"sum({HOST('datagen_target_samples')})"),
        ),
        stat(
            "Accept ratio",
            "Share of rows that pass. Below half the teacher's money goes to "
            "waste: read the reasons below.",
            Field("percentunit", QUIET, low),
            now(share(HOST.rate(SAMPLES, ACCEPTED), HOST.rate(SAMPLES))),
        ),
        stat(
            "Under way",
            "Requests that the teacher works on.",
            Field("none", QUIET),
            now(f"sum({TEACHER('datagen_inflight_requests')})"),
        ),
        *trouble(),
    ]
    return Row("Now", [even(4, *tiles)])


def teacher() -> Row:
    """Return how the teacher answers."""
    field = Field("reqps", QUIET, low=0)
    requests = timeseries(
        "Requests by ending",
        "Everything but ok is asked again or lost. Many rate limits: lower the number at once.",
        field,
        over_time(
            f"sum by (status) ({TEACHER.rate('datagen_teacher_requests_total')})", "{{status}}"
        ),
        overrides=[colored("ok", "green")],
        stacked=True,
    )
    retries = timeseries(
        "Retries by reason",
        "Requests that are asked again; some are normal.",
        field,
        over_time(f"sum by (reason) ({TEACHER.rate('datagen_retries_total')})", "{{reason}}"),
        stacked=True,
    )
    name = "datagen_teacher_request_duration_seconds"
    curves = [
        over_time(TEACHER.quantile(part, name), f"p{part * 100:.0f}") for part in (0.5, 0.95, 0.99)
    ]
    latency = timeseries(
        "Latency of the teacher",
        "From asking to the whole answer. Rising with load: ask less at once.",
        Field("s", QUIET, low=0),
        *curves,
    )
    return Row("Teacher", [even(8, requests, retries, latency)])


def gates() -> Row:
    """Return what is kept, and why the rest is not."""
    reasons = timeseries(
        "Rows by verdict",
        "Accepted, and rejected by each gate. One reason that dominates names what to change in "
        "the prompt or the teacher.",
        Field("none", QUIET, low=0),
        over_time(f"60 * sum({HOST.rate(SAMPLES, ACCEPTED)})", "accepted"),
        over_time(f"60 * sum by (reason) ({HOST.rate(SAMPLES, REJECTED)})", "{{reason}}"),
        overrides=[colored("accepted", "green")],
        stacked=True,
    )
    ratio = timeseries(
        "Accepts and duplicates",
        "Share of rows that pass, and share of near duplicates. Falling accepts with rising "
        "duplicates: the teacher repeats itself.",
        Field("percentunit", QUIET, low=0, high=1),
        over_time(share(HOST.rate(SAMPLES, ACCEPTED), HOST.rate(SAMPLES)), "accepted"),
        over_time(f"max({HOST('datagen_duplicate_ratio')})", "duplicates"),
        overrides=[colored("accepted", "green")],
    )
    imported = timeseries(
        "Imported rows",
        "Rows of files, by verdict of the same gates; a minute.",
        Field("none", "nothing is imported", low=0),
        over_time(
            f"60 * sum by (outcome) ({HOST.rate('datagen_imported_rows_total')})", "{{outcome}}"
        ),
        overrides=[colored("accepted", "green")],
        stacked=True,
    )
    return Row("Gates: rows a minute", [Line(8, [(10, reasons), (8, ratio), (6, imported)])])


def money() -> Row:
    """Return what it costs."""
    cost = timeseries(
        "Cost against the budget",
        "Spent in the time shown before each moment, and the budget of a generation. At the "
        "budget generation stops.",
        Field("currencyUSD", "no paid teacher", low=0),
        over_time(f"sum by (model) ({TEACHER.gained('datagen_cost_dollars_total')})", "{{model}}"),
        over_time(f"max({HOST('datagen_budget_dollars')})", "budget"),
        overrides=[line("budget", "red")],
    )
    tokens = timeseries(
        "Tokens of the teacher",
        "By kind, since each has its price: cached input is cheap, reasoning is paid as output.",
        Field("none", QUIET, low=0),
        over_time(f"sum by (direction) ({TEACHER.rate('datagen_tokens_total')})", "{{direction}}"),
        stacked=True,
    )
    return Row("Money", [even(8, cost, tokens)])


def dataset() -> Row:
    """Return the dataset that comes of it."""
    rows = stat(
        "Rows of the newest dataset",
        "By split; evaluation and preferences take their share.",
        Field("none", "no dataset yet", decimals=0),
        now(f"max by (split) ({HOST('datagen_dataset_samples')})", "{{split}}"),
    )
    size = stat(
        "Its size",
        "On the volume.",
        Field("bytes", "no dataset yet"),
        now(f"max({HOST('datagen_dataset_bytes')})"),
    )
    failed = stat(
        "Teacher failures",
        "Requests that did not end well in the time shown.",
        Field("none", "0", FEW_ALLOWED, decimals=0),
        now(or_zero(f"sum({TEACHER.gained('datagen_teacher_requests_total', NOT_OK)})")),
    )
    lengths = heatmap(
        "Tokens of a row",
        "Lengths of accepted rows. Two clouds: two kinds of rows.",
        Field("none", QUIET),
        buckets(f"sum by (le) ({HOST.rate('datagen_sample_tokens_bucket')})"),
    )
    return Row("Dataset", [Line(8, [(5, rows), (4, size), (4, failed), (11, lengths)])])
