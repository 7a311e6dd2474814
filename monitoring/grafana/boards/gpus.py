"""GPUs: what each card does, how warm it is, whether it is well."""

from typing import Any

from boards import card_health
from boards.document import choice, dashboard, jobs, run_events
from boards.fields import FEW_ALLOWED, NONE_ALLOWED, Field, by_regex
from boards.layout import Line, Row, even
from boards.panels import stat, state_timeline, timeseries
from boards.queries import Scope, now, or_row, or_zero, over_time, rows
from boards.tables import Column, table

Json = dict[str, Any]
HOST = Scope()
CARD = Scope(('uuid=~"$uuid"',))
NO_GPU = "no GPU"
ANSWERS = (("0", "LOST", "red"), ("1", "answers", "green"))
OLD = ((None, "green"), (10, "yellow"), (30, "red"))
HOT = ((None, "green"), (80, "yellow"), (88, "red"))


def board() -> Json:
    """Return the dashboard."""
    known = 'label_values(gpu_up{job=~"$job", instance=~"$instance"}, uuid)'
    return dashboard(
        "gpus",
        "GPUs",
        "Each card: work, memory, power, heat, throttling, errors, links, and their exporter.",
        [*jobs("trainer|gpu"), choice("uuid", "GPU", known)],
        [
            overview(),
            work(),
            heat(),
            card_health.health(),
            card_health.links(),
            card_health.exporter(),
        ],
        events=run_events('job=~"$job", instance=~"$instance"'),
    )


def doubts() -> list[Json]:
    """Return errors and the age of what is shown."""
    return [
        stat(
            "XIDs",
            "Errors that the driver reported in the time shown; the table below says which.",
            Field("none", "0", FEW_ALLOWED, decimals=0),
            now(or_zero(f"sum({CARD.gained('gpu_xid_errors_total')})")),
        ),
        stat(
            "Sample age",
            "Since the driver last answered the sampler. Above 30 s it hangs.",
            Field("s", "no driver: a CPU host", OLD),
            now(f"max(time() - {HOST('gpu_last_sample_timestamp_seconds')})"),
        ),
    ]


def overview() -> Row:
    """Return all cards in numbers, and each in a row."""
    used = f"sum({CARD('gpu_memory_used_bytes')}) / sum({CARD('gpu_memory_total_bytes')})"
    tiles = [
        stat(
            "Lost",
            "Cards that no longer answer the driver. A container can lose its card for "
            "good: recreate it; else reset the card or reboot.",
            Field("none", NO_GPU, NONE_ALLOWED),
            now(f"count({CARD('gpu_up')}) - sum({CARD('gpu_up')})"),
        ),
        stat(
            "Memory used",
            "Of all cards together, by whatever process.",
            Field("percentunit", NO_GPU),
            now(used),
        ),
        stat(
            "Power",
            "Of all cards together, now.",
            Field("watt", NO_GPU),
            over_time(f"sum({CARD('gpu_power_watts')})", "power"),
        ),
        stat(
            "Hottest card",
            "From the high eighties on cards slow down: look at the airflow.",
            Field("celsius", NO_GPU, HOT),
            now(f"max({CARD('gpu_temperature_celsius')})"),
        ),
        *doubts(),
    ]
    return Row("All cards", [even(4, *tiles), Line(7, [(24, cards_table())])])


def cards_table() -> Json:
    """Return one row for each card."""
    info = CARD("gpu_info")
    by = "by (instance, uuid)"
    columns = [
        Column("instance", "Host"),
        Column("index", "#", width=60),
        Column("name", "Card"),
        Column("uuid", "UUID"),
        Column("driver", "Driver", width=120),
        Column("Value #B", "State", "none", words=ANSWERS, width=100),
        Column("Value #C", "Busy", "percentunit", width=90),
        Column("Value #D", "Memory", "percentunit", width=100),
        Column("Value #E", "Power", "watt", width=100),
        Column("Value #F", "Heat", "celsius", steps=HOT, width=100),
        Column("Value #G", "Processes", "none", width=110),
    ]
    named = f"max by (instance, uuid, index, name, driver) ({info})"
    return table(
        "Cards",
        "Every card that was ever seen, lost ones too.",
        Field("none", "-"),
        columns,
        rows(or_row(named, info, "name", NO_GPU)),
        rows(f"max {by} ({CARD('gpu_up')})"),
        rows(f"max {by} ({CARD('gpu_utilization_ratio')})"),
        rows(f"max {by} ({CARD('gpu:memory_used:ratio')})"),
        rows(f"max {by} ({CARD('gpu_power_watts')})"),
        rows(f"max {by} ({CARD('gpu_temperature_celsius')})"),
        rows(f"max {by} ({CARD('gpu_processes')})"),
    )


