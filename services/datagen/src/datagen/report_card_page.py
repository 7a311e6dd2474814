"""The page of a report card: one self-contained HTML file, Chinese and English, no script."""

from collections.abc import Mapping, Sequence

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts.quality import Coverage, ReportCard
from contracts.style import Language, Style
from datagen.questions import Bank
from datagen.report import TEMPLATES, Label, mostly_chinese, percent

NONE = "\u2013"
# The names of the reasons on the page.
REASONS = {
    "control_token": Label("控制符", "Control tokens"),
    "too_short": Label("太短", "Too short"),
    "too_long": Label("太长", "Too long"),
    "broken_text": Label("乱码或没说完", "Broken or cut text"),
    "crisis": Label("危机内容没有安全回复", "Crisis without a safe reply"),
    "assistant_voice": Label("助手腔", "Assistant voice"),
    "wrong_language": Label("语言不对", "Wrong language"),
    "echo": Label("复读问题", "Echo of the question"),
    "personal_data": Label("个人信息", "Personal data"),
    "other_style": Label("更像别的风格", "Nearer to another style"),
    "unlike_references": Label("不像卡片里的例子", "Unlike the card’s examples"),
    "duplicate": Label("完全重复", "Duplicates"),
    "near_duplicate": Label("近似重复", "Near duplicates"),
    "cross_style_duplicate": Label("跨风格重复", "Duplicates across styles"),
}
KINDS = {
    "phone": Label("电话", "phone numbers"),
    "email": Label("邮箱", "e-mail addresses"),
    "id_number": Label("证件号", "ID numbers"),
    "bank_card": Label("银行卡号", "bank cards"),
    "account": Label("社交账号", "chat accounts"),
    "address": Label("住址", "addresses"),
    "suicide": Label("自杀", "suicide"),
    "self_harm": Label("自伤", "self-harm"),
    "abuse": Label("受虐待", "abuse"),
    "incitement": Label("怂恿伤害", "incitement"),
}


def render_report_card(
    card: ReportCard, styles: Sequence[Style], banks: Mapping[Language, Bank]
) -> str:
    """Return the page. Every text that a model or a person wrote is escaped.

    Args:
        card: the figures.
        styles: the cards, for the names; a style without a card is shown by its id.
        banks: the names of emotions and areas, in either language.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "signed": signed}
    return environment.get_template("report_card.html.jinja").render(
        card=card,
        names=style_labels(card, styles),
        reasons=REASONS,
        kinds=KINDS,
        places=place_labels(card.coverage, banks),
        heat=heat_rows(card.coverage),
        chinese=mostly_chinese(list(styles)),
    )


def signed(value: float | None) -> str:
    """Return a cosine with its sign and three digits, `–` for None."""
    return NONE if value is None else f"{value:+.3f}".replace("-", "−")


def style_labels(card: ReportCard, styles: Sequence[Style]) -> dict[str, Label]:
    """Return the names of every style that the report card mentions."""
    known = {style.id: Label(style.names.zh, style.names.en) for style in styles}
    return {style.id: Label(style.id, style.id) for style in card.styles} | known


def place_labels(coverage: Coverage, banks: Mapping[Language, Bank]) -> dict[str, Label]:
    """Return the names of the emotions and areas, by id; the id where a bank has none."""
    names: dict[str, dict[Language, str]] = {}
    for language, bank in banks.items():
        for situation in bank.situations:
            for place in (situation.emotion, situation.area):
                names.setdefault(place.id, {})[language] = place.name
    ids = (*coverage.emotions, *coverage.areas)
    return {
        place: Label(names.get(place, {}).get("zh", place), names.get(place, {}).get("en", place))
        for place in ids
    }


def heat_rows(coverage: Coverage) -> dict[str, list[list[int]]]:
    """Return a table of counts, emotions by areas, of all styles (``) and of each."""
    found: dict[str, list[list[int]]] = {}
    every: dict[str, int] = {}
    for counts in coverage.counts.values():
        for place, count in counts.items():
            every[place] = every.get(place, 0) + count
    for style, counts in {"": every, **coverage.counts}.items():
        found[style] = [
            [counts.get(f"{area}/{emotion}", 0) for area in coverage.areas]
            for emotion in coverage.emotions
        ]
    return found
