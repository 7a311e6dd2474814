"""A whole generation of ours: plan, prompts, teacher client, every gate, fsynced journals.

The slots' own questions are asked, so the prompts that the others get are made by the same code.
`BUDGET=<dollars>` sets a budget, so that each call is reserved on the disk before it goes out.
"""

import asyncio
import os
import shutil

from measuring import MODEL, Work, measure, read_work

from contracts.dataset import DatasetRequest
from contracts.style import StyleVersion
from datagen.config import Settings, shipped_folder
from datagen.generate import Generation, Plan
from datagen.heap import settle_memory
from datagen.library import load_cards
from datagen.metrics import Metrics
from datagen.prompts import Prompts
from datagen.questions import load_banks
from datagen.replies import Remembered, Replies
from datagen.teachers import open_teachers
from kit.crisis import load_screens

STYLE = "tsundere"


def main() -> None:
    """Fill as many rows as there are prompts."""
    work = read_work()
    shutil.rmtree(work.folder, ignore_errors=True)
    with Replies(work.folder / "staging") as replies:
        generation = generation_of(work, replies)
        settle_memory()  # as `python -m datagen` does before it serves
        measure(lambda: asyncio.run(generate(generation)))


def settings_of(work: Work) -> Settings:
    """Return the settings that an operator would make."""
    budget = os.environ.get("BUDGET")
    prices = {"teacher_input_dollars": 2.0, "teacher_output_dollars": 8.0} if budget else {}
    return Settings(
        teacher_base_url=work.base_url,
        teacher_model=MODEL,
        teacher_concurrency=work.concurrency,
        state_dir=work.folder / "state",
        budget_dollars=float(budget) if budget else None,
        **prices,
    )


async def generate(generation: Generation) -> int:
    """Return the number of calls, whether their replies passed the gates or not."""
    board = await generation.run(generation.teacher.most)
    await generation.teacher.close()
    assert not board.open_slots(), "the quota was not met"
    return board.calls


def generation_of(work: Work, replies: Replies) -> Generation:
    """Return a generation of one style, one exchange for each row."""
    shipped, settings, metrics = shipped_folder(Settings()), settings_of(work), Metrics()
    cards = [card for card in load_cards(shipped / "styles") if card.id == STYLE]
    request = DatasetRequest(per_style=len(work.prompts), multi_turn_ratio=0, max_attempts=20)
    staging = work.folder / "staging"
    return Generation(
        staging,
        Plan(request=request, styles=[StyleVersion(version=1, style=card) for card in cards]),
        banks=load_banks(shipped / "questions"),
        prompts=Prompts(shipped / "prompts"),
        teacher=Remembered(open_teachers(settings, metrics, no_scripted_teacher), replies),
        metrics=metrics,
        screens=load_screens(),
    )


async def no_scripted_teacher(*_: object) -> None:
    """Stand where the scripted teacher would; the endpoint is a real one."""
    raise NotImplementedError


if __name__ == "__main__":
    main()
