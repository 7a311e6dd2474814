"""Chat: what people on the page see, held against the objectives."""

from typing import Any

from boards.document import choice, dashboard, jobs
from boards.fields import FEW_ALLOWED, Field, colored, line
from boards.layout import Line, Row, even
from boards.panels import stat, timeseries
from boards.queries import Scope, now, or_zero, over_time, share

Json = dict[str, Any]
HOST = Scope()
CHAT = Scope(('model=~"$variant"',))
QUIET = "no chat"
ASKED = "ui_chat_requests_total"
FAILED = 'outcome=~"error|rejected"'
REFUSED = 'outcome="unavailable"'
BUDGET = 0.01  # share of replies that may fail: 99 % succeed
SLOW_BUDGET = 0.05  # share of first tokens that may take longer than 2.5 s
WINDOWS = ("5m", "30m", "1h", "6h")
FAST, SLOW = 14.4, 6  # rates of burning at which the alerts fire


def board() -> Json:
    """Return the dashboard."""
    known = f'label_values({ASKED}{{job=~"$job", instance=~"$instance"}}, model)'
    return dashboard(
        "chat",
        "Chat",
        "Replies by outcome, waiting times, load, and how fast error budgets burn.",
        [*jobs("ui"), choice("variant", "Base or tuned", known)],
        [status(), replies(), waiting(), people(), objectives()],
    )


def trouble() -> list[Json]:
    """Return what keeps people from an answer, in four numbers."""
    refused = share(CHAT.gained(ASKED, REFUSED), CHAT.gained(ASKED))
    return [
        stat(
            "Queue",
            "People who wait for their turn. Lasting: serving is too small.",
            Field("none", "page off", FEW_ALLOWED),
            now(f"sum({HOST('ui_queue_length')})"),
        ),
        stat(
            "Sessions", "Open pages.", Field("none", "page off"), now(f"sum({HOST('ui_sessions')})")
        ),
        stat(
            "Unavailable",
            "Share of replies in the time shown that were refused because a run has the GPU.",
            Field("percentunit", QUIET),
            now(refused),
        ),
        stat(
            "Error budget left",
            "Of what may fail in the time shown. Below 0: the objective of 99 % is missed.",
            Field("percentunit", QUIET, ((None, "red"), (0.2, "yellow"), (0.5, "green"))),
            now(remaining()),
        ),
    ]


def status() -> Row:
    """Return the chat in eight numbers."""
    wrong = ((None, "green"), (BUDGET, "yellow"), (SLOW * BUDGET, "red"))
    slow = ((None, "green"), (1, "yellow"), (2.5, "red"))
    tiles = [
        stat(
            "Chats per minute",
            "Replies asked for.",
            Field("cpm", QUIET),
            over_time(f"60 * sum({CHAT.rate(ASKED)})", "chats"),
        ),
        stat(
            "Errors",
            "Share of replies that failed. Above 1 % the budget shrinks.",
            Field("percentunit", QUIET, wrong),
            now(share(CHAT.rate(ASKED, FAILED), CHAT.rate(ASKED))),
        ),
        stat(
            "First token, p95",
            "How long all but the slowest 5 % wait.",
            Field("s", QUIET, slow),
            now(CHAT.quantile(0.95, "ui_time_to_first_token_seconds")),
        ),
        stat(
            "Being written",
            "Replies under way now.",
            Field("none", "page off"),
            now(f"sum({HOST('ui_chats_in_progress')})"),
        ),
        *trouble(),
    ]
    return Row("Now", [even(4, *tiles)])


def remaining() -> str:
    """Return the share of the error budget that is left over the time shown."""
    return f"1 - ({share(HOST.gained(ASKED, FAILED), HOST.gained(ASKED))}) / {BUDGET}"


def replies() -> Row:
    """Return how replies end."""
    outcomes = timeseries(
        "Replies by outcome",
        "cancelled: the reader stopped it. rejected: the queue was full. unavailable: a run has "
        "the GPU. error: our fault.",
        Field("reqps", QUIET, low=0),
        over_time(f"sum by (outcome) ({CHAT.rate(ASKED)})", "{{outcome}}"),
        overrides=[colored("ok", "green"), colored("error", "red")],
        stacked=True,
    )
    upstream = timeseries(
        "Failed calls to services",
        "By service and kind. connect: it is down; timeout: it hangs; stream_broken: it died.",
        Field("reqps", "none", low=0),
        over_time(
            f"sum by (upstream, kind) ({HOST.rate('ui_upstream_errors_total')})",
            "{{upstream}}: {{kind}}",
        ),
        stacked=True,
    )
    return Row("Replies", [even(8, outcomes, upstream)])


