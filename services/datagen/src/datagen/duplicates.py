"""Duplicates row by row, as they come: the index that a generation or an import asks.

Texts are compared by the Jaccard similarity of their character 3-grams: exact over the candidates
that MinHash with banding finds, so it stays fast at 100,000 rows. A whole dataset at once:
`near_pairs.py`.
"""

from dataclasses import dataclass, field
from functools import cached_property

from datagen.bands import Bands, Signed
from datagen.shingles import Grams, grams, similarity
from datagen.text import letters

# Three characters changed in a reply of 30 to 200: 99 in 100 stay above this; of 1,658 real rows
# and 3,600 generated ones no two are as similar as 0.65.
NEAR = 0.7
# Signatures of 120 hashes tell a similarity of 0.7 with a standard error of 0.042: a candidate
# that seems this much less similar than asked for is not compared.
SLACK = 0.13


@dataclass(frozen=True)
class Nearest:
    """The highest similarities of a text to accepted ones, 0 to 1.

    Attributes:
        within: of the same style.
        across: of the other styles.
        other: the style that `across` is of.
    """

    within: float = 0.0
    across: float = 0.0
    other: str = ""


@dataclass(frozen=True)
class Print:
    """A text as it is compared: each part is worked out when it is first asked for, and once."""

    text: str

    @cached_property
    def plain(self) -> str:
        """Its letters."""
        return letters(self.text)

    @cached_property
    def grams(self) -> Grams:
        """Its hashed 3-grams."""
        return grams(self.plain)

    @cached_property
    def signed(self) -> Signed:
        """Its MinHash signature."""
        return Signed(self.grams)


@dataclass
class DuplicateIndex:
    """The accepted texts of one dataset, by style.

    Args:
        near: similarity from which two texts count as near duplicates.
    """

    near: float = NEAR
    _exact: set[tuple[str, str]] = field(default_factory=set)
    _grams: list[Grams] = field(default_factory=list)
    _styles: list[str] = field(default_factory=list)
    _bands: Bands = field(default_factory=Bands)
    # A text is looked for, compared and added one after the other.
    _last: Print = field(default_factory=lambda: Print(""))

    def is_duplicate(self, style: str, text: str) -> bool:
        """Return whether `style` has a text of the same letters."""
        return (style, self._print(text).plain) in self._exact

    def nearest(self, style: str, text: str) -> Nearest:
        """Return how similar `text` is to the accepted texts of `style`, and of the others.

        Exact where a text is about as similar as `near`; far ones may count as 0.
        """
        found = self._print(text)
        within, across, other = 0.0, 0.0, ""
        for number in self._bands.alike(found.signed, self.near - SLACK):
            value = similarity(found.grams, self._grams[number])
            if self._styles[number] == style:
                within = max(within, value)
            elif value > across:
                across, other = value, self._styles[number]
        return Nearest(within, across, other)

    def add(self, style: str, text: str) -> None:
        """Remember an accepted text."""
        found = self._print(text)
        self._exact.add((style, found.plain))
        self._grams.append(found.grams)
        self._styles.append(style)
        self._bands.add(found.signed)

    def _print(self, text: str) -> Print:
        if self._last.text != text:
            self._last = Print(text)
        return self._last


def judged_text(question: str, reply: str) -> str:
    """Return what duplicates are judged on: the question and the reply together."""
    return f"{question}\n{reply}"
