"""A dataset in the reader's words: its line in a picker, and what it is in short (pure)."""

from html import escape

from contracts.dataset import DatasetManifest
from contracts.job import Job
from ui.texts import Texts

NAMES_SHOWN = 6


def dataset_label(texts: Texts, dataset: DatasetManifest) -> str:
    """Return the line of a dataset in a picker."""
    rows = texts("data.rows", count=dataset.counts.accepted)
    part = f" · {texts('data.incomplete')}" if dataset.status == "incomplete" else ""
    return f"{dataset.id} · {rows}{part}"


def facts_html(texts: Texts, dataset: DatasetManifest | None) -> str:
    """Return what a dataset is: where it comes from, its rows by split, its styles."""
    if dataset is None:
        return ""
    names = [getattr(one.style.names, texts.language) for one in dataset.styles]
    more = len(names) - NAMES_SHOWN
    shown = texts("data.list").join(names[:NAMES_SHOWN])
    facts = [
        texts(f"data.source.{dataset.source}"),
        texts(f"data.{dataset.status}"),
        texts("data.rows", count=dataset.counts.accepted),
        texts("data.split", train=dataset.rows.get("train", 0), held=dataset.rows.get("eval", 0)),
        texts("data.and_more", names=shown, count=more) if more > 0 else shown,
    ]
    items = "".join(f"<li>{escape(fact)}</li>" for fact in facts if fact)
    return f'<ul class="ts-facts">{items}</ul>'


def none_html(texts: Texts) -> str:
    """Return what to do where there is no dataset yet."""
    return f'<p class="ts-faint">{escape(texts("data.none"))}</p>'


def going_html(texts: Texts, job: Job | None) -> str:
    """Return how far the generation is that goes on; nothing where none does."""
    if job is None or job.state.final:
        return ""
    done, total = job.progress.done, job.progress.total
    told = texts("data.going", name=str(job.request.get("name") or job.id), done=done, total=total)
    return (
        f'<p class="ts-going"><span class="ts-state ts-is-{job.state.value}">{escape(told)}</span>'
        "</p>"
    )
