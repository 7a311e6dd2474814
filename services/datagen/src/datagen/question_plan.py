"""Which questions an evaluation asks: those judged, those that choose prompts, further turns.

The three sets share no wording. Where a dataset holds too little back, prompts are chosen on
training questions (a prompt is not trained, so nothing leaks), and conversations stay short.
"""

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from contracts.evaluation import EvaluationRequest
from contracts.sample import Message
from contracts.style import Language
from datagen.heldout import HeldOut, SplitDataset, plan
from datagen.questions import Bank

TurnKey = tuple[str, int, int]


@dataclass(frozen=True)
class QuestionPlan:
    """The questions of an evaluation.

    Attributes:
        judged: what every contestant is asked.
        selection: what chooses the form of each style's prompt.
        turns: the questions of later turns by style, conversation (its first question's number)
            and turn.
    """

    judged: list[HeldOut]
    selection: list[HeldOut]
    turns: dict[TurnKey, HeldOut]


def question_plan(
    dataset: SplitDataset, banks: Mapping[Language, Bank], request: EvaluationRequest
) -> QuestionPlan:
    """Return the questions to ask. Raises InvalidInputError where nothing is held out."""
    judged = plan(dataset, banks, request.per_style, request.seed)
    later = request.conversations * (request.turns - 1)
    wanted = request.per_style + request.prompt_questions + later
    used = {one.question for one in judged}
    spare: dict[str, list[HeldOut]] = defaultdict(list)
    for one in plan(dataset, banks, wanted, request.seed + 1):
        if one.question not in used:
            spare[one.style].append(one)
    selection: list[HeldOut] = []
    turns: dict[TurnKey, HeldOut] = {}
    for style in dict.fromkeys(one.style for one in judged):
        left = spare[style]
        chosen = left[: request.prompt_questions] or trained(dataset, style, request)
        selection += chosen if request.prompted else []
        starts = [one for one in judged if one.style == style][: request.conversations]
        turns |= further(starts, left[request.prompt_questions :], banks, request)
    return QuestionPlan(judged, selection, turns)


def trained(dataset: SplitDataset, style: str, request: EvaluationRequest) -> list[HeldOut]:
    """Return training questions of `style`, where none is left that was held back."""
    rows = [row for row in dataset.train if row.style == style]
    chance = random.Random(f"{request.seed}:{style}:prompts")
    drawn = chance.sample(rows, min(request.prompt_questions, len(rows)))
    return [
        HeldOut(style, number, row.language, row.question, alone(row.question))
        for number, row in enumerate(drawn)
    ]


def alone(question: str) -> tuple[Message, ...]:
    """Return a question as the only message."""
    return (Message(role="user", content=question),)


def further(
    starts: list[HeldOut],
    left: list[HeldOut],
    banks: Mapping[Language, Bank],
    request: EvaluationRequest,
) -> dict[TurnKey, HeldOut]:
    """Return the questions of the turns after each of `starts`, as far as `left` reaches."""
    chance = random.Random(f"{request.seed}:turns")
    questions = iter(left)
    keys = [
        (start.style, start.number, turn)
        for turn in range(2, request.turns + 1)
        for start in starts
    ]
    return {
        key: followed(question, banks, chance)
        for key, question in zip(keys, questions, strict=False)
    }


def followed(question: HeldOut, banks: Mapping[Language, Bank], chance: random.Random) -> HeldOut:
    """Return a question of the bank as people ask it amid a talk; any other as it is."""
    if question.situation is None:
        return question
    frame = chance.choice(banks[question.language].file.followups)
    return replace(question, question=frame.format(question=question.question))
