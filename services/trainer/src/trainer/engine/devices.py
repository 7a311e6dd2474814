"""The card of a process as torch knows it; nothing where there is none."""

from collections.abc import Mapping
from typing import Any

MEMORY = {
    "memory_allocated_bytes": "allocated_bytes.all.current",
    "memory_reserved_bytes": "reserved_bytes.all.current",
    "memory_peak_allocated_bytes": "allocated_bytes.all.peak",
    "memory_peak_reserved_bytes": "reserved_bytes.all.peak",
}
# Of the caching allocator: how often it had to give all back before it got more, and got none.
COUNTS = {"alloc_retries": "num_alloc_retries", "ooms": "num_ooms"}


def card(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `gpu_uuid`, as NVIDIA's driver writes it, and `gpu_name` of this process's card.

    Args:
        environ: torchrun's LOCAL_RANK says which one it is, before anything chose it.
    """
    import torch

    place = int(environ.get("LOCAL_RANK", "0"))
    if not torch.cuda.is_available() or place >= torch.cuda.device_count():
        return {}
    known = torch.cuda.get_device_properties(place)
    return {"gpu_uuid": driver_uuid(str(getattr(known, "uuid", ""))), "gpu_name": known.name}


def driver_uuid(uuid: str) -> str:
    """Return a card's UUID as the driver writes it, with the prefix that torch leaves out."""
    return uuid if not uuid or uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}"


def memory() -> tuple[dict[str, float], dict[str, float]]:
    """Return bytes of the card's memory, and what the allocator counted since the process began."""
    import torch

    if not torch.cuda.is_available():
        return {}, {}
    return read(torch.cuda.memory_stats())


def read(stats: Mapping[str, Any]) -> tuple[dict[str, float], dict[str, float]]:
    """Return what `torch.cuda.memory_stats` says, under our names: bytes, and counts."""
    return picked(stats, MEMORY), picked(stats, COUNTS)


def picked(stats: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, float]:
    """Return the entries that are there, under our names."""
    return {ours: float(stats[theirs]) for ours, theirs in names.items() if theirs in stats}
