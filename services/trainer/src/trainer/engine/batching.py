"""How rows share a batch: packed, grouped or plain, chosen by what each would cost. Pure.

An update keeps the rows that it is asked to learn from: exactly where rows are not packed; whole
packs come near (`TOLERANCE`), and the reasons say how near. No row is lost to packing: the longest
fits a pack.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.engine.ways import (
    PACK_ROUND,
    PACKED_AT_ONCE,
    ROUND,
    Histogram,
    Way,
    packed_way,
    padded_way,
    rows_of,
    up,
)

NEARBY = (-PACK_ROUND, 0, PACK_ROUND)
# Packs of an update: numbers that many micro-batches divide.
UNITS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
FILLED = 0.96  # of a pack, on average: where to look for its length first
# An update holds whole packs only; its rows may differ from the asked ones by so much.
TOLERANCE = 0.05
# On each device one way is favoured where it costs at most so much more than the cheapest.
FAVOUR = 1.1
# Rows as they come keep their random order; they may cost a little more than sorted ones.
PLAIN_FAVOUR = 1.02
FEWEST = 2.0  # rows of a pack that make packing worth its mask
RAISED = 4  # times the recipe's cutoff that a long row may have
NAMES = {
    "packed": "whole rows share a pack, attention stays within a row",
    "grouped": "rows of like length share a batch",
}


@dataclass(frozen=True)
class Asked:
    """What a run wants of its batches: `micro` x `accumulation` rows of an update, as asked."""

    stage: str
    micro: int
    accumulation: int
    cutoff: int
    fixed: Mapping[str, Any]
    recipe_cutoff: bool  # the cutoff is the recipe's, which a fit may raise
    world_size: int
    card: bool
    pair_cost: float  # attention to one token, in tokens through all layers
    positions: int  # that the model knows; no row can be longer

    @property
    def rows(self) -> int:
        """Rows of an update, on all processes."""
        return self.micro * self.accumulation


@dataclass(frozen=True)
class Choice:
    """How rows are batched; `units` are rows, or packs where rows are packed."""

    way: Way
    units: int  # of an update, on each process
    cut_rows: int
    reasons: list[str]

    @property
    def rows_per_unit(self) -> float:
        """Rows of a unit."""
        return self.way.rows_per_unit


def choose(histogram: Histogram, asked: Asked) -> Choice:
    """Return the cheapest way that loses no row and keeps the rows of an update.

    Raises ValueError where what the request fixes contradicts itself.
    """
    cutoff, said = cutoff_of(histogram, asked)
    rows = rows_of(histogram, cutoff)
    wanted = wanted_batching(asked)
    ways = [way for way in all_ways(rows, cutoff, asked, wanted) if wanted in (None, way.batching)]
    if not ways:
        raise ValueError(
            f"rows of up to {max(rows)} tokens cannot be packed for updates of {asked.rows} rows; "
            "ask for more rows per update, or for batching `grouped`"
        )
    way = cheapest(ways, asked)
    reach = way.cutoff_len - 1 if way.batching == "packed" else way.cutoff_len
    cut = sum(count for length, count in histogram if length > reach)
    if asked.stage == "pt":
        cut = 0  # texts are joined and parted into blocks
    if cut:
        share = cut / sum(count for _, count in histogram)
        said = [
            *said,
            f"{cut} rows ({share:.1%}) are longer than {reach} tokens and are cut there.",
        ]
    return Choice(way, units_of(way, asked), cut, [*why(way, ways, asked, wanted), *said])


def wanted_batching(asked: Asked) -> str | None:
    """Return the batching that is not ours to choose, or None."""
    if asked.stage != "sft":
        if asked.fixed.get("batching") in ("packed", "grouped"):
            raise ValueError(f"batching: rows of stage {asked.stage} can only be taken `plain`")
        return "plain"
    if "batching" in asked.fixed:
        return str(asked.fixed["batching"])
    return None


def cutoff_of(histogram: Histogram, asked: Asked) -> tuple[int, list[str]]:
    """Return the longest row that is kept whole, and what to say of it.

    The recipe's cutoff is raised to the longest row, to at most four times: a few very long rows
    must not decide what all the others cost.
    """
    longest = max(length for length, _ in histogram)
    if not asked.recipe_cutoff or longest <= asked.cutoff or asked.stage != "sft":
        return asked.cutoff, []
    needed = up(longest, PACK_ROUND)
    if needed > min(RAISED * asked.cutoff, asked.positions):
        return asked.cutoff, []
    said = f"The cutoff is raised from {asked.cutoff} to {needed}: the longest row has {longest}."
    return needed, [said]


def all_ways(rows: list[int], cutoff: int, asked: Asked, wanted: str | None) -> list[Way]:
    """Return every way that is possible, simulated on `rows` (already cut)."""
    pair = asked.pair_cost
    update = max(1, asked.rows)
    micro = min(update, int(asked.fixed.get("per_device_train_batch_size", asked.micro)))
    padded = [padded_way(name, rows, micro, update, pair) for name in ("grouped", "plain")]
    padded = [
        Way(way.batching, cutoff, way.sequence, 1.0, way.useful_ratio, way.cost) for way in padded
    ]
    if asked.stage != "sft" or ("per_device_train_batch_size" in asked.fixed and wanted is None):
        return padded  # a request that counts rows means rows, not packs
    packs = [packed_way(rows, pack, pair) for pack in packs_of(rows, cutoff, asked, wanted)]
    return [*[way for way in packs if wanted or keeps_update(way, asked)], *padded]


def packs_of(rows: list[int], cutoff: int, asked: Asked, wanted: str | None) -> list[int]:
    """Return the pack lengths to try: none that loses part of a row, unless it is asked for.

    They are those of which a whole number holds the rows of an update.
    """
    least = up(max(rows) + 1, PACK_ROUND)
    if not asked.recipe_cutoff:
        fixed = up(cutoff, ROUND)
        if max(rows) < fixed:
            return [fixed]
        if wanted == "packed":
            rows[:] = [min(length, fixed - 1) for length in rows]
            return [fixed]
        return []
    limit = up(asked.positions, PACK_ROUND)
    tokens = asked.rows / asked.world_size * sum(rows) / len(rows) / FILLED
    around = {up(int(tokens / units), PACK_ROUND) + step for units in UNITS for step in NEARBY}
    return sorted({least, *(pack for pack in around if least < pack <= limit)})


def keeps_update(way: Way, asked: Asked) -> bool:
    """Return whether a well divisible number of packs comes near the rows of an update."""
    units = units_of(way, asked)
    rows = units * way.rows_per_unit * asked.world_size
    near = abs(rows - asked.rows) <= TOLERANCE * asked.rows
    return near and units in UNITS and way.rows_per_unit >= FEWEST


def units_of(way: Way, asked: Asked) -> int:
    """Return the units of an update on each process: the nearest whole number, at least one."""
    return max(1, round(asked.rows / asked.world_size / way.rows_per_unit))


def cheapest(ways: Sequence[Way], asked: Asked) -> Way:
    """Return the way of least cost, or one that is favoured and costs a little more.

    Packs are all of one length: each step fills the card as the probe did, and a band of memory
    means something. On a CPU rows of one length without a mask are what its kernels do best.
    """
    least = min(way.cost for way in ways)
    device = ("packed" if asked.card else "grouped", FAVOUR)
    for favoured, share in (("plain", PLAIN_FAVOUR), device):
        near = [way for way in ways if way.batching == favoured and way.cost <= least * share]
        if near:
            return min(near, key=lambda way: way.cost)
    return min(ways, key=lambda way: way.cost)


def why(way: Way, ways: Sequence[Way], asked: Asked, wanted: str | None) -> list[str]:
    """Return why this way was taken."""
    ratio = f"{way.useful_ratio:.0%} of what is computed are tokens of rows"
    if wanted and asked.stage != "sft":
        return [
            f"Rows are taken as they come: stage {asked.stage} allows neither packs nor groups."
        ]
    if wanted:
        return [f"The request asks for {way.batching} rows; {ratio}."]
    plain = next(each for each in ways if each.batching == "plain")
    if way.batching == "plain":
        return [f"Rows are taken as they come: they are of nearly one length, {ratio}."]
    how = f" into {way.cutoff_len} tokens" if way.batching == "packed" else ""
    return [
        f"Rows are {way.batching}{how} ({NAMES[way.batching]}): "
        f"{ratio}, {plain.useful_ratio:.0%} without."
    ]


def kept(way: Way, units: int, asked: Asked) -> str:
    """Return how the rows of an update are kept, where each process takes `units` of them."""
    rows = units * way.rows_per_unit * asked.world_size
    if way.batching == "packed":
        total = units * asked.world_size
        packs = "one pack" if total == 1 else f"{total} packs"
        return (
            f"An update learns from {packs} of {way.rows_per_unit:.1f} rows on average, {rows:.1f} "
            f"in all, for the {asked.rows} that are asked."
        )
    if round(rows) != asked.rows:
        return (
            f"An update learns from {round(rows)} rows, not {asked.rows}: every process and every "
            "micro-batch takes an equal share."
        )
    return f"An update learns from {asked.rows} rows, as asked."


def arguments_of(answer: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """Return the LLaMA-Factory arguments that a fit's answer stands for."""
    laid: dict[str, Any] = {
        "per_device_train_batch_size": answer["micro_batch"],
        "gradient_accumulation_steps": answer["accumulation"],
        "cutoff_len": answer["cutoff_len"],
        "disable_gradient_checkpointing": not answer["checkpointing"],
    }
    if answer.get("eval_batch"):
        laid["per_device_eval_batch_size"] = answer["eval_batch"]
    if stage != "sft":
        return laid
    packed = answer["batching"] == "packed"
    grouped = answer["batching"] == "grouped"
    return {
        **laid,
        "packing": packed,
        "neat_packing": packed,
        "preprocessing_batch_size": PACKED_AT_ONCE,
        "train_sampling_strategy": "group_by_length" if grouped else "random",
    }
