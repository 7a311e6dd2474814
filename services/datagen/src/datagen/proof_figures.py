"""The figures of the contestants, their differences question by question, and the ranking. Pure."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal

from contracts.evaluation import Reply
from contracts.proof import ContestantFigures, Figure, PairDifference, Rank
from datagen.bootstrap import (
    difference_figure,
    distinct_figure,
    flip_p,
    holm,
    mean_figure,
    share_figure,
)
from datagen.surprisal import Trigrams

# Corrected for the number of pairs, a report of equals may name a winner this often: with 0.05 two
# such reports in twenty would be no rarity, with 0.02 they are (6 in 100 times). What it costs in
# real differences missed is measured in benchmarks/proof.py.
SIGNIFICANT = 0.02
LONGEST = 10_000.0
MOST_BITS = 32.0
Question = tuple[str, int]


def all_figures(
    replies: Sequence[Reply], natural: Mapping[str, Trigrams], seed: int
) -> list[ContestantFigures]:
    """Return the figures of each contestant over all styles, then in each style.

    `natural` holds the yardstick of naturalness for each style.
    """
    found = []
    for contestant in dict.fromkeys(reply.contestant for reply in replies):
        own = [reply for reply in replies if reply.contestant == contestant]
        found.append(figures_of(contestant, "", own, natural, seed))
        for style in dict.fromkeys(reply.style for reply in own):
            rows = [reply for reply in own if reply.style == style]
            found.append(figures_of(contestant, style, rows, natural, seed))
    return found


def figures_of(
    contestant: str,
    style: str,
    rows: Sequence[Reply],
    natural: Mapping[str, Trigrams],
    seed: int,
) -> ContestantFigures:
    """Return the figures of one contestant in one style, or in all (style empty)."""
    topics = [row.on_topic for row in rows if row.on_topic is not None]
    bits = [natural[row.style].bits(row.reply) for row in rows if row.style in natural]
    texts = [row.reply for row in rows]
    return ContestantFigures(
        contestant=contestant,
        style=style,
        strength=mean_figure([row.strength for row in rows], seed=seed),
        accuracy=share_figure([row.predicted_style == row.style for row in rows]),
        on_topic=share_figure(topics) if topics else None,
        defect_free=share_figure([not row.defects for row in rows]),
        surprisal=mean_figure(bits, seed=seed, bounds=(0.0, MOST_BITS)) if bits else None,
        distinct_1=distinct_figure(texts, 1, seed=seed),
        distinct_2=distinct_figure(texts, 2, seed=seed),
        characters=mean_figure([float(len(t)) for t in texts], seed=seed, bounds=(0.0, LONGEST)),
    )


def differences(replies: Sequence[Reply], seed: int) -> list[PairDifference]:
    """Return every two contestants over the questions that both were asked, the stronger first."""
    by_name: dict[str, dict[Question, Reply]] = {}
    for reply in replies:
        by_name.setdefault(reply.contestant, {})[reply.style, reply.number] = reply
    found = [
        difference(one, by_name[one], other, by_name[other], seed)
        for one, other in combinations(by_name, 2)
    ]
    corrected = holm([pair.p for pair in found])
    return [settled(pair, p) for pair, p in zip(found, corrected, strict=True)]


def difference(
    one: str,
    ones: Mapping[Question, Reply],
    other: str,
    others: Mapping[Question, Reply],
    seed: int,
) -> PairDifference:
    """Return the difference of two contestants, before any correction."""
    common = [question for question in ones if question in others]
    left, right = [ones[key] for key in common], [others[key] for key in common]
    if sum(row.strength for row in left) < sum(row.strength for row in right):
        one, left, other, right = other, right, one, left
    first, second = ([row.strength for row in rows] for rows in (left, right))
    return PairDifference(
        first=one,
        second=other,
        questions=len(common),
        strength=difference_figure(first, second, seed=seed),
        accuracy=difference_figure(hits(left), hits(right), seed=seed),
        p=(p := flip_p(first, second, seed=seed)),
        p_holm=p,
        better="none",
    )


def settled(pair: PairDifference, p_holm: float) -> PairDifference:
    """Return `pair` with who is better, now that its p value is corrected."""
    better: Literal["first", "none"] = (
        "first" if pair.strength.interval.low > 0 and p_holm <= SIGNIFICANT else "none"
    )
    return pair.model_copy(update={"p_holm": p_holm, "better": better})


def ranking(figures: Sequence[ContestantFigures], pairs: Sequence[PairDifference]) -> list[Rank]:
    """Return the contestants by strength; one not surely below a group's first joins the group."""
    whole = sorted((one for one in figures if not one.style), key=strength_of, reverse=True)
    places: list[Rank] = []
    leader = ""
    for count, one in enumerate(whole, start=1):
        tied = bool(leader) and not is_better(leader, one.contestant, pairs)
        leader = leader if tied else one.contestant
        place = places[-1].place if tied else count
        places.append(Rank(place=place, contestant=one.contestant, strength=one.strength))
    return places


def strength_of(figures: ContestantFigures) -> float:
    """Return the strength that a ranking sorts by."""
    return figures.strength.value


def is_better(one: str, other: str, pairs: Sequence[PairDifference]) -> bool:
    """Return whether `one` surely has more of the style than `other`."""
    return any((pair.first, pair.second, pair.better) == (one, other, "first") for pair in pairs)


def hits(rows: Sequence[Reply]) -> list[float]:
    """Return 1 for each reply that was taken for the asked style, else 0."""
    return [float(row.predicted_style == row.style) for row in rows]


def paired(
    replies: Sequence[Reply], first: str, second: str, value: str, seed: int
) -> Figure | None:
    """Return first minus second of a mark that both have on a question; None where none does.

    Args:
        replies: of all contestants.
        first, second: contestants.
        value: `on_topic` or `sound` (without a defect).
        seed: of the bootstrap.
    """
    marks: dict[str, dict[Question, float]] = {first: {}, second: {}}
    for row in replies:
        mark = row.on_topic if value == "on_topic" else not row.defects
        if row.contestant in marks and mark is not None:
            marks[row.contestant][row.style, row.number] = float(mark)
    common = [question for question in marks[first] if question in marks[second]]
    if not common:
        return None
    ones, others = ([marks[name][question] for question in common] for name in (first, second))
    return difference_figure(ones, others, seed=seed)
