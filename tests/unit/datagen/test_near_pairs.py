"""Tests of the near-duplicate pairs of a whole dataset."""

import random
from itertools import combinations

from datagen.near_pairs import WINDOW, near_pairs
from datagen.shingles import shingle, similarity

WORDS = "工作家人朋友同事今天明天喝水睡觉谈话散步方案老板猫狗雨雪高兴难过别急慢慢来好吧"


def written(count: int, chance: random.Random) -> list[str]:
    """Return made-up texts of 40 to 120 characters."""
    return ["".join(chance.choices(WORDS, k=chance.randint(40, 120))) for _ in range(count)]


def edited(text: str, edits: int, chance: random.Random) -> str:
    """Return `text` with some characters replaced."""
    letters = list(text)
    for _ in range(edits):
        letters[chance.randrange(len(letters))] = chance.choice("的一是在不了")
    return "".join(letters)


def every_pair(texts: list[str], floor: float) -> dict[tuple[int, int], float]:
    """Return the similar pairs, each text compared with each."""
    found = shingle(texts)
    pairs = {
        (one, other): similarity(found.of(one), found.of(other))
        for one, other in combinations(range(len(texts)), 2)
    }
    return {pair: value for pair, value in pairs.items() if value >= floor}


def test_pairs_are_those_of_brute_force() -> None:
    """Of 300 texts and 100 edited copies at least 95 % of the pairs are found, none wrongly."""
    chance = random.Random(2)
    texts = written(300, chance)
    texts += [edited(chance.choice(texts), chance.randint(0, 10), chance) for _ in range(100)]
    wanted = every_pair(texts, 0.6)
    found = near_pairs(texts, 0.6)
    seen = {
        (int(one), int(other)): float(value)
        for one, other, value in zip(found.earlier, found.later, found.similarity, strict=True)
    }
    assert len(wanted) > 60
    assert len(seen.keys() & wanted.keys()) >= 0.95 * len(wanted)
    assert all(wanted[pair] == value for pair, value in seen.items())


def test_unlike_texts_make_no_pair() -> None:
    """Words in common are no repetition."""
    assert len(near_pairs(written(500, random.Random(4)))) == 0


def test_nothing_has_no_pairs() -> None:
    """An empty dataset, or one row, is no error."""
    assert len(near_pairs([])) == 0
    assert len(near_pairs(["一行"])) == 0


def test_earlier_comes_first() -> None:
    """The later row is the one that repeats."""
    found = near_pairs(["甲乙丙丁戊己庚辛", "另外一句完全不同的话", "甲乙丙丁戊己庚辛"])
    assert (found.earlier.tolist(), found.later.tolist()) == ([0], [2])


def test_template_repeated_thousands_of_times_stays_cheap_and_found() -> None:
    """Each repetition is paired with one before it, but not with every one."""
    copies = 3000
    found = near_pairs(["先喝一杯水，再慢慢说。谢什么谢，快去啦！"] * copies)
    assert set(found.later.tolist()) == set(range(1, copies))
    assert len(found) <= copies * (WINDOW + 1)
