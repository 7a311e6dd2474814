"""Serving: what vLLM and its launcher do for those who chat."""

from typing import Any

from boards import launcher
from boards.document import choice, dashboard, jobs
from boards.fields import FEW_ALLOWED, NONE_ALLOWED, Field, by_regex, line
from boards.layout import Row, even
from boards.panels import stat, timeseries
from boards.queries import Scope, now, or_zero, over_time, share

Json = dict[str, Any]
ENGINE = Scope(('model_name=~"$model"',))
HOST = Scope()
OFF = "engine off"
IDLE = "no requests"
SLO = 2.5  # seconds until the first token: a bucket of vLLM's histogram


def board() -> Json:
    """Return the dashboard."""
    known = f"label_values({HOST('vllm:num_requests_running')}, model_name)"
    return dashboard(
        "serving",
        "Serving",
        "vLLM and its launcher: requests, latency, load, cache, adapters, leases of the GPU.",
        [*jobs("serving|vllm"), choice("model", "Model", known)],
        [status(), requests(), latency(), load(), lengths(), launcher.row()],
    )


def pace() -> list[Json]:
    """Return how fast it answers, in four numbers."""
    slow = ((None, "green"), (1, "yellow"), (SLO, "red"))
    tokens = f"sum({ENGINE.rate('vllm:generation_tokens_total')})"
    hits, asked = "vllm:prefix_cache_hits_total", "vllm:prefix_cache_queries_total"
    return [
        stat(
            "First token, p95",
            "Of all but the slowest 5 %. Above 2.5 s the objective is missed.",
            Field("s", IDLE, slow),
            now(ENGINE.quantile(0.95, "vllm:time_to_first_token_seconds")),
        ),
        stat(
            "Tokens out",
            "Generated in a second, all requests together.",
            Field("none", OFF, decimals=0),
            over_time(tokens, "tokens/s"),
        ),
        stat(
            "Prefix hits",
            "Share of prompt tokens that were known already: cheap ones.",
            Field("percentunit", IDLE),
            now(share(ENGINE.rate(hits), ENGINE.rate(asked))),
        ),
        stat(
            "Preempted",
            "Requests thrown out and begun again in the time shown. Any number that "
            "grows: lower the number of sequences.",
            Field("none", "0", FEW_ALLOWED, decimals=0),
            now(or_zero(f"sum({ENGINE.gained('vllm:num_preemptions_total')})")),
        ),
    ]


def status() -> Row:
    """Return serving in eight numbers."""
    full = ((None, "green"), (0.8, "yellow"), (0.95, "red"))
    tiles = [
        stat(
            "State",
            "What the launcher does. lent: a training run has the GPU.",
            Field("none", "launcher off", words=launcher.words()),
            now(launcher.state_number()),
        ),
        stat(
            "Running",
            "Requests that the engine works on now.",
            Field("none", OFF),
            now(f"sum({ENGINE('vllm:num_requests_running')})"),
        ),
        stat(
            "Waiting",
            "Requests that wait for the engine. Lasting: it is too small for its load.",
            Field("none", OFF, FEW_ALLOWED),
            now(f"sum({ENGINE('vllm:num_requests_waiting')})"),
        ),
        stat(
            "KV cache",
            "Use of the cache for texts under way. Full with a queue: shorten "
            "contexts, or give the engine more memory.",
            Field("percentunit", OFF, full),
            now(f"max({ENGINE('vllm:kv_cache_usage_perc')})"),
        ),
        *pace(),
    ]
    return Row("Now", [even(4, *tiles)])


def requests() -> Row:
    """Return how requests end."""
    field = Field("reqps", IDLE, low=0)
    ended = timeseries(
        "Requests by ending",
        "stop: the model was done. length: its limit cut it off, which should be rare. abort: the "
        "reader left.",
        field,
        over_time(
            f"sum by (finished_reason) ({ENGINE.rate('vllm:request_success_total')})",
            "{{finished_reason}}",
        ),
        stacked=True,
    )
    http = timeseries(
        "Answers by status",
        "Of vLLM's HTTP server. 5xx is the engine's fault, 4xx the asker's.",
        field,
        over_time(f"sum by (status) ({HOST.rate('http_requests_total')})", "{{status}}"),
        overrides=[by_regex("^5", color={"mode": "fixed", "fixedColor": "red"})],
        stacked=True,
    )
    gate = timeseries(
        "Answers of the gate",
        "By the name that was asked for. 404: no such style is served; 503: the engine is away.",
        field,
        over_time(
            f"sum by (model, status) ({HOST.rate('serving_requests_total')})",
            "{{model}} {{status}}",
        ),
    )
    return Row("Requests", [even(8, ended, http, gate)])


