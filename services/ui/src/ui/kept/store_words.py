"""What the page keeps of its own, in words: votes that wait, its size, the room left (pure)."""

from html import escape

from ui.kept.keeping import Store
from ui.texts import Texts

GIBIBYTE = 1 << 30
MEBIBYTE = 1 << 20
# Below this a busy page could fill the disk within a day.
SCARCE_BYTES = GIBIBYTE


def store_html(texts: Texts, store: Store | None) -> str:
    """Return the section on the state folder; where it cannot be read, that."""
    title = f"<h3>{escape(texts('monitor.store'))}</h3>"
    if store is None:
        return f'{title}<p class="ts-faint">{escape(texts("monitor.store_unknown"))}</p>'
    rows = [
        ("monitor.votes_waiting", str(store.waiting), ""),
        ("monitor.votes_refused", str(store.refused), ""),
        ("monitor.store_size", size_text(store.bytes), ""),
        ("monitor.store_free", size_text(store.free), scarce(texts, store)),
    ]
    items = "".join(
        f"<div><dt>{escape(texts(key))}</dt><dd>{value}{note}</dd></div>"
        for key, value, note in rows
    )
    return f'{title}<dl class="ts-store">{items}</dl>'


def scarce(texts: Texts, store: Store) -> str:
    """Return a warning where little room is left."""
    said = escape(texts("monitor.store_scarce"))
    return f" <strong>{said}</strong>" if store.free < SCARCE_BYTES else ""


def size_text(size: int) -> str:
    """Return a size as people read it."""
    if size >= GIBIBYTE:
        return f"{size / GIBIBYTE:.1f} GiB"
    return f"{size / MEBIBYTE:.1f} MiB" if size else "0 MiB"
