"""Slots: what a dataset asks for. A slot's questions follow from the seed alone.

So a run that is resumed after `kill -9` asks the very same questions, and only those that are
missing.
"""

import random
import zlib
from dataclasses import dataclass

from contracts.dataset import DatasetRequest
from contracts.style import Language, StyleVersion
from datagen.questions import Bank, Question


@dataclass(frozen=True)
class Slot:
    """One row to be filled: the `number`-th of a style, with so many exchanges."""

    style: StyleVersion
    number: int
    turns: int

    @property
    def id(self) -> str:
        """`<style>/<number>`, unique in the dataset."""
        return f"{self.style.style.id}/{self.number:05d}"


def plan(request: DatasetRequest, styles: list[StyleVersion]) -> list[Slot]:
    """Return the slots of a dataset, all styles side by side.

    The multi-turn ones are spread evenly: after n slots of a style, ratio * n of them are.
    """
    ratio = request.multi_turn_ratio
    slots: list[Slot] = []
    for number in range(request.per_style):
        dialogue = int((number + 1) * ratio + 1e-9) > int(number * ratio + 1e-9)
        turns = max(2, request.turns) if dialogue else 1
        slots.extend(Slot(style, number, turns) for style in styles)
    return slots


def request_seed(seed: int, slot: Slot, turn: int, attempt: int) -> int:
    """Return the seed of one teacher request, 31 bits, different for each."""
    return zlib.crc32(f"{seed}/{slot.id}/{turn}/{attempt}".encode()) & 0x7FFFFFFF


class Questions:
    """Draws the question of each slot, turn and attempt from the training wordings.

    Args:
        banks: situations by language.
        seed: of the dataset.
    """

    def __init__(self, banks: dict[Language, Bank], seed: int) -> None:
        self.banks = banks
        self.seed = seed
        self._orders: dict[str, list[int]] = {}

    def draw(self, slot: Slot, turn: int, attempt: int) -> Question:
        """Return the question; turns after the first start as a follow-up."""
        style = slot.style.style
        bank = self.banks[style.language]
        chance = random.Random(f"{self.seed}/{slot.id}/{turn}/{attempt}")
        order = self._order(style.id, len(bank.situations))
        # Neighbouring slots ask about different situations, and all come before any comes again.
        place = order[(slot.number + turn * len(order) // 2) % len(order)]
        question = bank.draw(bank.situations[place], "train", chance)
        if turn == 0:
            return question
        text = chance.choice(bank.file.followups).format(question=question.text)
        return Question(text, question.situation)

    def _order(self, style_id: str, size: int) -> list[int]:
        if style_id not in self._orders:
            chance = random.Random(f"{self.seed}/{style_id}")
            self._orders[style_id] = chance.sample(range(size), size)
        return self._orders[style_id]
