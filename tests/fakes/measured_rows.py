"""Rows of two Chinese and one English style as a finished dataset has them, and with defects."""

import random
from collections.abc import Mapping
from dataclasses import replace

from contracts.style import Language, Style
from datagen.compose import styled_reply
from datagen.measured import Row
from datagen.questions import Bank


def good_rows(
    cards: Mapping[str, Style], banks: Mapping[Language, Bank], per_style: int = 40
) -> list[Row]:
    """Return rows that no gate has anything against, the styles in turn."""
    chance = random.Random(12)
    found = []
    situations = {
        name: chance.sample(banks[c.language].situations, per_style) for name, c in cards.items()
    }
    for number in range(per_style):
        for name, card in cards.items():
            situation = situations[name][number]
            question = banks[card.language].draw(situation, "train", chance).text
            reply = styled_reply(card, situation.advice, chance)
            found.append(Row(f"{name}-{number:04d}", name, question, reply, situation=situation.id))
    return found


def with_reply(rows: list[Row], at: int, reply: str) -> list[Row]:
    """Return the rows with another reply in one of them."""
    return [replace(row, reply=reply) if place == at else row for place, row in enumerate(rows)]
