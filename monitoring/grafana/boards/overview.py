"""Overview, the home page: is everything all right, how far is the run, what does it cost?"""

from typing import Any

from boards import cards, runs
from boards.document import dashboard, jobs, run_events
from boards.fields import NONE_ALLOWED, PLAIN, Field
from boards.layout import Line, Row, even
from boards.panels import bar_gauge, stat, state_timeline, timeseries
from boards.queries import Scope, now, or_zero, over_time, share
from boards.tables import alert_list

Json = dict[str, Any]
OURS = "datagen|trainer|serving|vllm|ui|gpu|prometheus|alertmanager"
ALL = Scope()
UP = (("0", "DOWN", "red"), ("1", "up", "green"))
ALERT_STATES = (("0", "quiet", "green"), ("1", "pending", "yellow"), ("2", "firing", "red"))
CHATS = "ui_chat_requests_total"
FAILED = 'outcome=~"error|rejected"'
RUNNING = 'state="running"'
# Alerts carry their own labels, not those of a target, so no variable narrows them.
FIRING = 'ALERTS{alertstate="firing"}'


def board() -> Json:
    """Return the dashboard."""
    return dashboard(
        "overview",
        "Overview",
        "Everything at a glance: services, alerts, the newest run, GPUs, cost and chat.",
        jobs(OURS),
        [health(), run(), machines(), history()],
        events=run_events('job=~"$job", instance=~"$instance"'),
    )


def health() -> Row:
    """Return what tells whether anything needs a look."""
    services = stat(
        "Services",
        "Whether Prometheus reaches each service. DOWN for two minutes raises TargetDown: look at "
        "the service's log first.",
        Field("none", "nothing is scraped", words=UP),
        now(f"min by (job) ({ALL('up')})", "{{job}}"),
        fill=True,
    )
    alerts = stat(
        "Alerts firing",
        "Alerts that hold now. Each says in its annotation what to do; the list is below.",
        Field("none", "0", NONE_ALLOWED),
        now(or_zero(f"count({FIRING})")),
        fill=True,
    )
    return Row("Is everything all right?", [Line(4, [(9, services), (3, alerts), *chat()])])


def chat() -> list[tuple[int, Json]]:
    """Return the chat in three numbers."""
    rate = stat(
        "Chats per minute",
        "Replies asked for on the page. None at all while people are there: the page is broken.",
        Field("cpm", "no chat yet"),
        over_time(f"60 * sum({ALL.rate(CHATS)})", "chats"),
    )
    errors = stat(
        "Chat errors",
        "Share of replies that failed. Above 1 % the error budget is spent faster than it grows.",
        Field("percentunit", "no chat", ((None, "green"), (0.01, "yellow"), (0.06, "red"))),
        now(share(ALL.rate(CHATS, FAILED), ALL.rate(CHATS))),
    )
    first = stat(
        "First token, p95",
        "How long all but the slowest 5 % wait for a reply to begin. Above 2.5 s it feels slow.",
        Field("s", "no chat", ((None, "green"), (1, "yellow"), (2.5, "red"))),
        now(ALL.quantile(0.95, "ui_time_to_first_token_seconds")),
    )
    return [(4, rate), (4, errors), (4, first)]


def run() -> Row:
    """Return the newest run, and the table of those before it."""
    title = "Loss of the newest run"
    loss = timeseries(
        title,
        "Falling and then flat is right; held-out loss that rises while training loss falls is "
        "overfitting. The training dashboard shows it by step.",
        Field("none", runs.NO_RUN),
        over_time(runs.of_latest(ALL, ALL("train_loss")), "loss"),
        over_time(runs.of_latest(ALL, ALL("train_loss_smoothed")), "smoothed"),
        over_time(runs.of_latest(ALL, ALL("train_eval_loss")), "held-out"),
    )
    lines = [
        even(4, *run_numbers()),
        Line(8, [(12, loss), (7, memory()), (5, band())]),
        Line(7, [(24, runs.runs_table(ALL))]),
    ]
    return Row("Training", lines)


def number(title: str, about: str, field: Field, expr: str) -> Json:
    """Return a tile with a value of the newest run."""
    return stat(title, about, field, now(runs.of_latest(ALL, expr), "{{run_id}}"))


def run_numbers() -> list[Json]:
    """Return the newest run in six numbers."""

    return [
        number(
            "State",
            "State of the newest run. Its log says why a run failed.",
            Field("none", runs.NO_RUN, words=runs.state_words()),
            runs.state_number(ALL),
        ),
        number(
            "Done",
            "Share of the newest run's steps. A plateau may end it earlier.",
            Field("percentunit", runs.NO_RUN, PLAIN, low=0, high=1),
            runs.progress(ALL),
        ),
        number(
            "Time left",
            "Estimated from recent steps, so it is right after a resume too.",
            Field("s", "nothing runs"),
            ALL("train_eta_seconds"),
        ),
        *run_doubts(),
    ]


