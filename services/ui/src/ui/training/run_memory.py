"""A card's memory as a bar against the band that a run aims at, planned and measured (pure)."""

from html import escape

from contracts.gpu import GpuReport
from contracts.run import Fit
from ui.texts import Texts
from ui.training.gpu_table import BAND_HIGH, BAND_LOW
from ui.training.runs import GIB


def memory_html(texts: Texts, used: float | None, card: float | None, said: str) -> str:
    """Return how much of a card is taken, with the band; nothing where either is not known.

    Args:
        texts: the words.
        used: bytes.
        card: bytes of the whole card.
        said: what kind of use that is: planned, peak.
    """
    if not used or not card:
        return ""
    ratio = used / card
    figures = f"{used / GIB:.1f} / {card / GIB:.1f} GiB · {ratio * 100:.0f} %"
    place = "below" if ratio < BAND_LOW else "band" if ratio <= BAND_HIGH else "above"
    return (
        f'<div class="ts-vram ts-is-{place}"><p><strong>{escape(said)}</strong> '
        f"<span>{figures}</span> <small>{escape(texts(f'run.memory_{place}'))}</small></p>"
        f'<span class="ts-vram-bar" aria-hidden="true"><i style="width:{min(ratio, 1):.1%}"></i>'
        f'<b style="left:{BAND_LOW:.0%};width:{BAND_HIGH - BAND_LOW:.0%}"></b></span></div>'
    )


def planned_html(texts: Texts, fit: Fit | None, gpus: GpuReport | None) -> str:
    """Return what is known of the memory before a run: the plan, else the card and its band.

    Nothing where the trainer does not tell of cards.
    """
    if fit and (planned := fit.probed_bytes or fit.predicted_bytes) and fit.card_bytes:
        bar = memory_html(texts, planned, fit.card_bytes, texts("advice.planned"))
        return bar + note(texts("advice.planned_note"))
    if gpus is None:
        return ""
    totals = [gpu.memory_total_bytes for gpu in gpus.gpus if gpu.up]
    known = [total for total in totals if total]
    if not known:
        return note(texts("advice.no_card"))
    card = min(known)
    low, high = (f"{card * share / GIB:.1f}" for share in (BAND_LOW, BAND_HIGH))
    return note(texts("advice.card", card=f"{card / GIB:.0f}", low=low, high=high))


def note(sentence: str) -> str:
    """Return a sentence in small print."""
    return f'<p class="ts-faint">{escape(sentence)}</p>'


def run_memory_html(texts: Texts, fit: Fit | None) -> str:
    """Return the memory of a run: measured, else probed, else predicted."""
    if fit is None:
        return ""
    for name, used in (
        ("measured", fit.measured_bytes),
        ("probed", fit.probed_bytes),
        ("predicted", fit.predicted_bytes),
    ):
        if used:
            return memory_html(texts, used, fit.card_bytes, texts(f"run.memory_{name}"))
    return ""
