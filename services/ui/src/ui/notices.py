"""What stands in the way, in the reader's language, with the way out (pure)."""

from html import escape

from ui.catalog import Catalog
from ui.errors import ProblemError
from ui.texts import Texts

# What to type next, by the notice that asks for it.
COMMANDS = {
    "down": ("tonesmith up",),
    "waiting": ("tonesmith status",),
    "failed": ("tonesmith up",),
    "unpromoted": (
        "tonesmith generate",
        "tonesmith train --dataset DATASET",
        "tonesmith promote MODEL",
    ),
}
# What a server that is still coming up answers with, or does not.
NOT_YET = frozenset({"connect", "timeout", "busy"})
WAYS_OUT = {"http_4xx": "problem.shorter", "silent": "problem.stop"}
INPUT_AT_FAULT = frozenset({"too_long", "no_question", "unknown_model", "unknown_style"})
SELF_HEALING = frozenset({"waiting", "starting", "draining"})


def notice_kind(catalog: Catalog) -> str:
    """Return which notice the page shows, or nothing where all is well."""
    if catalog.state != "ready":
        known = catalog.state in {"waiting", "starting", "draining", "failed"}
        return catalog.state if known else "down"
    return "" if catalog.promoted else "unpromoted"


def notice_html(texts: Texts, catalog: Catalog) -> str:
    """Return the page's notice as HTML, or nothing where all is well."""
    kind = notice_kind(catalog)
    if not kind:
        return ""
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in catalog.reasons)
    commands = "".join(f"<code>{command}</code>" for command in COMMANDS.get(kind, ()))
    return (
        f'<div class="ts-notice ts-notice-{kind}" role="status">'
        f"<strong>{texts(f'notice.{kind}')}</strong>"
        f"<p>{texts(f'notice.{kind}_hint')}</p>"
        + (f"<ul>{reasons}</ul>" if reasons else "")
        + (f'<div class="ts-commands">{commands}</div>' if commands else "")
        + "</div>"
    )


def problem_sentences(texts: Texts, catalog: Catalog, problem: ProblemError) -> list[str]:
    """Return what went wrong, what the service said of it, and what to do."""
    if catalog.state in SELF_HEALING and problem.kind in NOT_YET:
        return [texts("problem.starting"), texts("problem.retry")]
    said = [texts("problem.detail", detail=problem.detail)] if problem.detail else []
    if problem.kind in INPUT_AT_FAULT:
        return [texts(problem.key, **problem.values)]
    way_out = WAYS_OUT.get(problem.kind, "problem.retry")
    return [texts(problem.key), *said, texts(way_out)]


def problem_html(texts: Texts, catalog: Catalog, problem: ProblemError | None) -> str:
    """Return a failed reply's explanation as HTML, or nothing."""
    if problem is None:
        return ""
    first, *rest = (escape(text) for text in problem_sentences(texts, catalog, problem))
    return (
        f'<div class="ts-problem" role="alert"><strong>{first}</strong>'
        + "".join(f"<span>{sentence}</span>" for sentence in rest)
        + "</div>"
    )
