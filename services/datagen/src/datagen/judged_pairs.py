"""The judge in a proof: every question's replies compared two by two; journalled, resumable."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from contracts.durable import Journal, read_journal
from contracts.evaluation import EvaluationRequest, Reply
from contracts.judge import Compared
from contracts.proof import JudgedPair, JudgedPairs
from contracts.style import Style
from contracts.volume import Volume
from datagen.agreeing import latest_agreement
from datagen.evaluate import StoppedError
from datagen.length_control import length_controlled
from datagen.llm_judge import LlmJudge
from datagen.seats import tally, worth
from kit.errors import TonesmithError

OnPair = Callable[[int, int], None]
JudgeReplies = Callable[[Sequence[Reply], EvaluationRequest, Path, OnPair], Awaitable[JudgedPairs]]
JOURNAL = "judged.jsonl"
# Further models are compared with the tuned one only: all with all would cost their square.
HEAD = ("tuned", "prompted", "base")


def judge_of_pairs(judge: LlmJudge, volume: Volume, state_dir: Path) -> JudgeReplies:
    """Return what compares the replies of an evaluation.

    Args:
        judge: chooses.
        volume: holds the datasets with their cards.
        state_dir: where the agreement with people is kept.
    """

    async def compare(
        replies: Sequence[Reply], request: EvaluationRequest, folder: Path, on_pair: OnPair
    ) -> JudgedPairs:
        manifest = await asyncio.to_thread(volume.dataset_manifest, request.dataset_id)
        cards = {version.style.id: version.style for version in manifest.styles}
        found = await judged(judge, replies, cards, folder / JOURNAL, on_pair)
        return JudgedPairs(
            model=judge.model,
            pairs=summed(found, request.seed),
            failed=sum(row.verdict.outcome == "unjudged" for row in found),
            same_as_teacher=judge.same_as_teacher,
            agreement=await asyncio.to_thread(latest_agreement, state_dir),
        )

    return compare


def contests(contestants: Iterable[str]) -> list[tuple[str, str]]:
    """Return who is compared with whom."""
    names = list(dict.fromkeys(contestants))
    head = [name for name in HEAD if name in names]
    further = [name for name in names if name not in HEAD]
    pairs = list(combinations(head, 2))
    return pairs + [(name, "tuned") for name in further if "tuned" in names]


async def judged(
    judge: LlmJudge,
    replies: Sequence[Reply],
    cards: Mapping[str, Style],
    path: Path,
    on_pair: OnPair = lambda done, total: None,
) -> list[Compared]:
    """Return the verdicts on all pairs; those in the journal are not asked for again.

    `on_pair` hears of the pairs that are judged and of all; it may raise StoppedError. Raises
    what `LlmJudge.compare` raises; the verdicts so far stay in the journal.
    """
    pairs = met(replies, cards)
    with Journal(path) as journal:
        known = {row.key: row for row in map(Compared.model_validate_json, read_journal(path))}
        wanted = deque(pair for pair in pairs if key_of(*pair) not in known)
        on_pair(len(pairs) - len(wanted), len(pairs))

        async def work() -> None:
            while wanted:
                one, other = wanted.popleft()
                row = await compared(judge, cards[one.style], one, other)
                journal.append([row.model_dump_json()])
                known[row.key] = row
                on_pair(len(known), len(pairs))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(judge.most):
                    group.create_task(work())
        except* (TonesmithError, StoppedError) as errors:
            failure = errors.exceptions[0]
        else:
            return list(known.values())
    raise failure


def met(replies: Sequence[Reply], cards: Mapping[str, Style]) -> list[tuple[Reply, Reply]]:
    """Return the replies that are compared: to one question, of a style with a card."""
    by_question: dict[tuple[str, int], dict[str, Reply]] = defaultdict(dict)
    for reply in replies:
        if reply.style in cards and reply.turn == 1:
            by_question[reply.style, reply.number][reply.contestant] = reply
    return [
        (rows[first], rows[second])
        for rows in by_question.values()
        for first, second in contests(row.contestant for row in replies)
        if first in rows and second in rows
    ]


def key_of(one: Reply, other: Reply) -> tuple[str, int, str, str]:
    """Return what tells a pair from all others."""
    return one.style, one.number, one.contestant, other.contestant


async def compared(judge: LlmJudge, style: Style, one: Reply, other: Reply) -> Compared:
    """Return the verdict on two replies to one question."""
    return Compared(
        style=one.style,
        number=one.number,
        first=one.contestant,
        second=other.contestant,
        longer_by=len(one.reply.strip()) - len(other.reply.strip()),
        verdict=await judge.compare(style, one.question, one.reply, other.reply),
    )


def summed(rows: Sequence[Compared], seed: int) -> list[JudgedPair]:
    """Return how each two contestants did against each other."""
    groups: dict[tuple[str, str], list[Compared]] = defaultdict(list)
    for row in rows:
        groups[row.first, row.second].append(row)
    return [pair_of(first, second, found, seed) for (first, second), found in groups.items()]


def pair_of(first: str, second: str, rows: Sequence[Compared], seed: int) -> JudgedPair:
    """Return how two contestants did against each other; unjudged pairs are left out."""
    told = [row for row in rows if row.verdict.outcome != "unjudged"]
    outcomes = [row.verdict.outcome for row in told]
    counts = tally(outcomes, seed=seed)
    return JudgedPair(
        first=first,
        second=second,
        questions=len(told),
        wins=counts.wins,
        losses=counts.losses,
        ties=counts.ties,
        flips=sum(row.verdict.flipped for row in told),
        win_rate=counts.rate,
        length_controlled=length_controlled(
            worth(outcomes), [row.longer_by for row in told], seed=seed
        ),
    )
