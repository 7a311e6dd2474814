"""Slots: what a dataset asks for, row by row; which question a slot asks: `drawing.py`."""

import zlib
from dataclasses import dataclass

from contracts.dataset import DatasetRequest
from contracts.style import StyleVersion
from datagen.dialogues import index_of, turns_of


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
        turns = turns_of(request, index_of(request, number)) if dialogue else 1
        slots.extend(Slot(style, number, turns) for style in styles)
    return slots


def request_seed(seed: int, slot: Slot, turn: int, attempt: int) -> int:
    """Return the seed of one teacher request, 31 bits, different for each."""
    return zlib.crc32(f"{seed}/{slot.id}/{turn}/{attempt}".encode()) & 0x7FFFFFFF
