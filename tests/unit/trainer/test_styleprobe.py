"""Held-out rows that tell how well a checkpoint speaks its styles."""

from typing import Any

from contracts.dataset import Conditioning
from contracts.style import Style, StyleVersion
from fakes.training import STYLE, rows
from trainer.styleprobe import ROWS, style_probe

CALM = STYLE | {"id": "calm", "names": {"zh": "平静", "en": "Calm"}, "system_prompt": "你很平静。"}
STYLES = [StyleVersion(version=1, style=Style.model_validate(card)) for card in (STYLE, CALM)]


def calm(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row in the other style."""
    return row | {"system": CALM["system_prompt"]}


def test_rows_are_few_and_even_over_the_styles() -> None:
    """One of each style in turn, also where one style has more rows."""
    many = [*rows(60), *map(calm, rows(20))]
    probe = style_probe(many, STYLES, Conditioning.SYSTEM)
    assert probe
    assert len(probe["rows"]) == ROWS
    counts = [row["style"] for row in probe["rows"]]
    assert counts.count("calm") == counts.count("tsundere") == ROWS // 2
    assert probe["prompts"] == {"tsundere": "你说话傲娇。", "calm": "你很平静。"}


def test_row_is_a_chat_that_ends_with_the_user() -> None:
    """System prompt, earlier turns, question; the reply is apart."""
    probe = style_probe(rows(1), STYLES, Conditioning.SYSTEM)
    assert probe
    roles = [message["role"] for message in probe["rows"][0]["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert probe["rows"][0]["reply"].startswith("哼")


def test_first_line_names_the_style_where_no_prompt_does() -> None:
    """Conditioning by a prefix: there is no system prompt to ask with."""
    row = rows(1)[0] | {"system": "", "output": "平静\n慢慢来。"}
    probe = style_probe([row], STYLES, Conditioning.PREFIX)
    assert probe
    assert probe["rows"][0]["style"] == "calm"
    assert set(probe["prompts"].values()) == {""}


def test_rows_without_a_style_make_no_probe() -> None:
    """Then the checkpoint is chosen by its held-out loss."""
    assert style_probe([rows(1)[0] | {"system": ""}], STYLES, Conditioning.NONE) is None
    assert style_probe([], STYLES, Conditioning.SYSTEM) is None
