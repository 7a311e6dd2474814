"""The coverage map as HTML: how many rows each situation has, and what is missing (pure)."""

import json
from collections import Counter
from collections.abc import Mapping
from html import escape

from contracts.quality import Balance, Coverage
from ui.texts import Texts

HOLES_SHOWN = 24
STEPS = 5
Names = Mapping[str, str]


def map_html(texts: Texts, found: Coverage, style: str, names: Names) -> str:
    """Return the map of one style, or of all together where `style` is none of them.

    Args:
        texts: the words.
        found: the coverage of the dataset.
        style: whose rows.
        names: of the styles.
    """
    if not found.counts:
        return f'<p class="ts-review-none">{escape(texts("coverage.none"))}</p>'
    chosen = [style] if style in found.counts else sorted(found.counts)
    cells: Counter[str] = Counter()
    for one in chosen:
        cells.update(found.counts[one])
    picked = style if style in found.counts else ""
    return (
        facts_html(texts, found, chosen, names)
        + table_html(texts, cells, picked, grid_of(found, chosen), called_in(texts, found, chosen))
        + holes_html(texts, found, chosen, names)
    )


def grid_of(found: Coverage, chosen: list[str]) -> tuple[list[str], list[str]]:
    """Return the areas and emotions of some styles: those of another language are not theirs."""
    places = {place for one in chosen for place in (*found.counts[one], *found.empty.get(one, ()))}
    parts = {part for place in places for part in place.split("/")}
    areas = [one for one in found.areas if one in parts]
    return areas, [one for one in found.emotions if one in parts]


def called_in(texts: Texts, found: Coverage, chosen: list[str]) -> dict[str, str]:
    """Return what areas and emotions are called, in one language where one knows them all.

    That is the reader's, if it can be: each language has a few situations of its own.
    """
    grid = {part for line in grid_of(found, chosen) for part in line}
    own = found.names.get(texts.language, {})
    whole = [known for known in (own, *found.names.values()) if grid <= known.keys()]
    others = {key: name for known in found.names.values() for key, name in known.items()}
    return whole[0] if whole else others | own


def facts_html(texts: Texts, found: Coverage, chosen: list[str], names: Names) -> str:
    """Return how much of the grid each style fills, and how evenly."""
    items = "".join(
        f"<li><b>{escape(names.get(one, one))}</b> "
        f"{escape(balance_words(texts, found.balance[one]))}</li>"
        for one in chosen
        if one in found.balance
    )
    lost = sum(found.unknown.get(one, 0) for one in chosen)
    more = f"<p>{escape(texts('coverage.unknown', count=lost))}</p>" if lost else ""
    return f'<div class="ts-cover-facts"><ul>{items}</ul>{more}</div>'


def balance_words(texts: Texts, balance: Balance) -> str:
    """Return how evenly the rows of a style are spread."""
    cells = balance.cells
    even = round(cells.evenness * 100)
    return texts("coverage.spread", filled=cells.filled, places=cells.places, even=even)


def table_html(
    texts: Texts,
    cells: Mapping[str, int],
    style: str,
    grid: tuple[list[str], list[str]],
    called: Names,
) -> str:
    """Return the table: topics down, emotions across, a number in each cell, and the sums."""
    areas, emotions = grid
    most = max(cells.values(), default=0)
    heads = "".join(
        f'<th scope="col"><span>{escape(called.get(one, one))}</span></th>' for one in emotions
    )
    rows = ""
    for area in areas:
        title = called.get(area, area)
        line = [cells.get(f"{area}/{emotion}", 0) for emotion in emotions]
        inner = "".join(
            cell_html(texts, style, (area, emotion), called, count, most)
            for emotion, count in zip(emotions, line, strict=True)
        )
        sums = f'<td class="ts-cover-sum">{sum(line)}</td>'
        rows += f'<tr><th scope="row">{escape(title)}</th>{inner}{sums}</tr>'
    caption, total = escape(texts("coverage.caption")), escape(texts("coverage.total"))
    return (
        f'<div class="ts-review-scroll" tabindex="0" role="region" aria-label="{caption}">'
        f'<table class="ts-cover"><caption>{caption}</caption><thead><tr><td></td>{heads}'
        f'<th scope="col"><span>{total}</span></th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def cell_html(
    texts: Texts, style: str, place: tuple[str, str], called: Names, count: int, most: int
) -> str:
    """Return one cell: a button that shows its rows, or a hole."""
    area, emotion = place
    where = texts(
        "coverage.cell",
        area=called.get(area, area),
        emotion=called.get(emotion, emotion),
        count=count,
    )
    if not count:
        return f'<td class="ts-cover-hole" title="{escape(where)}">·</td>'
    shade = max(1, round(STEPS * count / most))
    wanted = escape(json.dumps({"style": style, "area": area, "emotion": emotion}))
    return (
        f'<td class="ts-cover-cell ts-cover-{shade}"><button type="button" '
        f'data-filter="{wanted}" aria-label="{escape(where)}" title="{escape(where)}">'
        f"{count}</button></td>"
    )


def holes_html(texts: Texts, found: Coverage, chosen: list[str], names: Names) -> str:
    """Return what has no row, by name, and how to fill it."""
    called, lines = called_in(texts, found, chosen), ""
    for style in chosen:
        holes = found.empty.get(style, [])
        if not holes:
            continue
        shown = [place_words(texts, hole, called) for hole in holes[:HOLES_SHOWN]]
        more = len(holes) - len(shown)
        rest = f" {texts('coverage.more', count=more)}" if more > 0 else ""
        listed = texts("coverage.separator").join(shown) + rest
        name = names.get(style, style)
        title = texts("coverage.holes", style=name, count=len(holes))
        lines += f"<details><summary>{escape(title)}</summary><p>{escape(listed)}</p></details>"
    if not lines:
        return f'<p class="ts-cover-full">{escape(texts("coverage.full"))}</p>'
    return (
        f'<section class="ts-cover-holes"><h3>{escape(texts("coverage.missing"))}</h3>{lines}'
        f"<p>{escape(texts('coverage.fill'))}</p>"
        f'<button type="button" class="ts-cover-go" data-sheet="generate">'
        f"{escape(texts('coverage.generate'))}</button></section>"
    )


def place_words(texts: Texts, place: str, called: Names) -> str:
    """Return a situation by its names."""
    area, _, emotion = place.partition("/")
    return texts(
        "coverage.place", area=called.get(area, area), emotion=called.get(emotion, emotion)
    )
