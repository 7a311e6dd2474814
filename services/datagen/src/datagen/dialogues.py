"""The plan of a dialogue: how many turns, how the user's feeling goes on, how strong at each turn.

All of it follows from the seed and the row's number alone, so a resumed run, and each shard of one,
plan the very same dialogues.
"""

import random
from collections.abc import Mapping

from contracts.dataset import DatasetRequest
from contracts.sample import Trajectory

TRAJECTORIES: tuple[Trajectory, ...] = ("escalates", "calms", "deflects")
# Strength of the feeling (1 faint to 5 overwhelming) at the first turn and at the last one.
COURSES: Mapping[Trajectory, tuple[int, int]] = {
    "escalates": (2, 5),
    "calms": (4, 1),
    "deflects": (3, 1),
}


def index_of(request: DatasetRequest, number: int) -> int:
    """Return how many dialogues of a style come before its row `number`."""
    return int(number * request.multi_turn_ratio + 1e-9)


def turns_of(request: DatasetRequest, index: int) -> int:
    """Return the exchanges of a style's dialogue number `index`: the range, over and over."""
    least, span = spread_of(request)
    return least + index % span


def trajectory_of(request: DatasetRequest, style_id: str, index: int) -> Trajectory:
    """Return the trajectory of a style's dialogue number `index`.

    Each comes equally often, also with each number of turns; the seed decides which is first.
    """
    _, span = spread_of(request)
    order = random.Random(f"{request.seed}/{style_id}/trajectories").sample(TRAJECTORIES, 3)
    return order[(index // span + index % span) % len(order)]


def spread_of(request: DatasetRequest) -> tuple[int, int]:
    """Return the fewest exchanges of a dialogue (never under 2), and how many lengths there are."""
    most = max(2, request.turns)
    least = most if request.turns_least is None else max(2, request.turns_least)
    return least, most - least + 1


def levels(trajectory: Trajectory, turns: int) -> list[int]:
    """Return the strength asked for at each of `turns` turns, 1 to 5; it never turns back."""
    first, last = COURSES[trajectory]
    steps = max(1, turns - 1)
    return [round(first + (last - first) * turn / steps) for turn in range(turns)]