def work() -> Row:
    """Return how busy cards are, and who has their memory."""
    busy = timeseries(
        "Busy, and really busy",
        "Utilisation counts any kernel, so 100 % says little; SM and tensor activity (Hopper and "
        "later) say how much of the card works. High utilisation with low activity: small batches.",
        Field("percentunit", NO_GPU, low=0, high=1),
        over_time(CARD("gpu_utilization_ratio"), "{{uuid}} utilisation"),
        over_time(CARD("gpu_sm_active_ratio"), "{{uuid}} SM"),
        over_time(CARD("gpu_tensor_active_ratio"), "{{uuid}} tensor"),
        over_time(CARD("gpu_dram_active_ratio"), "{{uuid}} DRAM"),
        table=True,
    )
    memory = timeseries(
        "Memory by role",
        "Who holds the memory of the cards; the line is what they have. A role that stays after "
        "its job is a process that did not end.",
        Field("bytes", NO_GPU, low=0),
        over_time(f"sum by (uuid, role) ({CARD('gpu_memory_by_role_bytes')})", "{{uuid}} {{role}}"),
        over_time(CARD("gpu_memory_total_bytes"), "{{uuid}} total"),
        overrides=[
            by_regex(
                " total$",
                custom__stacking={"group": "B", "mode": "none"},
                custom__fillOpacity=0,
                custom__lineStyle={"fill": "dash", "dash": [8, 6]},
            )
        ],
        stacked=True,
        table=True,
    )
    return Row("Work", [even(9, busy, memory)])


def heat() -> Row:
    """Return power, temperatures, clocks, and what slows cards down."""
    power = timeseries(
        "Power against the limit",
        "At the limit a card slows its clocks down: normal in training, worth a look elsewhere.",
        Field("watt", NO_GPU, low=0),
        over_time(CARD("gpu_power_watts"), "{{uuid}}"),
        over_time(CARD("gpu_power_limit_watts"), "{{uuid}} limit"),
        overrides=[
            by_regex(
                " limit$", custom__lineStyle={"fill": "dash", "dash": [8, 6]}, custom__fillOpacity=0
            )
        ],
    )
    warm = timeseries(
        "Temperatures",
        "Of the chip and of its memory, which throttles by itself from about 95 degrees on.",
        Field("celsius", NO_GPU, HOT),
        over_time(CARD("gpu_temperature_celsius"), "{{uuid}} chip"),
        over_time(CARD("gpu_memory_temperature_celsius"), "{{uuid}} memory"),
    )
    clocks = timeseries(
        "Clocks",
        "Against the highest possible. Far below it under load: see what throttles.",
        Field("hertz", NO_GPU, low=0),
        over_time(CARD("gpu_sm_clock_hertz"), "{{uuid}}"),
        over_time(CARD("gpu_sm_clock_max_hertz"), "{{uuid}} highest"),
        overrides=[
            by_regex(
                " highest$",
                custom__lineStyle={"fill": "dash", "dash": [8, 6]},
                custom__fillOpacity=0,
            )
        ],
    )
    return Row("Power and heat", [even(8, power, warm, clocks), throttling()])


def throttling() -> Line:
    """Return what slows cards down, and for how much of the time."""
    active = state_timeline(
        "Throttling",
        "When a reason held the clocks down. Red for hw_thermal or hw_power_brake is a fault of "
        "cooling or power; sw_power_cap is normal at the limit.",
        Field("none", NO_GPU, words=(("0", "no", "green"), ("1", "yes", "red"))),
        over_time(
            f"max by (uuid, reason) ({CARD('gpu_clock_throttle_active')})", "{{uuid}} {{reason}}"
        ),
    )
    part = timeseries(
        "Time throttled",
        "Share of time by reason, from the driver's counters, which miss nothing between samples.",
        Field("percentunit", NO_GPU, low=0),
        over_time(CARD.rate("gpu_throttle_seconds_total"), "{{uuid}} {{reason}}"),
    )
    return Line(8, [(14, active), (10, part)])
