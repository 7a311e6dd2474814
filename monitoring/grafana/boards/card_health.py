"""Whether cards are well: errors of the hardware, links, and the measuring itself."""

from boards.fields import NONE_ALLOWED, Field, by_regex
from boards.layout import Row, even
from boards.panels import state_timeline, timeseries
from boards.queries import Scope, or_row, over_time, rows
from boards.tables import Column, table

HOST = Scope()
CARD = Scope(('uuid=~"$uuid"',))
NO_GPU = "no GPU"
YES = (("0", "no", "green"), ("1", "YES", "red"))
# The driver's enum nvmlGpuRecoveryAction.
RECOVERY = (
    ("0", "none", "green"),
    ("1", "reset the GPU", "red"),
    ("2", "reboot the host", "red"),
    ("3", "drain, peer to peer", "red"),
    ("4", "drain and reset", "red"),
)


def board_rows() -> list[Row]:
    """Return the lower rows of the GPU dashboard."""
    return [health(), links(), exporter()]


def health() -> Row:
    """Return errors of the hardware."""
    memory_columns = [
        Column("instance", "Host"),
        Column("uuid", "UUID"),
        Column("Value #A", "Uncorrected ECC", "none", steps=NONE_ALLOWED),
        Column("Value #B", "Remap failed", "none", words=YES),
        Column("Value #C", "Remap pending", "none", words=YES),
        Column("Value #D", "Driver asks for", "none", words=RECOVERY),
    ]
    by = "max by (instance, uuid)"
    ecc = CARD("gpu_ecc_uncorrected_errors")
    memory = table(
        "Memory errors",
        "Any uncorrected error: drain and reset the card. A failed remap: replace it.",
        Field("none", "-"),
        memory_columns,
        rows(or_row(f"{by} ({ecc})", ecc, "uuid", "no ECC memory")),
        rows(f"{by} ({CARD('gpu_row_remap_failure')})"),
        rows(f"{by} ({CARD('gpu_row_remap_pending')})"),
        rows(f"{by} ({CARD('gpu_recovery_action')})"),
    )
    last = CARD("gpu_xid_last_timestamp_seconds")
    xid_columns = [
        Column("instance", "Host"),
        Column("uuid", "UUID"),
        Column("xid", "XID", width=110),
        Column("Value #A", "Last", "dateTimeFromNow", words=(("0", "never", "green"),)),
        Column("Value #B", "In the time shown", "none"),
    ]
    xids = table(
        "XID errors",
        "Reports of the driver. 48, 62, 64, 74, 79, 95, 119, 120: the card needs a reset or a "
        "reboot. 13, 31, 43: the program's own fault.",
        Field("none", "-"),
        xid_columns,
        rows(or_row(f"1000 * max by (instance, uuid, xid) ({last})", last, "xid", "none")),
        rows(f"sum by (instance, uuid, xid) ({CARD.gained('gpu_xid_errors_total')})"),
    )
    return Row("Health", [even(7, memory, xids)])


def links() -> Row:
    """Return what goes over PCIe and NVLink."""
    field = Field("Bps", "not measured on this card", low=0)
    pcie = timeseries(
        "PCIe",
        "Traffic with the host. High during training: data or offloaded weights travel.",
        field,
        over_time(CARD.rate("gpu_pcie_bytes_total"), "{{uuid}} {{direction}}"),
    )
    nvlink = timeseries(
        "NVLink",
        "Traffic between cards. None with several cards in a run: they use PCIe.",
        field,
        over_time(CARD.rate("gpu_nvlink_bytes_total"), "{{uuid}} {{direction}}"),
    )
    state = timeseries(
        "PCIe link",
        "Generation, width, and packets sent again. Narrower than the slot, or replays: reseat it.",
        Field("none", NO_GPU, low=0),
        over_time(CARD("gpu_pcie_link_generation"), "{{uuid}} generation"),
        over_time(CARD("gpu_pcie_link_width"), "{{uuid}} width"),
        over_time(
            f"increase({CARD('gpu_pcie_replays_total')}[$__rate_interval])", "{{uuid}} replays"
        ),
        overrides=[by_regex(" replays$", custom__axisPlacement="right")],
    )
    return Row("Links", [even(7, pcie, nvlink, state)])


def exporter() -> Row:
    """Return whether the measuring itself is well."""
    there = state_timeline(
        "Driver",
        "Whether the driver's library answers. No on a host without a GPU is right.",
        Field("none", "no exporter", words=(("0", "absent", "yellow"), ("1", "there", "green"))),
        over_time(HOST("gpu_nvml_available"), "{{instance}}"),
    )
    took = timeseries(
        "Duration of a sample",
        "All cards together; milliseconds. Seconds: the driver is about to hang.",
        Field("s", NO_GPU, low=0),
        over_time(HOST("gpu_sample_duration_seconds"), "{{instance}}"),
    )
    failed = timeseries(
        "Driver errors",
        "Calls that failed, by call and code. 15 is a lost card, 999 unknown.",
        Field("cps", "none", low=0),
        over_time(CARD.rate("gpu_nvml_errors_total"), "{{uuid}} {{call}} {{code}}"),
    )
    return Row("Exporter", [even(6, there, took, failed)])
