"""Which question each slot asks: it follows from the seed alone, and is spread over the grid.

So a run that is resumed after `kill -9` asks the very same questions, and only those that are
missing; and every style gets as many rows of one emotion or area as of another.
"""

import random
from collections.abc import Mapping, Sequence

from contracts.style import Language
from datagen.questions import Bank, Place, Question
from datagen.slots import Slot


class Questions:
    """Draws the first question of each slot and attempt from the training wordings.

    Args:
        banks: where the questions come from, by language.
        seed: of the dataset.
    """

    def __init__(self, banks: Mapping[Language, Bank], seed: int) -> None:
        self.banks = banks
        self.seed = seed
        self._orders: dict[str, Sequence[Place]] = {}

    def draw(self, slot: Slot, attempt: int) -> Question:
        """Return the question that the row begins with; it stays on that place of the grid.

        What follows in a dialogue is written by the simulated user.
        """
        bank = self.banks[slot.style.style.language]
        chance = random.Random(f"{self.seed}/{slot.id}/0/{attempt}")
        order = self._order(slot)
        return bank.question(order[slot.number % len(order)], chance, attempt)

    def _order(self, slot: Slot) -> Sequence[Place]:
        style = slot.style.style
        if style.id not in self._orders:
            chance = random.Random(f"{self.seed}/{style.id}")
            self._orders[style.id] = self.banks[style.language].places(chance)
        return self._orders[style.id]
