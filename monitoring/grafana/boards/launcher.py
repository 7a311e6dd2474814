"""What the launcher of vLLM does: state, adapters, sleep, leases of the GPU."""

from typing import Any

from boards.fields import Field, line
from boards.layout import Row, even
from boards.panels import bar_gauge, state_timeline, timeseries
from boards.queries import Scope, equals, now, over_time

Json = dict[str, Any]
HOST = Scope()
STATES = ("waiting", "starting", "ready", "draining", "failed", "lent")
COLORS = ("text", "yellow", "green", "yellow", "red", "blue")


def words() -> tuple[tuple[str, str, str], ...]:
    """Return the words and colours for `state_number`."""
    return tuple((str(n), *pair) for n, pair in enumerate(zip(STATES, COLORS, strict=True)))


def state_number() -> str:
    """Return the place of the launcher's state in `STATES`, counted from 0."""
    terms = [
        f"{place} * {HOST('serving_state', equals('state', name))}"
        for place, name in enumerate(STATES)
    ]
    return "sum by (instance) (" + " or ".join(terms) + ")"


def row() -> Row:
    """Return adapters, sleep, leases and starts."""
    asleep = state_timeline(
        "Awake or asleep",
        "Asleep, its memory is free. weights_offloaded wakes fast, discard_all slowly.",
        Field("none", "engine off", words=(("0", "no", "text"), ("1", "yes", "green"))),
        over_time(f"max by (sleep_state) ({HOST('vllm:engine_sleep_state')})", "{{sleep_state}}"),
    )
    adapters = timeseries(
        "Adapters",
        "Styles that are loaded, names that cannot be served (the log says why), and open "
        "requests by version.",
        Field("none", "launcher off", low=0),
        over_time(HOST("serving_adapters"), "loaded"),
        over_time(HOST("serving_errors"), "failing"),
        over_time(f"sum by (model) ({HOST('serving_requests_in_flight')})", "requests: {{model}}"),
        overrides=[line("failing", "red")],
    )
    agreement = bar_gauge(
        "Agreement with the trainer",
        "Share of greedy tokens that serving and training agree on, of the newest adapter. Below "
        "90 % it is not served.",
        Field("percentunit", "no adapter yet", ((None, "red"), (0.9, "green")), low=0, high=1),
        now(HOST("serving_golden_agreement_ratio"), "{{instance}}"),
    )
    return Row("Launcher", [even(7, asleep, adapters, agreement, leases())])


def leases() -> Json:
    """Return what comes and goes: leases, adapters, the engine itself."""
    return timeseries(
        "Leases, loads and starts",
        "The GPU lent to training, adapters loaded or refused, starts of the engine. Starts that "
        "go on: it crashes.",
        Field("none", "none", low=0),
        over_time(
            f"sum by (outcome) (increase({HOST('serving_leases_total')}[$__rate_interval]))",
            "lease {{outcome}}",
        ),
        over_time(
            f"sum by (outcome) (increase({HOST('serving_adapter_loads_total')}[$__rate_interval]))",
            "adapter {{outcome}}",
        ),
        over_time(
            f"sum(increase({HOST('serving_engine_starts_total')}[$__rate_interval]))", "starts"
        ),
    )
