"""The style cards that ship with datagen, as its library lists them."""

from pathlib import Path

import yaml

from contracts.style import Style, StyleVersion

DATAGEN = Path(__file__).parents[2] / "services" / "datagen"


def shipped_styles() -> list[StyleVersion]:
    """Return the style cards that ship with datagen, Chinese ones first."""
    cards = [
        Style.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        for path in sorted((DATAGEN / "styles").glob("*.yaml"))
    ]
    cards.sort(key=lambda card: (card.language != "zh", card.id != "tsundere", card.id))
    return [StyleVersion(version=1, style=card) for card in cards]
