"""The page of an evaluation: one self-contained HTML file, Chinese and English, no script."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from contracts.evaluation import EvaluationReport, Reply
from contracts.interval import Interval
from contracts.proof import Figure
from contracts.style import Style
from datagen.charts import Dot, Line, axis, dot_rows, key_mark, line_chart
from datagen.classifier import PLAIN
from datagen.page import mostly_chinese, render_page
from datagen.verdict import BASE, TUNED
from datagen.words import Label, joined, named, words

PROMPTED = "prompted"
# Their marks are the same on every page; further models get those that come after.
KINDS = (BASE, PROMPTED, TUNED)
DEFECTS = ("empty", "broken", "unfinished", "echo", "repetition")
# So that the page stays readable: two samples of each style, or one where there are many styles.
SAMPLES_SHOWN = 14
FAILURES_SHOWN = 12
UNKNOWN = Interval(low=0.0, high=1.0)


@dataclass(frozen=True)
class Contestant:
    """Who is compared.

    Attributes:
        key: its name in the report.
        kind: number of its mark.
        label: its name on the page.
        model: served name.
    """

    key: str
    kind: int
    label: Label
    model: str

    @property
    def mark(self) -> Markup:
        """Its mark, for a legend."""
        return key_mark(self.kind)


@dataclass(frozen=True)
class Exchange:
    """All contestants' replies to one question, the tuned one's among them."""

    replies: Mapping[str, Reply]

    @property
    def tuned(self) -> Reply:
        """The reply that is on trial."""
        return self.replies[TUNED]


@dataclass(frozen=True)
class StyleRow:
    """One style in the picture.

    Attributes:
        id: of the style; empty for all of them.
        picture: a dot for each contestant.
        figures: the same in figures, by contestant.
        on_topic: of the tuned model.
        count: questions.
    """

    id: str
    picture: Markup
    figures: dict[str, Figure]
    on_topic: float | None
    count: int


def render_report(report: EvaluationReport, replies: Sequence[Reply], styles: list[Style]) -> str:
    """Return the page. Every text that a model or a person wrote is escaped.

    Args:
        report: the figures; those of older reports lack some, and so does their page.
        replies: the judged replies, one of each contestant for each question.
        styles: the cards, for the names; a style without a card is shown by its id.
    """
    every = exchanges(replies)
    wrong = failures(every)
    chinese = mostly_chinese(styles)
    contestants = contestants_of(report)
    return render_page(
        "report.html.jinja",
        report=report,
        contestants=contestants,
        who={one.key: one.label for one in contestants},
        base=report.contestants[BASE],
        tuned=report.contestants[TUNED],
        totals={one.contestant: one for one in report.figures if not one.style},
        gain=gain_over_prompt(report),
        rows=style_rows(report, contestants, chinese=chinese),
        axis=axis(),
        drift=drift_picture(report, contestants, chinese=chinese),
        labels=labels(report, styles),
        columns=columns(report),
        samples=samples(every),
        failures=wrong[:FAILURES_SHOWN],
        failed=len(wrong),
        defects=DEFECTS,
        trained=trained_figures(report),
        forms=chosen_forms(report),
        untried=untried_forms(report),
        unasked=unasked_styles(report, styles),
        chinese=chinese,
    )


def contestants_of(report: EvaluationReport) -> list[Contestant]:
    """Return who is compared: as they are ranked, else tuned, prompted, base, the others."""
    places = {rank.contestant: rank.place for rank in report.ranking}
    further = [name for name in report.contestants if name not in KINDS]
    usual = [*reversed(KINDS), *further]
    known = [name for name in usual if name in report.contestants]
    return [
        Contestant(
            key=name,
            kind=KINDS.index(name) if name in KINDS else len(KINDS) + further.index(name),
            label=named("who", name),
            model=report.contestants[name].model,
        )
        for name in sorted(known, key=lambda name: places.get(name, len(usual)))
    ]


def style_rows(
    report: EvaluationReport, contestants: Sequence[Contestant], *, chinese: bool
) -> list[StyleRow]:
    """Return a row for all styles, where the report has such figures, and one for each style."""
    found: dict[str, dict[str, Figure]] = {}
    for one in report.figures:
        found.setdefault(one.style, {})[one.contestant] = one.strength
    advice = {one.style: one.on_topic for one in report.figures if one.contestant == TUNED}
    on_topic = {style: figure.value for style, figure in advice.items() if figure}
    if not found:  # an older report: shares, and two contestants
        for score in report.styles:
            found[score.id] = {
                TUNED: old_figure(score.tuned_accuracy, score.tuned_interval, score.replies),
                BASE: old_figure(score.base_accuracy, score.base_interval, score.replies),
            }
            if score.on_topic is not None:
                on_topic[score.id] = score.on_topic
    return [
        StyleRow(
            id=style,
            picture=dot_rows(
                dots(figures, contestants, chinese=chinese), floor=report.random_accuracy
            ),
            figures=figures,
            on_topic=on_topic.get(style),
            count=max(figure.count for figure in figures.values()),
        )
        for style, figures in found.items()
    ]


def old_figure(value: float, interval: Interval | None, count: int) -> Figure:
    """Return a figure of a report that was written before figures had intervals."""
    return Figure(value=value, interval=interval or UNKNOWN, count=count)


def dots(
    figures: Mapping[str, Figure], contestants: Sequence[Contestant], *, chinese: bool
) -> list[Dot]:
    """Return the figures as dots, in the order of the contestants."""
    return [
        Dot(
            kind=one.kind,
            name=one.label.zh if chinese else one.label.en,
            value=figures[one.key].value,
            low=figures[one.key].interval.low,
            high=figures[one.key].interval.high,
        )
        for one in contestants
        if one.key in figures
    ]


def drift_picture(
    report: EvaluationReport, contestants: Sequence[Contestant], *, chinese: bool
) -> Markup:
    """Return the strength by turn of each contestant; empty where no conversation was held."""
    by_name = {drift.contestant: drift for drift in report.drift}
    lines = [
        Line(
            [
                dot
                for turn in by_name[one.key].turns
                for dot in dots({one.key: turn}, [one], chinese=chinese)
            ]
        )
        for one in contestants
        if one.key in by_name
    ]
    return line_chart(lines)


def gain_over_prompt(report: EvaluationReport) -> Figure | None:
    """Return the tuned model's accuracy minus the prompted base's, None where it was not asked."""
    for pair in report.pairs:
        if (pair.first, pair.second) == (TUNED, PROMPTED):
            return pair.accuracy
        if (pair.first, pair.second) == (PROMPTED, TUNED):
            found, turned = pair.accuracy, pair.accuracy.interval
            interval = Interval(low=-turned.high, high=-turned.low)
            return Figure(value=-found.value, interval=interval, count=found.count)
    return None


def chosen_forms(report: EvaluationReport) -> Label | None:
    """Return which forms of the style prompt were chosen, the commonest first."""
    found: dict[str, int] = {}
    for choice in report.prompts:
        found[choice.form] = found.get(choice.form, 0) + 1
    if not found:
        return None
    ordered = sorted(found, key=lambda form: -found[form])
    texts = [(named("form", form), found[form]) for form in ordered]
    return joined([Label(f"{one.zh} × {n}", f"{one.en} × {n}") for one, n in texts])


def untried_forms(report: EvaluationReport) -> Label | None:
    """Return which forms of the style prompt the server did not take; None where it took all."""
    names = dict.fromkeys(form for choice in report.prompts for form in choice.untried)
    return joined([named("form", name) for name in names]) if names else None


def unasked_styles(report: EvaluationReport, styles: Sequence[Style]) -> Label | None:
    """Return the styles that nothing was held out for; None where each was asked."""
    asked = {score.id for score in report.styles}
    names = [Label(one.names.zh, one.names.en) for one in styles if one.id not in asked]
    return joined(names) if names else None


def labels(report: EvaluationReport, styles: Sequence[Style]) -> dict[str, Label]:
    """Return the names of every style that the report mentions; `` is an empty reply."""
    known = {style.id: Label(style.names.zh, style.names.en) for style in styles}
    found = {name: Label(name, name) for name in (*columns(report), *(s.id for s in report.styles))}
    return found | {"": words()["empty"], PLAIN: words()["plain"]} | known


def columns(report: EvaluationReport) -> list[str]:
    """Return the columns of the confusion table: the asked styles, then what else was found."""
    asked = [score.id for score in report.styles]
    found = {name for row in report.confusion.values() for name in row}
    return [*asked, *sorted(found.difference(asked))]


def exchanges(replies: Sequence[Reply]) -> list[Exchange]:
    """Return the questions with all replies to them, in the order in which they were asked."""
    found: dict[tuple[str, int], dict[str, Reply]] = {}
    for reply in replies:
        if reply.turn == 1:
            found.setdefault((reply.style, reply.number), {})[reply.contestant] = reply
    return [Exchange(one) for one in found.values() if TUNED in one]


def samples(every: Sequence[Exchange]) -> dict[str, list[Exchange]]:
    """Return the first of each style: first by number, not by how well they came out."""
    per_style = 2 if 2 * len({one.tuned.style for one in every}) <= SAMPLES_SHOWN else 1
    found: dict[str, list[Exchange]] = {}
    for one in sorted(every, key=lambda one: one.tuned.number):
        shown = found.setdefault(one.tuned.style, [])
        if len(shown) < per_style:
            shown.append(one)
    return found


def failures(every: Sequence[Exchange]) -> list[Exchange]:
    """Return those whose tuned reply is in another tone, off topic or defective."""
    return [
        one
        for one in every
        if one.tuned.predicted_style != one.tuned.style
        or one.tuned.on_topic is False
        or one.tuned.defects
    ]


def trained_figures(report: EvaluationReport) -> list[tuple[Label, str]]:
    """Return the trainer's figures of the tuned model, named; if there are any."""
    known = report.trained.metrics if report.trained else {}
    prefix = "trained."
    return [
        (label, f"{known[key.removeprefix(prefix)]:.3g}")
        for key, label in words().items()
        if key.startswith(prefix) and key.removeprefix(prefix) in known
    ]
