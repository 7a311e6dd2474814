"""The versions of a dataset, and what differs between two of them, as HTML (pure)."""

from collections.abc import Mapping, Sequence
from html import escape

from contracts.sample import Sample
from contracts.versions import DatasetDiff, DatasetVersion, DiffCounts, DiffRow
from ui.texts import Texts
from ui.upstream.review_calls import DIFF_ROWS

VERSIONS_SHOWN = 50
MARKS = {"added": "+", "removed": "−", "changed": "≠"}
Names = Mapping[str, str]


def version_label(texts: Texts, version: DatasetVersion) -> str:
    """Return the line of a version in a picker."""
    rows = version.rows.get("train", 0) + version.rows.get("eval", 0)
    return texts("versions.label", version=version.version, rows=rows)


def versions_html(texts: Texts, found: Sequence[DatasetVersion], picked: str) -> str:
    """Return the versions as a table, the newest first; the one that is picked is marked."""
    heads = ("version", "id", "made", "rows", "source", "from")
    head = "".join(f'<th scope="col">{escape(texts(f"versions.of.{one}"))}</th>' for one in heads)
    newest = sorted(found, key=lambda one: one.version, reverse=True)[:VERSIONS_SHOWN]
    rows = "".join(version_html(texts, one, picked) for one in newest)
    title = escape(texts("versions.title"))
    return (
        f'<div class="ts-review-scroll" tabindex="0" role="region" aria-label="{title}">'
        f'<table class="ts-version-table"><caption>{title}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def version_html(texts: Texts, version: DatasetVersion, picked: str) -> str:
    """Return one version."""
    here = version.id == picked
    mark = f" <em>{escape(texts('versions.here'))}</em>" if here else ""
    rows = texts(
        "versions.rows", train=version.rows.get("train", 0), held=version.rows.get("eval", 0)
    )
    source = texts(f"data.source.{version.source}")
    kind = ' class="ts-chosen" aria-current="true"' if here else ""
    made = version.created_at.strftime("%Y-%m-%d %H:%M")
    return (
        f'<tr{kind}><th scope="row">{version.version}{mark}</th>'
        f"<td><code>{escape(version.id)}</code></td>"
        f'<td><time datetime="{escape(version.created_at.isoformat())}">{escape(made)}</time></td>'
        f"<td>{escape(rows)}</td><td>{escape(source)}</td>"
        f"<td>{escape(lineage_words(texts, version))}</td></tr>"
    )


def lineage_words(texts: Texts, version: DatasetVersion) -> str:
    """Return where a version comes from, and what was decided on the way."""
    lineage = version.lineage
    if lineage is None:
        return texts("versions.first")
    parts = [texts("versions.parent", id=lineage.parent)]
    if lineage.restores:
        parts = [texts("versions.restores", id=lineage.restores)]
    if review := lineage.review:
        parts.append(
            texts(
                "versions.review",
                kept=review.kept,
                dropped=review.dropped,
                edited=review.edited + review.regenerated,
            )
        )
    return " · ".join(parts)


def diff_html(texts: Texts, found: DatasetDiff, offset: int, names: Names) -> str:
    """Return what differs: the counts of each style, and some rows before and after."""
    counts = counts_words(texts, found.counts)
    styles = "".join(
        f"<li><b>{escape(names.get(name, name))}</b> {escape(counts_words(texts, one))}</li>"
        for name, one in found.by_style.items()
        if one.added or one.removed or one.changed
    )
    rows = "".join(row_html(texts, row, names) for row in found.rows)
    nothing = "" if rows else f'<p class="ts-review-none">{escape(texts("versions.equal"))}</p>'
    return (
        f'<div class="ts-version-diff" role="status"><p><b>{escape(counts)}</b></p>'
        f"<ul>{styles}</ul>{nothing}{rows}{where_html(texts, found, offset)}</div>"
    )


def counts_words(texts: Texts, counts: DiffCounts) -> str:
    """Return how many rows came, went, changed and stayed."""
    return texts(
        "versions.counts",
        added=counts.added,
        removed=counts.removed,
        changed=counts.changed,
        same=counts.same,
    )


def row_html(texts: Texts, row: DiffRow, names: Names) -> str:
    """Return one row that is not the same in both."""
    word = texts(f"versions.{row.change}")
    turn = f" · {texts('versions.turn', turn=row.turn)}" if row.turn > 1 else ""
    about = names.get(row.style, row.style) + turn
    return (
        f'<article class="ts-version-row ts-version-{row.change}"><h4>'
        f'<span aria-hidden="true">{MARKS[row.change]}</span> {escape(word)} '
        f"<small>{escape(about)}</small></h4><p>{escape(row.question)}</p>"
        f"{side_html(texts, 'before', row.before)}{side_html(texts, 'after', row.after)}</article>"
    )


def side_html(texts: Texts, side: str, sample: Sample | None) -> str:
    """Return the reply on one side, where there is one."""
    if sample is None:
        return ""
    tag = "del" if side == "before" else "ins"
    word = escape(texts(f"versions.{side}"))
    return f"<p><small>{word}</small> <{tag}>{escape(sample.reply)}</{tag}></p>"


def where_html(texts: Texts, found: DatasetDiff, offset: int) -> str:
    """Return which of the differences are shown."""
    if found.total <= DIFF_ROWS:
        return ""
    last = offset + len(found.rows)
    words = texts("review.where", first=offset + 1, last=last, total=found.total)
    return f'<p class="ts-faint">{escape(words)}</p>'
