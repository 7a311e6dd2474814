"""The page of a report card: one self-contained HTML file, Chinese and English, no script."""

from collections.abc import Mapping, Sequence

from contracts.quality import Coverage, GateFigures, ReportCard, Thresholds
from contracts.sample import RejectReason
from contracts.style import Language, Style
from datagen.page import NONE, mostly_chinese, percent, render_page
from datagen.questions import Bank
from datagen.words import Label, joined, named, words

# So many of the situations without a row are named.
GAPS_SHOWN = 6


def render_report_card(
    card: ReportCard, styles: Sequence[Style], banks: Mapping[Language, Bank]
) -> str:
    """Return the page. Every text that a model or a person wrote is escaped.

    Args:
        card: the figures.
        styles: the cards, for the names; a style without a card is shown by its id.
        banks: the names of emotions and areas, in either language.
    """
    places = place_labels(card.coverage, banks)
    heat = heat_rows(card.coverage)
    return render_page(
        "report_card.html.jinja",
        card=card,
        names=style_labels(card, styles),
        busy=sorted((gate for gate in card.gates if gate.flagged), key=lambda gate: -gate.flagged),
        quiet=quiet_gates(card),
        worst=worst_gate(card.gates),
        limits=limits(card.thresholds),
        places=places,
        heat=heat,
        filled=filled_share(heat[""]),
        gaps=gaps(heat[""], card.coverage, places),
        chinese=mostly_chinese(list(styles)),
    )


def quiet_gates(card: ReportCard) -> Label:
    """Return the names of the gates that refuse no row; those that are off are no such gates."""
    off, known = words()["limit.off"], limits(card.thresholds)
    return joined(
        [
            named("gate", gate.reason.value)
            for gate in card.gates
            if not gate.flagged and known.get(gate.reason.value) != off
        ]
    )


def worst_gate(gates: Sequence[GateFigures]) -> GateFigures | None:
    """Return the gate that refuses most rows, None where none refuses any."""
    worst = max(gates, key=lambda gate: gate.flagged, default=None)
    return worst if worst and worst.flagged else None


def limits(thresholds: Thresholds) -> dict[str, Label]:
    """Return the threshold of each gate as the page says it, by reason."""
    off = words()["limit.off"]
    values = {
        RejectReason.TOO_SHORT: limit("shortest", str(thresholds.shortest)),
        RejectReason.TOO_LONG: limit("longest", str(thresholds.longest)),
        RejectReason.WRONG_LANGUAGE: limit("language", percent(thresholds.language)),
        RejectReason.ECHO: limit("echo", percent(thresholds.echo)),
        RejectReason.OTHER_STYLE: off
        if thresholds.contrast <= -1
        else limit("contrast", f"{thresholds.contrast:g}"),
        RejectReason.UNLIKE_REFERENCES: limit("likeness", f"{thresholds.likeness:.2f}")
        if thresholds.likeness
        else off,
        RejectReason.JUDGE: limit("judge", f"{thresholds.judge:g}") if thresholds.judge else off,
        **dict.fromkeys(
            (
                RejectReason.DUPLICATE,
                RejectReason.NEAR_DUPLICATE,
                RejectReason.CROSS_STYLE_DUPLICATE,
            ),
            limit("near_duplicate", f"{thresholds.near_duplicate:.2f}"),
        ),
    }
    return {reason.value: label for reason, label in values.items()}


def limit(name: str, value: str) -> Label:
    """Return one threshold as the page says it."""
    text = words()[f"limit.{name}"]
    return Label(text.zh.format(value=value), text.en.format(value=value))


def style_labels(card: ReportCard, styles: Sequence[Style]) -> dict[str, Label]:
    """Return the names of every style that the report card mentions."""
    known = {style.id: Label(style.names.zh, style.names.en) for style in styles}
    return {style.id: Label(style.id, style.id) for style in card.styles} | known


def place_labels(coverage: Coverage, banks: Mapping[Language, Bank]) -> dict[str, Label]:
    """Return the names of the emotions and areas, by id; the other language's where one has none.

    Where no bank knows a place it is shown by its id.
    """
    found: dict[str, dict[Language, str]] = {}
    for language, bank in banks.items():
        for situation in bank.situations:
            for one in (situation.emotion, situation.area):
                found.setdefault(one.id, {})[language] = one.name
    labels = {}
    for place in (*coverage.emotions, *coverage.areas):
        names = found.get(place, {})
        zh, en = names.get("zh"), names.get("en")
        labels[place] = Label(zh or en or place, en or zh or place)
    return labels


def heat_rows(coverage: Coverage) -> dict[str, list[list[int | None]]]:
    """Return a table of counts, emotions by areas, of all styles (``) and of each.

    None stands where neither a row nor the bank has the situation.
    """
    every = {place: 0 for places in coverage.empty.values() for place in places}
    for counts in coverage.counts.values():
        for place, count in counts.items():
            every[place] = every.get(place, 0) + count
    cells = {
        style: dict.fromkeys(coverage.empty.get(style, ()), 0) | counts
        for style, counts in coverage.counts.items()
    }
    return {
        style: [
            [counts.get(f"{area}/{emotion}") for area in coverage.areas]
            for emotion in coverage.emotions
        ]
        for style, counts in {"": every, **cells}.items()
    }


def filled_share(table: Sequence[Sequence[int | None]]) -> str:
    """Return the share of situations that have a row, `–` where there are no situations."""
    cells = [count > 0 for line in table for count in line if count is not None]
    return percent(sum(cells) / len(cells)) if cells else NONE


def gaps(
    table: Sequence[Sequence[int | None]], coverage: Coverage, places: Mapping[str, Label]
) -> tuple[int, Label]:
    """Return how many situations no style has a row of, and the names of some, spread out."""
    missing = [
        (places[emotion], places[area])
        for emotion, line in zip(coverage.emotions, table, strict=True)
        for area, count in zip(coverage.areas, line, strict=True)
        if count == 0
    ]
    step = max(1, len(missing) // GAPS_SHOWN)
    shown = [
        Label(f"{emotion.zh}·{area.zh}", f"{emotion.en} / {area.en}")
        for emotion, area in missing[::step][:GAPS_SHOWN]
    ]
    return len(missing), joined(shown)