def latency() -> Row:
    """Return how long readers wait, and where the time goes."""
    return Row(
        "Latency",
        [
            even(
                8,
                quantiles(
                    "First token",
                    "vllm:time_to_first_token_seconds",
                    "From asking to the first token; the dashed line is the objective.",
                    limit=True,
                ),
                quantiles(
                    "Whole reply",
                    "vllm:e2e_request_latency_seconds",
                    "From asking to the last token: grows with the length of replies.",
                ),
            ),
            even(
                7,
                quantiles(
                    "Between tokens",
                    "vllm:inter_token_latency_seconds",
                    "What a reader sees as typing speed. Above 0.1 s it is slower than reading.",
                ),
                quantiles(
                    "Per token of a reply",
                    "vllm:request_time_per_output_token_seconds",
                    "Mean of each reply after its first token.",
                ),
                stages(),
            ),
        ],
    )


def quantiles(title: str, histogram: str, about: str, *, limit: bool = False) -> Json:
    """Return three quantiles of a histogram of seconds; `limit`: with the objective."""
    curves = [
        over_time(ENGINE.quantile(part, histogram), f"p{part * 100:.0f}")
        for part in (0.5, 0.95, 0.99)
    ]
    if limit:
        curves.append(over_time(f"vector({SLO})", "objective"))
    return timeseries(
        title,
        about,
        Field("s", IDLE, low=0),
        *curves,
        overrides=[line("objective", "red")] if limit else [],
    )


def stages() -> Json:
    """Return where the time of a request goes."""
    names = {"waiting": "queue", "reading": "prefill", "writing": "decode"}
    curves = [
        over_time(
            ENGINE.mean(f"vllm:request_{part}_time_seconds", "model_name"),
            f"{name} {{{{model_name}}}}",
        )
        for name, part in names.items()
    ]
    return timeseries(
        "Where the time goes",
        "Mean of a request. Much waiting: too much load. Much reading: long prompts without hits.",
        Field("s", IDLE, low=0),
        *curves,
        stacked=True,
    )


def load() -> Row:
    """Return how full the engine is."""
    count = Field("none", OFF, low=0)
    queue = timeseries(
        "Running and waiting",
        "capacity: no room now. deferred: an adapter slot or a transfer is awaited.",
        count,
        over_time(f"sum({ENGINE('vllm:num_requests_running')})", "running"),
        over_time(
            f"sum by (reason) ({ENGINE('vllm:num_requests_waiting_by_reason')})",
            "waiting: {{reason}}",
        ),
    )
    tokens = timeseries(
        "Tokens in and out",
        "Prompts read and replies written, in a second.",
        count,
        over_time(f"sum({ENGINE.rate('vllm:prompt_tokens_total')})", "in"),
        over_time(f"sum({ENGINE.rate('vllm:generation_tokens_total')})", "out"),
    )
    hits, asked = "vllm:prefix_cache_hits_total", "vllm:prefix_cache_queries_total"
    cache = timeseries(
        "Caches",
        "Use of the KV cache, and share of prompt tokens found in it. Use near 100 % with a queue "
        "is too little memory.",
        Field("percentunit", OFF, low=0, high=1),
        over_time(ENGINE("vllm:kv_cache_usage_perc"), "use {{model_name}}"),
        over_time(share(ENGINE.rate(hits), ENGINE.rate(asked)), "prefix hits"),
    )
    return Row("Load", [even(8, queue, tokens, cache)])


def lengths() -> Row:
    """Return how long texts are, and what is refused."""
    sizes = timeseries(
        "Lengths",
        "Tokens of prompts and replies, median and p95.",
        Field("none", IDLE, low=0),
        *[
            over_time(
                ENGINE.quantile(part, f"vllm:request_{kind}_tokens"), f"{name} p{part * 100:.0f}"
            )
            for name, kind in (("prompt", "prompt"), ("reply", "generation"))
            for part in (0.5, 0.95)
        ],
    )
    refused = timeseries(
        "Preempted and refused",
        "Requests begun again for lack of memory, and those turned away by a queue limit.",
        Field("reqps", "0", NONE_ALLOWED, low=0),
        over_time(f"sum({ENGINE.rate('vllm:num_preemptions_total')})", "preempted"),
        over_time(
            f"sum by (reason) ({ENGINE.rate('vllm:admission_rejections_total')})",
            "refused: {{reason}}",
        ),
    )
    batch = timeseries(
        "Tokens per engine step",
        "Mean of a step: the larger, the better the card is used.",
        Field("none", IDLE, low=0),
        over_time(ENGINE.mean("vllm:iteration_tokens_total", "model_name"), "{{model_name}}"),
    )
    return Row("Texts", [even(7, sizes, refused, batch)])
