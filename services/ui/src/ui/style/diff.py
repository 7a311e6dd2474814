"""What changed between two texts, line by line, with the words that did (pure)."""

import difflib
import re
from collections.abc import Iterator, Sequence
from html import escape

from ui.texts import Texts

# A Chinese character is a word of its own.
WORD = re.compile(r"[\u4e00-\u9fff]|\w+|\s+|.", re.DOTALL)
AROUND = 2
ROWS_SHOWN = 400
SIGNS = {"add": "+", "del": "\u2212", "same": ""}
Row = tuple[str, str]


def diff_html(texts: Texts, before: str, after: str, label: str) -> str:
    """Return the difference as a table: a sign, a word for readers of screens, and colour."""
    rows = list(diff_rows(before.splitlines(), after.splitlines()))
    if not rows:
        return f'<p class="ts-faint">{escape(texts("styles.same"))}</p>'
    shown = "".join(row_html(texts, kind, content) for kind, content in rows[:ROWS_SHOWN])
    more = f'<p class="ts-faint">{escape(texts("styles.diff_cut"))}</p>'
    return (
        f'<div class="ts-scroll ts-diff" tabindex="0" role="region" aria-label="{escape(label)}">'
        f"<table><caption>{escape(label)}</caption><tbody>{shown}</tbody></table></div>"
        + (more if len(rows) > ROWS_SHOWN else "")
    )


def row_html(texts: Texts, kind: str, content: str) -> str:
    """Return one line; `content` is HTML."""
    if kind == "gap":
        return '<tr class="ts-gap"><td></td><td>…</td></tr>'
    sign = f'<span aria-hidden="true">{SIGNS[kind]}</span>'
    if kind != "same":
        sign += f'<span class="ts-hidden">{escape(texts(f"styles.diff_{kind}"))}</span>'
    return f'<tr class="ts-{kind}"><td>{sign}</td><td><code>{content}</code></td></tr>'


def diff_rows(before: Sequence[str], after: Sequence[str]) -> Iterator[Row]:
    """Yield (kind, HTML) of the lines that changed, with some around them; nothing if none did."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for number, group in enumerate(matcher.get_grouped_opcodes(AROUND)):
        if number or group[0][1]:
            yield "gap", ""
        for tag, at, end, other, last in group:
            if tag == "equal":
                yield from (("same", escape(line)) for line in before[at:end])
            else:
                yield from changed(before[at:end], after[other:last])


def changed(before: Sequence[str], after: Sequence[str]) -> Iterator[Row]:
    """Yield lines that were replaced, pair by pair, then those that have no partner."""
    paired = min(len(before), len(after))
    marked = [marks(old, new) for old, new in zip(before, after, strict=False)]
    yield from (("del", old) for old, _ in marked)
    yield from (("del", escape(line)) for line in before[paired:])
    yield from (("add", new) for _, new in marked)
    yield from (("add", escape(line)) for line in after[paired:])


def marks(old: str, new: str) -> tuple[str, str]:
    """Return two lines as HTML with the words marked that only one of them has."""
    left, right = WORD.findall(old), WORD.findall(new)
    before, after = [], []
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    if matcher.ratio() < 0.3:  # two lines that have nothing to do with each other
        return escape(old), escape(new)
    for tag, at, end, other, last in matcher.get_opcodes():
        mine, theirs = escape("".join(left[at:end])), escape("".join(right[other:last]))
        same = tag == "equal"
        before.append(mine if same or not mine else f"<del>{mine}</del>")
        after.append(theirs if same or not theirs else f"<ins>{theirs}</ins>")
    return "".join(before), "".join(after)
