"""What the votes have come to as preference data, and what was made of it (pure)."""

from html import escape

from contracts.dataset import DatasetManifest
from contracts.job import Job
from contracts.votes import VoteCounts
from ui.proof.words import Names, scrolled, table_html
from ui.texts import Texts


def counts_html(texts: Texts, counts: VoteCounts, names: Names, waiting: int) -> str:
    """Return the votes by style: pairs that were decided, ties, and votes on single replies."""
    title = f"<h3>{escape(texts('prove.pairs'))}</h3>"
    note = f'<p class="ts-faint">{escape(texts("prove.pairs_note"))}</p>'
    styles = sorted(set(counts.compared) | set(counts.by_style))
    if not styles:
        empty = f'<p class="ts-faint ts-p-empty">{escape(texts("prove.no_pairs"))}</p>'
        return title + note + empty + note_html(texts, waiting)
    rows = []
    for style in styles:
        pairs, single = counts.compared.get(style, {}), counts.by_style.get(style, {})
        rows.append(
            [
                escape(names.get(style, style)),
                f"<b>{pairs.get('decided', 0)}</b>",
                str(pairs.get("tie", 0) + pairs.get("both_bad", 0)),
                str(single.get("up", 0)),
                str(single.get("down", 0)),
            ]
        )
    heads = [
        texts(f"prove.{key}") for key in ("style", "decided", "undecided", "liked", "disliked")
    ]
    total = sum(found.get("decided", 0) for found in counts.compared.values())
    said = texts("prove.pairs_total", pairs=total, corrections=counts.corrections)
    table = scrolled(texts("prove.pairs"), table_html(heads, rows))
    return f"{title}{note}<p>{escape(said)}</p>{table}{note_html(texts, waiting)}"


def note_html(texts: Texts, waiting: int, key: str = "") -> str:
    """Return a sentence, and how many votes still wait to be sent."""
    said = [texts(key)] if key else []
    said += [texts("arena.waiting", count=waiting)] if waiting else []
    return "".join(f'<p class="ts-faint">{escape(one)}</p>' for one in said)


def made_html(texts: Texts, version: DatasetManifest) -> str:
    """Return how many pairs a new version of the dataset holds, and what can be done with them."""
    trained, held = (version.rows.get(name, 0) for name in ("preference", "preference-eval"))
    said = texts("prove.made", dataset=version.id, trained=trained, held=held)
    more = "prove.by_hand" if trained else "prove.none_to_train"
    return (
        f'<div class="ts-notice" role="status"><strong>{escape(said)}</strong>'
        f"<p>{escape(texts(more))}</p></div>"
    )


def started_html(texts: Texts, job: Job) -> str:
    """Return which run was started, and where to see it."""
    said = texts("prove.second_started", run=job.id)
    return f'<p class="ts-p-said" role="status">{escape(said)}</p>'
