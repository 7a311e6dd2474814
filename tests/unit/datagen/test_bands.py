"""Tests of the signatures that share a band."""

import random

import numpy as np

from datagen.bands import Bands, Signed
from datagen.shingles import band_keys, grams


def signatures_of(count: int, chance: random.Random) -> list[Signed]:
    """Return the signatures of random texts, every tenth much like the one before it."""
    texts: list[str] = []
    for number in range(count):
        if number % 10 == 9:
            texts.append(texts[-1][:-6] + "".join(chance.choices("日月山川", k=6)))
        else:
            texts.append("".join(chance.choices("春夏秋冬风花雪月山河湖海东南西北", k=60)))
    return [Signed(grams(text)) for text in texts]


def test_every_text_that_shares_a_band_and_seems_alike_is_found() -> None:
    """Buckets, chains and growth lose nobody that a comparison of all keys finds."""
    signed = signatures_of(600, random.Random(4))
    table, bands = np.stack([one.hashes for one in signed]), Bands()
    keys = band_keys(table)
    for number, one in enumerate(signed):
        sharing = (keys[:number] == keys[number]).any(axis=1)
        seeming = (table[:number] == one.hashes).mean(axis=1) >= 0.5
        wanted = np.flatnonzero(sharing & seeming).tolist()
        found = bands.alike(one, 0.5)
        assert set(wanted) <= set(found)
        assert all(seeming[found])
        bands.add(one)
    assert len(bands) == 600


def test_texts_of_one_bucket_hang_on_one_chain() -> None:
    """Of 300 equal texts each one is found."""
    signed = signatures_of(1, random.Random(5))[0]
    bands = Bands()
    for _ in range(300):
        bands.add(signed)
    assert bands.alike(signed, 1.0) == list(range(300))