def run_doubts() -> list[Json]:
    """Return what tells whether the newest run is stuck."""
    plateau = f"{ALL('train_plateau_steps')} / ({ALL('train_plateau_patience_steps')} > 0)"
    age = f"time() - {ALL('train_last_step_timestamp_seconds')}"
    running = f"{age} and on (instance, run_id) ({ALL('train_state', RUNNING)} == 1)"
    early = ((None, "green"), (0.7, "yellow"), (1, "red"))
    late = ((None, "green"), (60, "yellow"), (300, "red"))
    return [
        number(
            "Last step",
            "Seconds since the last step of a running run. Minutes: it hangs, or evaluates long.",
            Field("s", "nothing runs", late),
            running,
        ),
        number(
            "Smoothed loss",
            "Training loss without its noise.",
            Field("none", runs.NO_RUN, decimals=3),
            ALL("train_loss_smoothed"),
        ),
        number(
            "Patience used",
            "Steps without improvement against those allowed. At 100 % the run stops by itself.",
            Field("percentunit", runs.NO_RUN, early),
            plateau,
        ),
    ]


def memory() -> Json:
    """Return how full the memory of each card is."""
    return bar_gauge(
        "GPU memory",
        "Used share by card. What a run should use is judged on the right; elsewhere any is fine.",
        Field("percentunit", "no GPU", ((None, "blue"),), low=0, high=1),
        now(f"max by (instance, uuid) ({ALL('gpu:memory_used:ratio')})", "{{instance}} {{uuid}}"),
    )


def band() -> Json:
    """Return whether runs use as much memory as they should."""
    return stat(
        "Target band",
        "Whether a run fills its cards as configured (90 to 95 %). Below: take larger batches. "
        "Above: the next long row may not fit.",
        Field("none", "no run on a GPU", words=cards.BAND_WORDS),
        now(cards.place_in_band(ALL), "{{uuid}}"),
    )


def machines() -> Row:
    """Return what is spent, and how busy the cards are."""
    busy = timeseries(
        "GPU utilisation",
        "Share of time with any kernel running: high is necessary, not sufficient; see tensor "
        "activity on the GPU dashboard. Low inside a run: data loading, or a hang.",
        Field("percentunit", "no GPU", low=0, high=1),
        over_time(ALL("gpu_utilization_ratio"), "{{instance}} {{uuid}}"),
    )
    power = timeseries(
        "GPU power",
        "Mean power from the driver's energy counter, which misses no peak.",
        Field("watt", "no GPU", low=0),
        over_time(ALL.rate("gpu_energy_joules_total"), "{{instance}} {{uuid}}"),
    )
    return Row("Machines and money", [even(4, *spent()), even(7, busy, power)])


def spent() -> list[Json]:
    """Return what today has cost so far."""
    today = {"timeFrom": "now/d"}
    hours = f"sum({ALL.gained('train_gpu_seconds_total')}) / 3600"
    return [
        today
        | stat(
            "GPU hours today",
            "Time that runs held cards since midnight.",
            Field("h", "no run today"),
            now(hours),
        ),
        today
        | stat(
            "Energy today",
            "Drawn by runs since midnight, by the driver's counter.",
            Field("joule", "no run today"),
            now(f"sum({ALL.gained('train_energy_joules_total')})"),
        ),
        today
        | stat(
            "GPU cost today",
            "GPU hours at the configured price; none is shown without.",
            Field("currencyUSD", "no price is set", decimals=2),
            now(f"sum({ALL.gained('train_cost_dollars_total')})"),
        ),
        today
        | stat(
            "Teacher cost today",
            "Paid for data since midnight; local teachers are free.",
            Field("currencyUSD", "no paid teacher", decimals=2),
            now(f"sum({ALL.gained('datagen_cost_dollars_total')})"),
        ),
    ]


def history() -> Row:
    """Return which alerts hold, and which held."""
    states = {"firing": True, "pending": True, "noData": False, "normal": False, "error": True}
    listed = alert_list(
        "Alerts",
        "What holds or is about to. Open one to read what to do.",
        states,
    )
    weight = f'max by (alertname) (2 * {FIRING} or ALERTS{{alertstate="pending"}})'
    quiet = 'label_replace(vector(0), "alertname", "none", "", "")'
    past = state_timeline(
        "Alert history",
        "When each alert was pending and firing. One that flickers needs another threshold.",
        Field("none", "no alert", words=ALERT_STATES),
        over_time(f"{weight} or on () {quiet}", "{{alertname}}"),
    )
    return Row("Alerts, now and before", [Line(8, [(10, listed), (14, past)])])
