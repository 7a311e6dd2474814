"""Near duplicates of 100,000 rows: seconds, peak memory and recall, beside datasketch and rensa.

    .venv/bin/python benchmarks/duplicates.py [--rows 100000] [--sample 5000] [--method ours]

The rows are question and reply as the scripted teacher writes them, or those of --real FILE, made
up to the number; one row in 50 is an earlier one with one to eight characters changed. Recall and
precision: of the pairs of a sample of rows at `--near` or above, against comparing every pair.
Methods `datasketch` and `rensa` need those packages (they are not ours); each prints one line.
"""

import argparse
import importlib
import json
import random
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datagen.compose import styled_reply
from datagen.corpus import load_styles
from datagen.duplicates import NEAR, judged_text
from datagen.near_pairs import near_pairs
from datagen.questions import load_banks
from datagen.rows import Malformed, read_rows
from datagen.shingles import BANDS, GRAM, HASHES, ROWS, shingle
from datagen.text import letters

DATAGEN = Path(__file__).parents[1] / "services/datagen"
COPIES = 0.02
EDITS = "的一是在不了有和人这"
Found = set[tuple[int, int]]


def scripted(count: int, chance: random.Random) -> list[str]:
    """Return rows as the scripted teacher writes them, styles and situations by chance."""
    styles, banks = load_styles(DATAGEN / "styles"), load_banks(DATAGEN / "questions")
    found = []
    for _ in range(count):
        style = chance.choice(styles)
        bank = banks[style.language]
        situation = chance.choice(bank.situations)
        question = bank.draw(situation, "train", chance).text
        found.append(judged_text(question, styled_reply(style, situation.advice, chance)))
    return found


def real(path: Path, count: int, chance: random.Random) -> list[str]:
    """Return rows of a file; more than it has are made of halves of two of its replies."""
    rows = [row for row in read_rows(path.read_bytes()) if not isinstance(row, Malformed)]
    found = [judged_text(row.question, row.reply) for row in rows][:count]
    while len(found) < count:
        one, other, third = (chance.choice(rows) for _ in range(3))
        half = one.reply[: len(one.reply) // 2] + other.reply[len(other.reply) // 2 :]
        found.append(judged_text(third.question, half))
    return found


def plant_copies(texts: list[str], chance: random.Random) -> list[int]:
    """Replace one in 50 of `texts` by an earlier one with a few characters changed.

    Returns the numbers of the copies and of what they are copies of.
    """
    touched = []
    for place in chance.sample(range(len(texts) // 10, len(texts)), int(len(texts) * COPIES)):
        source = chance.randrange(place)
        touched += [source, place]
        copy = list(texts[source])
        for _ in range(chance.randint(1, 8)):
            copy[chance.randrange(len(copy))] = chance.choice(EDITS)
        texts[place] = "".join(copy)
    return touched


def drawn(touched: list[int], count: int, sample: int, chance: random.Random) -> list[int]:
    """Return the numbers of a sample of rows, half of them copies and their sources."""
    kept = set(touched[: sample // 2])
    rest = [number for number in range(count) if number not in kept]
    return sorted(kept.union(chance.sample(rest, min(len(rest), sample - len(kept)))))


def ours(texts: Sequence[str], near: float) -> Found:
    """Return the pairs that our index finds."""
    pairs = near_pairs(texts, near)
    return set(zip(pairs.earlier.tolist(), pairs.later.tolist(), strict=True))


def pieces(text: str) -> list[str]:
    """Return the distinct grams of a text, as the libraries want them."""
    plain = letters(text)
    return sorted({plain[at : at + GRAM] for at in range(max(1, len(plain) - GRAM + 1))})


def datasketch(texts: Sequence[str], near: float) -> Found:
    """Return the candidate pairs of datasketch, with our bands."""
    library: Any = importlib.import_module("datasketch")
    index = library.MinHashLSH(num_perm=HASHES, params=(BANDS, ROWS))
    found: Found = set()
    for number, text in enumerate(texts):
        one = library.MinHash(num_perm=HASHES)
        one.update_batch([piece.encode() for piece in pieces(text)])
        found |= {(earlier, number) for earlier in index.query(one)}
        index.insert(number, one)
    return exact(texts, found, near)


def rensa(texts: Sequence[str], near: float) -> Found:
    """Return the candidate pairs of rensa, with our bands."""
    library: Any = importlib.import_module("rensa")
    index = library.RMinHashLSH(threshold=near, num_perm=HASHES, num_bands=BANDS)
    found: Found = set()
    for number, text in enumerate(texts):
        one = library.RMinHash(num_perm=HASHES, seed=8)
        one.update(pieces(text))
        found |= {(earlier, number) for earlier in index.query(one)}
        index.insert(number, one)
    return exact(texts, found, near)


def exact(texts: Sequence[str], candidates: Found, near: float) -> Found:
    """Return the candidates that are really so similar."""
    sets = {at: frozenset(pieces(texts[at])) for pair in candidates for at in pair}
    return {
        (one, other)
        for one, other in candidates
        if len(sets[one] & sets[other]) >= near * len(sets[one] | sets[other])
    }


def brute(texts: Sequence[str], near: float) -> Found:
    """Return every pair of at least `near`, each compared with each by its grams."""
    shingles = shingle(texts)
    owners: dict[int, list[int]] = {}
    found: Found = set()
    sizes = np.diff(shingles.starts)
    for number in range(len(texts)):
        common = np.zeros(len(texts), np.int64)
        grams = shingles.of(number).tolist()
        for gram in grams:
            for earlier in owners.get(gram, ()):
                common[earlier] += 1
            owners.setdefault(gram, []).append(number)
        union = sizes[:number] + sizes[number] - common[:number]
        hits = np.flatnonzero(common[:number] / union >= near)
        found |= {(int(earlier), number) for earlier in hits}
    return found


METHODS: dict[str, Callable[[Sequence[str], float], Found]] = {
    "ours": ours,
    "datasketch": datasketch,
    "rensa": rensa,
}


def main() -> None:
    """Measure one method and print a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=5_000)
    parser.add_argument("--near", type=float, default=NEAR)
    parser.add_argument("--method", choices=METHODS, default="ours")
    parser.add_argument("--real", type=Path)
    options = parser.parse_args()
    chance = random.Random(11)
    count = options.rows
    texts = real(options.real, count, chance) if options.real else scripted(count, chance)
    touched = plant_copies(texts, chance)
    found, figures = measured(METHODS[options.method], texts, options.near)
    kept = drawn(touched, len(texts), options.sample, chance)
    wanted = brute([texts[at] for at in kept], options.near)
    number = {row: at for at, row in enumerate(kept)}
    seen = {(number[a], number[b]) for a, b in found if a in number and b in number}
    figures |= {
        "method": options.method,
        "rows": count,
        "near": options.near,
        "pairs": len(found),
        "sample_pairs": len(wanted),
        "recall": round(len(seen & wanted) / len(wanted), 4) if wanted else None,
        "wrong": len(seen - wanted),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


def measured(
    method: Callable[[Sequence[str], float], Found], texts: Sequence[str], near: float
) -> tuple[Found, dict[str, object]]:
    """Return what `method` finds, with its time and the peak memory of the process so far."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    found = method(texts, near)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return found, {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(processor, 1),
        "peak_mb": round(after.ru_maxrss / 1024),
    }


if __name__ == "__main__":
    main()
