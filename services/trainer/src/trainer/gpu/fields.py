"""Many values by one call of the driver: `nvmlDeviceGetFieldValues`, with a code for each.

Units are those of `nvml.h`: energy in mJ, power in mW, durations in ns, NVLink in KiB.
"""

import math
from collections.abc import Iterator
from struct import Struct
from typing import Any

from trainer.gpu.nvml import ALL_LINKS, Code, ValueType

MEMORY_TEMPERATURE = 82
ENERGY_MILLIJOULES = 83
PCIE_REPLAYS = 94
REMAP_PENDING, REMAP_FAILURE = 144, 145
POWER_MILLIWATTS = 186
RECOVERY_ACTION = 230
NVLINK_KIBIBYTES = {138: "tx", 139: "rx"}
PCIE_BYTES = {197: "tx", 198: "rx"}
THROTTLE_NANOSECONDS = {
    74: "sw_power_cap",
    76: "sync_boost",
    269: "sw_thermal",
    270: "hw_thermal",
    271: "hw_power_brake",
}
PLAIN = {
    MEMORY_TEMPERATURE: ("memory_temperature_celsius", 1.0),
    ENERGY_MILLIJOULES: ("energy_joules", 1e-3),
    PCIE_REPLAYS: ("pcie_replays", 1.0),
    REMAP_PENDING: ("row_remap_pending", 1.0),
    REMAP_FAILURE: ("row_remap_failure", 1.0),
    POWER_MILLIWATTS: ("power_watts", 1e-3),
    RECOVERY_ACTION: ("recovery_action", 1.0),
}
WANTED: list[int | tuple[int, int]] = [
    *PLAIN,
    *THROTTLE_NANOSECONDS,
    *PCIE_BYTES,
    *((link, ALL_LINKS) for link in NVLINK_KIBIBYTES),
]
# PCIe 5 fills 32 bits in a tenth of a second: a narrow counter of bytes tells nothing.
WIDE = {ValueType.UNSIGNED_LONG, ValueType.UNSIGNED_LONG_LONG, ValueType.SIGNED_LONG_LONG}
# `nvmlFieldValue_t`: field, scope, timestamp, latency, type, return code, a union of 8 bytes.
LAYOUT = Struct("=IIqqIi8s")
FORMS = {
    ValueType.DOUBLE: Struct("=d"),
    ValueType.UNSIGNED_INT: Struct("=I"),
    ValueType.UNSIGNED_LONG: Struct("=Q"),
    ValueType.UNSIGNED_LONG_LONG: Struct("=Q"),
    ValueType.SIGNED_LONG_LONG: Struct("=q"),
    ValueType.SIGNED_INT: Struct("=i"),
    ValueType.UNSIGNED_SHORT: Struct("=H"),
}


def field_readings(values: Any) -> dict[str, Any]:
    """Return the readings in the answer to `WANTED`; what has an error code is left out."""
    found: dict[str, Any] = {}
    groups: dict[str, dict[str, float]] = {}
    for identity, kind, number in numbers(values):
        if identity in PLAIN:
            name, scale = PLAIN[identity]
            found[name] = number * scale
        elif identity in THROTTLE_NANOSECONDS:
            reason = THROTTLE_NANOSECONDS[identity]
            groups.setdefault("throttle_seconds", {})[reason] = number * 1e-9
        elif identity in NVLINK_KIBIBYTES:
            direction = NVLINK_KIBIBYTES[identity]
            groups.setdefault("nvlink_bytes", {})[direction] = number * 1024
        elif identity in PCIE_BYTES and kind in WIDE:
            groups.setdefault("pcie_bytes", {})[PCIE_BYTES[identity]] = number
    return found | groups


def numbers(values: Any) -> Iterator[tuple[int, int, float]]:
    """Yield field, type and number of each value that has no error code.

    The array is unpacked at once: asked attribute by attribute, the bindings' structs take longer
    than everything else in a sample.
    """
    for identity, _, _, _, kind, code, raw in LAYOUT.iter_unpack(bytes(values)):
        form = FORMS.get(kind)
        if code == Code.SUCCESS and form is not None:
            number = float(form.unpack_from(raw)[0])
            if math.isfinite(number):
                yield identity, kind, number
