"""Series of how fast a run trains, how well it uses its cards, and what it takes of them."""

from collections.abc import Iterator, Sequence
from typing import Any

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric

from contracts.job import JobState
from trainer.cost import gpus_of
from trainer.engine.mfu import mfu, peak_flops
from trainer.processes import identity_in, lives
from trainer.progress_metrics import Seen, counter, gauge
from trainer.report import numbers

DURATIONS = {
    "train_step_duration_seconds": ("step", "Duration of a step."),
    "train_data_wait_seconds": ("data_wait", "Wait for the rows of a step."),
}
ALLOCATOR = {
    "train_cuda_alloc_retries": (
        "alloc_retries",
        "Times that torch had to empty its cache to get memory.",
    ),
    "train_cuda_ooms": ("ooms", "Times that torch got no memory."),
}


def pace(runs: Sequence[Seen]) -> Iterator[Metric]:
    """Yield how long steps take, how long the run will, and how well it uses its cards."""
    ewma = {run.id: run.figures.get("step_seconds_ewma") for run in runs}
    yield gauge("train_step_seconds_ewma", "Duration of a step, smoothed by steps.", ewma)
    left = {run.id: run.figures.get("eta_seconds") for run in runs if trains(run)}
    yield gauge("train_eta_seconds", "Seconds until the last step, at the mean pace.", left)
    text = "Model FLOPs per second as a share of the cards' dense peak."
    yield gauge("train_mfu_ratio", text, {run.id: mfu_of(run) for run in runs})
    logged = {run.id: number(run.first.get("logged_at")) for run in runs}
    yield gauge("train_last_log_timestamp_seconds", "When the last figures were logged.", logged)
    for name, (key, text) in DURATIONS.items():
        yield durations(name, key, text, runs)


def spending(runs: Sequence[Seen]) -> Iterator[Metric]:
    """Yield what the runs take of their GPUs, and which those are."""
    seconds = {run.id: run.record.gpu_seconds for run in runs}
    yield counter("train_gpu_seconds", "Seconds of all GPUs of a run together.", seconds)
    joules = {run.id: run.record.energy_joules for run in runs}
    yield counter("train_energy_joules", "Energy of a run's GPUs, by their own counters.", joules)
    dollars = {run.id: run.record.cost_dollars for run in runs}
    yield counter("train_cost_dollars", "GPU hours of a run at their price.", dollars)
    text = "1 for each GPU that a run works on now."
    assigned = GaugeMetricFamily("train_gpu_assigned", text, labels=["run_id", "uuid"])
    for run in runs:
        for uuid in gpus_of(run.ranks) if at_work(run) else ():
            assigned.add_metric([run.id, uuid], 1)
    yield assigned
    codes = {run.id: run.record.exit_code for run in runs}
    text = "Exit status of the newest engine; negative: the signal that ended it."
    yield gauge("train_exit_code", text, codes)


def allocator(runs: Sequence[Seen]) -> Iterator[Metric]:
    """Yield what torch's allocator counted in each rank."""
    for name, (key, text) in ALLOCATOR.items():
        family = counter(name, text, {}, "rank")
        for run in runs:
            for rank in run.ranks:
                count = numbers(rank.get("totals")).get(key)
                if count is not None:
                    family.add_metric([run.id, str(rank.get("rank", 0))], count)
        yield family


def durations(name: str, key: str, text: str, runs: Sequence[Seen]) -> Metric:
    """Return a histogram by run, from the buckets that the first rank keeps."""
    family = HistogramMetricFamily(name, text, labels=["run_id"])
    for run in runs:
        known = (run.first.get("pace") or {}).get(key)
        if known:
            ends = [*map(float, known["bounds"]), float("inf")]
            buckets = [
                ("+Inf" if end == float("inf") else repr(end), float(count))
                for end, count in zip(ends, known["counts"], strict=True)
            ]
            family.add_metric([run.id], buckets, float(known["sum"]))
    return family


def mfu_of(run: Seen) -> float | None:
    """Return the share of its cards' peak that a run uses; None where a part is not known."""
    rate, each = run.figures.get("tokens_per_second"), number(run.first.get("flops_per_token"))
    card, dtype = str(run.first.get("gpu_name") or ""), str(run.first.get("dtype") or "")
    peak = peak_flops(card, dtype)
    if rate is None or each is None or peak is None:
        return None
    return mfu(rate, each, peak, run.record.world_size)


def trains(run: Seen) -> bool:
    """Return whether a run takes steps now."""
    return run.record.state is JobState.RUNNING and run.first.get("stage") == "train"


def at_work(run: Seen) -> bool:
    """Return whether the engine that wrote the run's rank files lives."""
    who = identity_in(run.folder.engine_process())
    written = who is not None and run.first.get("pid") == who.pid
    return run.record.state is JobState.RUNNING and written and who is not None and lives(who)


def number(value: Any) -> float | None:
    """Return a plain number as such, anything else as None."""
    return numbers({"": value}).get("")
