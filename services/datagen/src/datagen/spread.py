"""Order the cells of a grid so that a dataset of any size is spread evenly over it.

After any number of rows the counts of two areas differ by at most one, those of two emotions too,
and no cell comes twice before every cell came once.
"""

import math
import random
from collections.abc import Iterator, Sequence

Cell = tuple[str, str]


def spread(cells: Sequence[Cell], chance: random.Random) -> list[Cell]:
    """Return `cells` (area, emotion) in an even order; `chance` decides where it begins.

    Where the grid has holes, the counts of areas and emotions may differ by more than one.
    """
    areas = shuffled([area for area, _ in cells], chance)
    emotions = shuffled([emotion for _, emotion in cells], chance)
    wanted = frozenset(cells)
    walked = ((areas[a], emotions[e]) for a, e in diagonals(len(areas), len(emotions)))
    return [cell for cell in walked if cell in wanted]


def shuffled(names: Sequence[str], chance: random.Random) -> list[str]:
    """Return the distinct `names` in a random order."""
    distinct = list(dict.fromkeys(names))
    chance.shuffle(distinct)
    return distinct


def diagonals(rows: int, columns: int) -> Iterator[tuple[int, int]]:
    """Yield every cell of a grid once, walking row and column on by one at each step.

    A walk meets itself after lcm(rows, columns) steps; then it goes on one column further. Each
    walk holds every row equally often, and every column, so that any beginning is even in both.
    """
    walk = math.lcm(rows, columns)
    for step in range(rows * columns):
        yield step % rows, (step + step // max(walk, 1)) % columns
