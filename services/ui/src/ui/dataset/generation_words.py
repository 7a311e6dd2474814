"""What a generation would take, and what is wrong with its form, in the reader's words (pure)."""

from collections.abc import Mapping
from html import escape

from contracts.dataset import DatasetRequest
from contracts.estimate import CostEstimate
from ui.dataset.generation_form import Complaint
from ui.texts import Texts

MINUTE, HOUR = 60, 3600
MILLION, THOUSAND = 1_000_000, 1_000
# Below this, two places would round too much away.
CENTS = 0.1


def plan_html(texts: Texts, request: DatasetRequest | None, styles: int) -> str:
    """Return how many rows are asked for; `styles` is how many the library has."""
    if request is None:
        return f'<p class="ts-plan">{escape(texts("generate.incomplete"))}</p>'
    chosen = len(request.styles) or styles
    values = {"styles": chosen, "per_style": request.per_style}
    rows = texts("generate.total", rows=f"{chosen * request.per_style:,}")
    how = texts("generate.product" if request.styles else "generate.product_all", **values)
    return (
        f'<p class="ts-plan"><strong>{escape(rows)}</strong>'
        f'<span class="ts-faint">{escape(how)}</span></p>'
    )


def estimate_html(
    texts: Texts, estimate: CostEstimate, *, stale: bool = False, budget: float | None = None
) -> str:
    """Return what a generation would take. `stale`: the form was changed since it was asked."""
    facts = {
        "generate.teacher": estimate.teacher or "–",
        "generate.calls": f"{estimate.calls:,}",
        "generate.tokens": texts(
            "generate.in_and_out",
            input=short_count(estimate.input_tokens),
            output=short_count(estimate.output_tokens),
        ),
        "generate.cost": cost_text(texts, estimate.dollars),
        "generate.left": left_text(texts, estimate, budget),
        "generate.time": duration_text(texts, estimate.seconds),
    }
    known = "".join(
        f"<dt>{escape(texts(key))}</dt><dd>{escape(value)}</dd>" for key, value in facts.items()
    )
    old = f'<p class="ts-warn">{escape(texts("generate.stale"))}</p>' if stale else ""
    return (
        f'<div class="ts-estimate{" ts-stale" if stale else ""}">'
        f"{old}<dl>{known}</dl>{assumptions_html(texts, estimate)}</div>"
    )


def assumptions_html(texts: Texts, estimate: CostEstimate) -> str:
    """Return what an estimate rests on, folded."""
    paid = texts("generate.measured", count=estimate.measured_calls)
    items = "".join(f"<li>{escape(one)}</li>" for one in estimate.assumptions)
    return (
        f"<details><summary>{escape(texts('generate.assumptions'))}</summary>"
        f'<p>{escape(paid)}</p><ul lang="en">{items}</ul></details>'
    )


def left_text(texts: Texts, estimate: CostEstimate, budget: float | None) -> str:
    """Return what is left of the service's budget, and what this form allows."""
    left = estimate.budget_left
    shared = texts("generate.no_budget") if left is None else dollars_text(left)
    if budget is None:
        return shared
    return texts("generate.own_budget", shared=shared, own=dollars_text(budget))


def cost_text(texts: Texts, dollars: float | None) -> str:
    """Return what something costs; without prices, that nobody knows."""
    return texts("generate.no_prices") if dollars is None else dollars_text(dollars)


def dollars_text(dollars: float) -> str:
    """Return an amount with as many places as it needs to be told from nothing."""
    places = 2 if dollars >= CENTS or dollars == 0 else 4
    return f"${dollars:,.{places}f}"


def short_count(count: int) -> str:
    """Return a count that may be large: 1,234 as 1.2k."""
    if count >= MILLION:
        return f"{count / MILLION:.1f}M"
    return f"{count / THOUSAND:.1f}k" if count >= THOUSAND else str(count)


def duration_text(texts: Texts, seconds: float) -> str:
    """Return how long something takes, as a person says it."""
    if seconds < MINUTE:
        return texts("generate.soon")
    hours, rest = divmod(round(seconds), HOUR)
    key = "generate.hours" if hours else "generate.minutes"
    return texts(key, hours=hours, minutes=rest // MINUTE)


def complaint_html(texts: Texts, found: Complaint) -> str:
    """Return what is wrong with a field."""
    key, values = found
    return wrong_html(texts(key, **values))


def wrong_html(*sentences: str) -> str:
    """Return what stands below a field that is wrong."""
    said = " ".join(sentence for sentence in sentences if sentence)
    return f'<p class="ts-wrong" role="alert">{escape(said)}</p>'


def told_html(texts: Texts, key: str, **values: object) -> str:
    """Return a sentence about what was just done."""
    return f'<p class="ts-told" role="status">{escape(texts(key, **values))}</p>'


def waiting_html(texts: Texts, key: str) -> str:
    """Return a sentence about what takes a moment."""
    return f'<p class="ts-told ts-busy" role="status">{escape(texts(key))}</p>'


def question_choices(texts: Texts, sets: Mapping[str, tuple[int, int]]) -> list[tuple[str, str]]:
    """Return the question sets that may be asked: the shipped bank, then those by their id."""
    named = [
        (texts("generate.set", name=name, train=train, held=held), name)
        for name, (train, held) in sets.items()
    ]
    return [(texts("generate.bank"), "bank"), *named]
