"""Text search over the rows of a review: 50,000 short texts are looked through in memory.

A scan with SQLite's `instr` took longer than a page may, and an index of three-letter pieces would
not find the two characters that a Chinese word mostly has. Figures: `benchmarks/review.py`.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from datagen.review_schema import ORDERS

# Reviews whose texts are kept: 50,000 rows are about 15 MB.
KEPT = 2
Read = Callable[[str, Sequence[Any]], list[Any]]


@dataclass(frozen=True)
class Known:
    """The texts of a review by number, and its rows in the order of the queue."""

    texts: list[str]
    queue: list[int]


class Search:
    """Finds rows by what they say now.

    Args:
        read: runs a query.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._guard = threading.Lock()
        self._reviews: OrderedDict[int, Known] = OrderedDict()

    def holding(self, review: int, text: str) -> set[int]:
        """Return the numbers of the rows whose question or reply holds `text`, in any case."""
        wanted = text.casefold()
        found = {
            number for number, known in enumerate(self._known(review).texts) if wanted in known
        }
        edited = "SELECT number, folded FROM rows WHERE review = ? AND folded IS NOT NULL"
        for number, folded in self._read(edited, (review,)):
            (found.add if wanted in folded else found.discard)(number)
        return found

    def queue(self, review: int) -> list[int]:
        """Return the numbers of all rows, the most uncertain first."""
        return self._known(review).queue

    def _known(self, review: int) -> Known:
        """Return what a review published: it never changes."""
        with self._guard:
            if known := self._reviews.get(review):
                self._reviews.move_to_end(review)
                return known
        texts = self._read("SELECT folded FROM words WHERE review = ? ORDER BY number", (review,))
        numbers = self._read(
            f"SELECT number FROM rows WHERE review = ? ORDER BY {ORDERS['uncertainty']}", (review,)
        )
        known = Known([row[0] for row in texts], [row[0] for row in numbers])
        with self._guard:
            self._reviews[review] = known
            while len(self._reviews) > KEPT:
                self._reviews.popitem(last=False)
        return known
