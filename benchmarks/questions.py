"""Question sets: what writing a grid takes, and how evenly a generation's rows are spread over it.

python benchmarks/questions.py [--per-cell 1] [--language zh] [--flaw-rate 0.06]

The scripted teacher writes every cell of the shipped banks; journal (fsync) and gates included. The
other lines are the worst spread: the largest count of an area, emotion or cell minus the smallest.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from contracts.dataset import DatasetRequest
from contracts.question_set import QuestionSetRequest
from contracts.style import Language, StyleVersion
from datagen.config import Settings, shipped_folder
from datagen.drawing import Questions
from datagen.library import load_cards
from datagen.metrics import Metrics
from datagen.personas import load_personas
from datagen.question_gates import QuestionGates
from datagen.question_jobs import grid
from datagen.question_prompts import QuestionPrompts
from datagen.question_writing import Authors, QuestionWriting
from datagen.questions import Bank, load_banks
from datagen.scripted import ScriptedTeacher, scripted_app
from datagen.scripted_questions import QuestionWriter
from datagen.slots import plan
from datagen.teachers import open_teachers
from kit.crisis import load_screens

Banks = dict[Language, Bank]
SIZES = (100, 384, 500)


async def write(banks: Banks, request: QuestionSetRequest, flaws: float, folder: Path) -> str:
    """Write a set into `folder`; return what it took."""
    shipped = shipped_folder(Settings())
    personas = load_personas(shipped / "questions" / "personas")
    scripted = ScriptedTeacher(lambda: [], banks, flaws, QuestionWriter(banks, personas, flaws))
    teacher = open_teachers(Settings(), Metrics(), scripted_app(scripted))
    prompts = QuestionPrompts(shipped / "prompts" / "questions")
    gates = QuestionGates(banks, load_screens())
    cells = grid(request, banks)
    writing = QuestionWriting(folder, request, cells, Authors(teacher, prompts, personas), gates)
    began, used = time.monotonic(), time.process_time()
    board = await writing.run(teacher.most)
    seconds, processor = time.monotonic() - began, time.process_time() - used
    await teacher.close()
    return f"{len(cells)} cells, {board.counts()}: {seconds:.1f} s, {processor:.1f} s CPU"


def gaps(banks: Banks, per_style: int) -> dict[str, int]:
    """Return the worst difference of counts over all shipped cards, by axis."""
    cards = load_cards(shipped_folder(Settings()) / "styles")
    versions = [StyleVersion(version=1, style=card) for card in cards]
    questions = Questions(banks, 7)
    found: dict[str, list[str]] = {card.id: [] for card in cards}
    for slot in plan(DatasetRequest(per_style=per_style), versions):
        found[slot.style.style.id].append(questions.draw(slot, 1).situation_id or "")
    worst: Counter[str] = Counter()
    for card in cards:
        bank = banks[card.language]
        for axis, place in (("areas", 0), ("emotions", 1), ("cells", None)):
            part = slice(None) if place is None else slice(place, place + 1)
            names = Counter("/".join(one.split("/")[part]) for one in found[card.id])
            known = {"/".join(one.id.split("/")[part]) for one in bank.situations}
            counts = [names[name] for name in known]
            worst[axis] = max(worst[axis], max(counts) - min(counts))
    return dict(worst)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-cell", type=int, default=1)
    parser.add_argument("--language", choices=("zh", "en"), default="zh")
    parser.add_argument("--flaw-rate", type=float, default=0.06)
    options = parser.parse_args()
    banks = load_banks(shipped_folder(Settings()) / "questions")
    request = QuestionSetRequest(languages=[options.language], per_cell=options.per_cell)
    with tempfile.TemporaryDirectory() as folder:
        took = asyncio.run(write(banks, request, options.flaw_rate, Path(folder)))
    sys.stdout.write(f"{took}\n")
    for size in SIZES:
        told = f"{size} rows a style: largest count minus smallest {gaps(banks, size)}"
        sys.stdout.write(f"{told}\n")


if __name__ == "__main__":
    main()
