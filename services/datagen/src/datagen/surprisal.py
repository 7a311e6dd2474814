"""How natural a text is, without a reference: bits a character under trigrams of training replies.

A trigram model of characters with Jelinek-Mercer interpolation (Chen and Goodman, An Empirical
Study of Smoothing Techniques for Language Modeling, 1999, section 2.3) learns from the training
replies of a language, styled and plain. Word salad, broken characters and loops of rare tokens cost
many bits a character; fluent text of any of the styles costs few. It says nothing about sense.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

# Of the trigram, bigram, character and the uniform share. Fixed, not fitted: contestants are
# compared under one yardstick, whose level means nothing.
WEIGHTS = (0.7, 0.2, 0.09, 0.01)
# Characters that could come besides those seen: CJK and the Latin planes, roughly.
ALPHABET = 30_000
START, END = "\x02", "\x03"


class Trigrams:
    """A character trigram model.

    Args:
        texts: what it learns from; without any, every character is equally surprising.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self.counts: tuple[Counter[str], ...] = (Counter(), Counter(), Counter())
        self.contexts: tuple[Counter[str], ...] = (Counter(), Counter(), Counter())
        for text in texts:
            padded = f"{START}{START}{text}{END}"
            for place in range(2, len(padded)):
                for order in range(3):
                    gram = padded[place - order : place + 1]
                    self.counts[order][gram] += 1
                    self.contexts[order][gram[:-1]] += 1

    def bits(self, text: str) -> float:
        """Return the mean bits a character of `text`, its end included."""
        padded = f"{START}{START}{text}{END}"
        costs = [-math.log2(self._chance(padded, place)) for place in range(2, len(padded))]
        return sum(costs) / len(costs)

    def mean_bits(self, texts: Sequence[str]) -> float:
        """Return the mean of `bits` over `texts`, of which there is at least one."""
        return sum(map(self.bits, texts)) / len(texts)

    def _chance(self, padded: str, place: int) -> float:
        chance = WEIGHTS[3] / ALPHABET
        for order, weight in zip((2, 1, 0), WEIGHTS[:3], strict=True):
            gram = padded[place - order : place + 1]
            if seen := self.contexts[order][gram[:-1]]:
                chance += weight * self.counts[order][gram] / seen
        return chance
