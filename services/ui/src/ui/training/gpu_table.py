"""The GPUs as a table: memory against the band that a training run aims at, and the rest (pure)."""

from html import escape

from contracts.gpu import GpuReading, GpuReport
from ui.texts import Texts
from ui.training.runs import GIB, UNKNOWN, note

# Share of a card's memory that a training run should fill at its peak (`train_vram_target_ratio`).
BAND_LOW, BAND_HIGH = 0.90, 0.95
COLUMNS = ("name", "memory", "utilization", "power", "temperature")
NAME_LENGTH = 80


def gpus_html(texts: Texts, report: GpuReport | None) -> str:
    """Return the GPUs; a sentence where there are none, or where nobody tells."""
    title = f"<h3>{escape(texts('monitor.gpus'))}</h3>"
    if report is None:
        return title + note(texts("gpu.unknown"), texts("gpu.unknown_hint"), "tonesmith status")
    if not report.gpus:
        said = "gpu.none" if report.available else "gpu.no_library"
        return title + f'<p class="ts-faint">{escape(texts(said))}</p>'
    head = "".join(f'<th scope="col">{escape(texts(f"gpu.{key}"))}</th>' for key in COLUMNS)
    rows = "".join(row_html(texts, gpu) for gpu in report.gpus)
    return (
        f'{title}<table class="ts-runs ts-gpus"><thead><tr>{head}</tr></thead>'
        f'<tbody>{rows}</tbody></table><p class="ts-faint">{escape(texts("gpu.reading"))}</p>'
    )


def row_html(texts: Texts, gpu: GpuReading) -> str:
    """Return one GPU; one that is lost says so, and what to do, in place of its figures."""
    name = f"<strong>GPU {gpu.index}</strong> {escape(gpu.name[:NAME_LENGTH])}"
    if not gpu.up:
        said = f"<b>{escape(texts('gpu.lost'))}</b> {escape(texts('gpu.lost_hint'))}"
        return (
            f'<tr class="ts-lost"><td class="ts-name">{name}</td>'
            f'<td class="ts-why" colspan="{len(COLUMNS) - 1}">{said}</td></tr>'
        )
    cells = {
        "name": name,
        "memory": memory_html(texts, gpu),
        "utilization": percent(gpu.utilization_ratio),
        "power": power(gpu),
        "temperature": figure(gpu.temperature_celsius, "°C"),
    }
    row = "".join(
        f'<td class="ts-{key}" data-label="{escape(texts(f"gpu.{key}"))}">{cell}</td>'
        for key, cell in cells.items()
    )
    return f"<tr>{row}</tr>"


def memory_html(texts: Texts, gpu: GpuReading) -> str:
    """Return used and total memory, also as a bar with the band; and in words where it lies."""
    used, total = gpu.memory_used_bytes, gpu.memory_total_bytes
    if used is None or not total:
        return UNKNOWN
    ratio = min(max(used / total, 0.0), 1.0)
    said = f"{used / GIB:.1f} / {total / GIB:.1f} GiB · {percent(used / total)}"
    place = texts(f"gpu.{band_of(ratio)}") if band_of(ratio) else ""
    return (
        f'<span class="ts-bar ts-is-{band_of(ratio) or "below"}" aria-hidden="true">'
        f'<i style="width:{ratio:.1%}"></i></span>'
        f"<span>{escape(said)}</span>" + (f" <small>{escape(place)}</small>" if place else "")
    )


def band_of(ratio: float) -> str:
    """Return where a share of the memory lies: `band`, `above`, or nothing below the band."""
    if ratio < BAND_LOW:
        return ""
    return "band" if ratio <= BAND_HIGH else "above"


def power(gpu: GpuReading) -> str:
    """Return the power, against its limit where that is known."""
    limit = f" / {gpu.power_limit_watts:.0f}" if gpu.power_limit_watts is not None else ""
    return UNKNOWN if gpu.power_watts is None else f"{gpu.power_watts:.0f}{limit} W"


def percent(ratio: float | None) -> str:
    """Return a share in percent."""
    return UNKNOWN if ratio is None else f"{ratio * 100:.0f} %"


def figure(value: float | None, unit: str) -> str:
    """Return a measured value with its unit."""
    return UNKNOWN if value is None else f"{value:.0f} {unit}"
