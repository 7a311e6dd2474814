"""Which styles a judge mixes up: a table with numbers, and what they say in words (pure)."""

from html import escape

from contracts.studio import Collision, StyleConfusion
from ui.texts import Texts

# From here on two styles are worth a word; datagen lists all pairs, the worst first.
WORTH_A_WORD = 0.05
PAIRS_SHOWN = 6
SHARED_SHOWN = 6
Names = dict[str, str]


def confusion_html(texts: Texts, found: StyleConfusion, names: Names) -> str:
    """Return the whole answer: the verdict, the table, the pairs that collide.

    Args:
        texts: the words.
        found: by datagen.
        names: of the styles, in the reader's language.
    """
    named = {style: names.get(style, style) for style in found.matrix}
    pairs = [one for one in found.collisions if notable(one)][:PAIRS_SHOWN]
    worst = "".join(f"<li>{pair_html(texts, one, names)}</li>" for one in pairs)
    missing = sum(found.missing.values())
    return (
        f'<div class="ts-confusion"><p class="ts-verdict">{escape(verdict(texts, found))}</p>'
        + (f'<ul class="ts-pairs">{worst}</ul>' if worst else "")
        + matrix_html(texts, found, named)
        + f'<p class="ts-faint">{escape(texts("styles.matrix_hint"))}</p>'
        + (
            f'<p class="ts-faint">{escape(texts("styles.missing", number=missing))}</p>'
            if missing
            else ""
        )
        + "</div>"
    )


def notable(pair: Collision) -> bool:
    """Return whether a pair deserves a word."""
    return pair.indistinguishable or pair.mixed_up >= WORTH_A_WORD


def verdict(texts: Texts, found: StyleConfusion) -> str:
    """Return how often the judge was right, and whether that is good."""
    if any(pair.indistinguishable for pair in found.collisions):
        level = "equal"
    elif found.accuracy >= 0.9:
        level = "clear"
    else:
        level = "mixed" if found.accuracy >= 0.6 else "blurred"
    share = f"{found.accuracy:.0%}"
    right = round(found.accuracy * found.replies)
    values = {"share": share, "right": right, "replies": found.replies}
    return texts("styles.right", **values) + texts(f"styles.verdict_{level}")


def pair_html(texts: Texts, pair: Collision, names: Names) -> str:
    """Return why two styles collide, and what would part them."""
    first, second = (names.get(style, style) for style in pair.styles)
    kind = "equal" if pair.indistinguishable else "near"
    values = {"first": first, "second": second, "share": f"{pair.mixed_up:.0%}"}
    told = f"<strong>{escape(texts(f'styles.pair_{kind}', **values))}</strong>"
    shared = [word for words in pair.shared.values() for word in words][:SHARED_SHOWN]
    if shared:
        told += f"<p>{escape(texts('styles.shared', words=' · '.join(shared)))}</p>"
    told += "".join(f"<p>{escape(text)}</p>" for text in pair.suggestions[:3])
    return told


def matrix_html(texts: Texts, found: StyleConfusion, names: Names) -> str:
    """Return the table: a row for each style that was asked for, a column for what was heard."""
    styles = list(found.matrix)
    heads = "".join(f'<th scope="col">{escape(names[style])}</th>' for style in styles)
    rows = "".join(
        f'<tr><th scope="row">{escape(names[asked])}</th>'
        + "".join(
            cell(
                found.matrix[asked].get(heard, 0), sum(found.matrix[asked].values()), heard == asked
            )
            for heard in styles
        )
        + "</tr>"
        for asked in styles
    )
    label = escape(texts("styles.matrix"))
    corner = escape(texts("styles.corner"))
    return (
        f'<div class="ts-scroll" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="ts-matrix"><caption>{label}</caption><thead><tr>'
        f'<th scope="col">{corner}</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def cell(count: int, total: int, right: bool) -> str:
    """Return one number; its shade is its share, and the diagonal has a frame."""
    share = count / total if total else 0.0
    kind = "ts-right" if right else "ts-mixed" if count else ""
    return f'<td class="{kind}" style="--share:{share:.2f}">{count}</td>'
