"""How near a question is to what a bank asks anyway, among its hundreds of thousands of wordings.

A wording is a frame around an event and a feeling. Only those around the events and feelings that
share most grams with the question are written out and compared.
"""

from collections.abc import Sequence

import numpy as np

from datagen.questions import Bank, ask
from datagen.shingles import Grams, Shingles, shingle, similarity

# Of each kind of clause; a test changes wordings by hand and finds every one of them again.
CLOSEST = 3


class KnownWordings:
    """The wordings of one bank.

    Args:
        bank: whose questions are known.
    """

    def __init__(self, bank: Bank) -> None:
        file = bank.file
        self.frames = [*file.frames.train, *file.frames.heldout]
        self.events = Clauses(
            [event for area in file.areas for event in (*area.events.hard, *area.events.good)]
        )
        self.feelings = Clauses([one for emotion in file.emotions for one in emotion.feelings])

    def nearest(self, text: str) -> tuple[float, str]:
        """Return the highest Jaccard similarity to a wording, and that wording."""
        said = shingle([text]).values
        wordings = [
            ask(frame, event, feeling)
            for event in self.events.closest(said)
            for feeling in self.feelings.closest(said)
            for frame in self.frames
        ]
        grams = shingle(wordings)
        found = (similarity(said, grams.of(number)) for number in range(len(wordings)))
        return max(zip(found, wordings, strict=True), default=(0.0, ""))


class Clauses:
    """Parts of wordings, and which of them a text holds most of.

    Args:
        texts: the clauses.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = list(texts)
        self.grams: Shingles = shingle(self.texts)

    def closest(self, said: Grams) -> list[str]:
        """Return the clauses with the largest share of their grams in `said`, where any is."""
        if not self.texts:
            return []
        shared = np.add.reduceat(np.isin(self.grams.values, said), self.grams.starts[:-1])
        share = shared / np.diff(self.grams.starts)
        best = np.argsort(-share, kind="stable")[:CLOSEST]
        return [self.texts[number] for number in best.tolist() if share[number] > 0]
