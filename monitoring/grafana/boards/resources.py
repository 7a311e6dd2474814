"""What a run takes: memory, disk, energy, money."""

from typing import Any

from boards import cards
from boards.fields import FEW_ALLOWED, Field, by_regex, line
from boards.layout import Line, Row, even
from boards.panels import stat, timeseries
from boards.queries import Scope, now, over_time

Json = dict[str, Any]
ONE = Scope(('run_id="$run_id"',))
ALL = Scope()


def number(title: str, about: str, field: Field, expr: str) -> Json:
    """Return a tile with the newest value."""
    return stat(title, about, field, now(expr))


def memory() -> Row:
    """Return the memory of its cards, as the driver and as torch see it."""
    mine = f"on (instance, uuid) ({ONE('train_gpu_assigned')} == 1)"
    field = Field("percentunit", "no GPU in this run", low=0, high=1)
    band = timeseries(
        "GPU memory against the target",
        "Used share of each card of this run, by the driver. Between the lines is right: below, "
        "batches can grow; above, a long row may not fit.",
        field,
        over_time(f"{ALL('gpu:memory_used:ratio')} and {mine}", "{{uuid}}"),
        over_time(f"max({cards.bound(ALL, 'low')})", "low"),
        over_time(f"max({cards.bound(ALL, 'high')})", "high"),
        overrides=[line("low", "green"), line("high", "red")],
    )
    torch = timeseries(
        "Memory by torch",
        "What tensors hold (allocated) and what torch keeps for them (reserved), with peaks. Much "
        "reserved beyond allocated is fragmentation.",
        Field("bytes", "no GPU in this run", low=0),
        over_time(ONE("train_cuda_memory_bytes"), "rank {{rank}} {{kind}}"),
        over_time(f"{ALL('gpu_memory_used_bytes')} and {mine}", "driver {{uuid}}"),
    )
    trouble = timeseries(
        "Retries and out of memory",
        "Allocations that torch had to repeat, and those that failed. Retries mean that the card "
        "is too full, whatever the share says.",
        Field("none", "0", FEW_ALLOWED, low=0),
        over_time(
            f"sum by (rank) (increase({ONE('train_cuda_alloc_retries_total')}[$__rate_interval]))",
            "retries, rank {{rank}}",
        ),
        over_time(
            f"sum by (rank) (increase({ONE('train_cuda_ooms_total')}[$__rate_interval]))",
            "out of memory, rank {{rank}}",
        ),
        overrides=[by_regex("^out of", color={"mode": "fixed", "fixedColor": "red"})],
    )
    return Row("Memory", [Line(8, [(10, band), (8, torch), (6, trouble)])])


def paid() -> list[Json]:
    """Return what the run has cost, in four numbers."""
    energy, tokens = ONE.gained("train_energy_joules_total"), ONE.gained("train_tokens_total")
    return [
        number(
            "Restarts",
            "Starts that went on from a checkpoint. Several: look why it dies.",
            Field("none", "0", FEW_ALLOWED, decimals=0),
            f"max({ONE.gained('train_restarts_total')})",
        ),
        number(
            "Energy",
            "Drawn by its cards in the time shown, by the driver's counter.",
            Field("joule", "no GPU"),
            energy,
        ),
        number(
            "Cost",
            "GPU hours in the time shown, at the configured price.",
            Field("currencyUSD", "no price is set", decimals=2),
            ONE.gained("train_cost_dollars_total"),
        ),
        number(
            "kWh per million tokens",
            "Energy for the same work: compare recipes by it.",
            Field("none", "no GPU", decimals=3),
            f"({energy} / 3.6e6) / (({tokens} > 0) / 1e6)",
        ),
    ]


def checkpoints() -> Row:
    """Return what is safe on disk, and what the run has cost."""
    age = f"time() - {ONE('train_last_checkpoint_timestamp_seconds')}"
    old: tuple[tuple[float | None, str], ...] = ((None, "green"), (3600, "yellow"), (7200, "red"))
    full = ((None, "red"), (5e9, "yellow"), (20e9, "green"))
    tiles = [
        number(
            "Checkpoint age",
            "What a crash now would lose. Above two hours an alert fires while the run goes on.",
            Field("s", "no checkpoint yet", old),
            age,
        ),
        number(
            "Checkpoint step",
            "Step that a resume would begin at.",
            Field("none", "no checkpoint yet", decimals=0),
            ONE("train_last_checkpoint_step"),
        ),
        number(
            "Checkpoint size",
            "On disk; several are kept.",
            Field("bytes", "no checkpoint yet"),
            ONE("train_checkpoint_bytes"),
        ),
        number(
            "Free on the volume",
            "Room for checkpoints and models. Too little ends the run.",
            Field("bytes", "no trainer", full),
            f"min({ALL('train_output_free_bytes')})",
        ),
        *paid(),
    ]
    return Row("Checkpoints, energy and cost", [even(4, *tiles)])