def waiting() -> Row:
    """Return how long people wait, as the page measures it."""

    def quantiles(title: str, about: str, name: str) -> Json:
        curves = [
            over_time(CHAT.quantile(part, name), f"p{part * 100:.0f}") for part in (0.5, 0.95, 0.99)
        ]
        return timeseries(title, about, Field("s", QUIET, low=0), *curves)

    tokens = timeseries(
        "Tokens",
        "Read and written in a second.",
        Field("none", QUIET, low=0),
        over_time(f"sum by (direction) ({CHAT.rate('ui_tokens_total')})", "{{direction}}"),
    )
    return Row(
        "Waiting",
        [
            even(
                8,
                quantiles(
                    "First token",
                    "From asking to the first words. Much above vLLM's own figure: "
                    "the time is lost between page and engine.",
                    "ui_time_to_first_token_seconds",
                ),
                quantiles(
                    "Whole reply",
                    "From asking to the end; grows with the length of replies.",
                    "ui_chat_duration_seconds",
                ),
                tokens,
            )
        ],
    )


def people() -> Row:
    """Return how many are there, and how many have left."""
    load = timeseries(
        "People and queue",
        "Open pages, replies under way, and those who wait.",
        Field("none", "page off", low=0),
        over_time(f"sum({HOST('ui_sessions')})", "sessions"),
        over_time(f"sum({HOST('ui_chats_in_progress')})", "being written"),
        over_time(f"sum({HOST('ui_queue_length')})", "waiting"),
    )
    left = timeseries(
        "Readers who left",
        "Connections that ended before their reply did.",
        Field("none", "none", low=0),
        over_time(
            or_zero(f"sum(increase({CHAT('ui_client_disconnects_total')}[$__rate_interval]))"),
            "left",
        ),
    )
    kept = timeseries(
        "Votes that wait, log-ins refused",
        "Votes that datagen has not taken yet: lasting, it is down. Many refused log-ins: somebody "
        "guesses passwords.",
        Field("none", "none", low=0),
        over_time(f"sum({HOST('ui_votes_waiting')})", "votes that wait"),
        over_time(
            or_zero(f"sum(increase({HOST('ui_logins_failed_total')}[$__rate_interval]))"),
            "log-ins refused",
        ),
    )
    return Row("People", [even(7, load, left, kept)])


def objectives() -> Row:
    """Return how fast error budgets burn: 1 spends exactly the budget."""
    burning = timeseries(
        "Burn rate of chat errors",
        "How many times faster than allowed replies fail (objective: 99 % succeed). The fast alert "
        "fires above 14.4 in 1h and 5m, the slow one above 6 in 6h and 30m.",
        Field("none", QUIET, low=0),
        *[over_time(f"ui:chat_errors:ratio_rate{window} / {BUDGET}", window) for window in WINDOWS],
        over_time(f"vector({FAST})", "fast alert"),
        over_time(f"vector({SLOW})", "slow alert"),
        overrides=[line("fast alert", "red"), line("slow alert", "yellow")],
    )
    slow = timeseries(
        "Burn rate of slow first tokens",
        "The same for first tokens of vLLM (objective: 95 % within 2.5 s); its alert fires above "
        "14.4 in 1h and 5m.",
        Field("none", QUIET, low=0),
        *[
            over_time(f"serving:ttft_slow:ratio_rate{window} / {SLOW_BUDGET}", window)
            for window in ("5m", "1h")
        ],
        over_time(f"vector({FAST})", "fast alert"),
        overrides=[line("fast alert", "red")],
    )
    left = timeseries(
        "Error budget over time",
        "Share of the failures allowed in the time shown that is still free. Falling to 0: stop "
        "changing things.",
        Field("percentunit", QUIET, high=1),
        over_time(remaining(), "left"),
    )
    return Row("Objectives", [Line(8, [(10, burning), (8, slow), (6, left)])])
