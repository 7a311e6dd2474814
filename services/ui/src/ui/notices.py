"""What stands in the way, in the reader's language, with the way out (pure)."""

from html import escape

from ui.catalog import Catalog
from ui.errors import ProblemError, StoreError
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
STATES = frozenset({"waiting", "starting", "draining", "failed", "lent", "leaving"})
# What a server that is still coming up answers with, or does not.
NOT_YET = frozenset({"connect", "timeout", "busy"})
# A server that is coming up by itself may also answer so before it is ready.
COMING_UP = NOT_YET | {"http_5xx", "no_model"}
WAYS_OUT = {
    "http_4xx": "problem.shorter",
    "silent": "problem.stop",
    "leaving": "problem.again_soon",
    "cut_off": "problem.retry_soon",
}
INPUT_AT_FAULT = frozenset({"too_long", "no_question", "unknown_model", "unknown_style", "rate"})
SELF_HEALING = frozenset({"waiting", "starting", "draining"})
# Nothing failed: what was asked has to wait for something that ends by itself.
PASSING = frozenset({"training", "leaving"})


def notice_kind(catalog: Catalog) -> str:
    """Return which notice the page shows, or nothing where all is well."""
    if catalog.state != "ready":
        return catalog.state if catalog.state in STATES else "down"
    return "" if catalog.promoted else "unpromoted"


def notice_html(texts: Texts, catalog: Catalog) -> str:
    """Return the page's notice as HTML, or nothing where all is well."""
    kind = notice_kind(catalog)
    if not kind:
        return ""
    first = lent_sentence(texts, catalog) if kind == "lent" else texts(f"notice.{kind}")
    hint = " ".join([*progress_sentences(texts, catalog), texts(f"notice.{kind}_hint")])
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in catalog.reasons)
    commands = "".join(f"<code>{command}</code>" for command in COMMANDS.get(kind, ()))
    return (
        f'<div class="ts-notice ts-notice-{kind}" role="status">'
        f"<strong>{escape(first)}</strong>"
        f"<p>{escape(hint)}</p>"
        + (f"<ul>{reasons}</ul>" if reasons else "")
        + (f'<div class="ts-commands">{commands}</div>' if commands else "")
        + "</div>"
    )


def lent_sentence(texts: Texts, catalog: Catalog) -> str:
    """Return who has the GPU, and that it comes back."""
    if not catalog.holder:
        return texts("notice.lent_unnamed")
    return texts("notice.lent", holder=catalog.holder)


def progress_sentences(texts: Texts, catalog: Catalog) -> list[str]:
    """Return how far the training run is, if the trainer says so."""
    known = catalog.progress
    if catalog.state != "lent" or not known or not known.total:
        return []
    stage = texts.table.get(f"stage.{known.stage}", known.stage)
    return [texts("notice.lent_progress", stage=stage, done=known.done, total=known.total)]


def problem_sentences(texts: Texts, catalog: Catalog, problem: ProblemError) -> list[str]:
    """Return what went wrong, what the service said of it, and what to do."""
    lent = catalog.state == "lent" and problem.kind in NOT_YET
    if lent or problem.kind == "training":
        return [lent_sentence(texts, catalog), texts("problem.retry")]
    if catalog.state in SELF_HEALING and problem.kind in COMING_UP:
        return [texts("problem.starting"), texts("problem.retry")]
    said = [texts("problem.detail", detail=problem.detail)] if problem.detail else []
    if problem.kind in INPUT_AT_FAULT:
        return [texts(problem.key, **problem.values)]
    way_out = WAYS_OUT.get(problem.kind, "problem.retry")
    return [texts(problem.key), *said, texts(way_out)]


def store_sentence(texts: Texts, error: StoreError) -> str:
    """Return why what a person keeps could not be found, kept or voted on."""
    values = dict(error.values)
    if why := values.pop("reason_key", None):
        values["reason"] = texts(str(why))
    return texts(error.key, **values)


def problem_html(texts: Texts, catalog: Catalog, problem: ProblemError | None) -> str:
    """Return a failed reply's explanation as HTML, or nothing."""
    if problem is None:
        return ""
    role = "status" if problem.kind in PASSING else "alert"
    return explanation(problem_sentences(texts, catalog, problem), role)


def healed_html(texts: Texts, catalog: Catalog, problem: ProblemError | None) -> str | None:
    """Return what to say once that is over which a message had to wait for; None: not yet."""
    if problem is None or problem.kind not in PASSING or catalog.state != "ready":
        return None
    return explanation([texts("problem.over"), texts("problem.retry")], "status")


def explanation(sentences: list[str], role: str) -> str:
    """Return sentences as HTML, the first of them set off."""
    first, *rest = (escape(text) for text in sentences)
    return (
        f'<div class="ts-problem" role="{role}"><strong>{first}</strong>'
        + "".join(f"<span>{sentence}</span>" for sentence in rest)
        + "</div>"
    )
