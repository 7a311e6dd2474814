"""How often the proof of style errs: false alarms between equals, and real differences missed.

    PYTHONPATH=libs/contracts/src:libs/kit/src:services/datagen/src \\
        .venv/bin/python benchmarks/proof.py [--seeds 400]

Replies are simulated as in tests/unit/datagen/test_proof_figures.py: 40 questions in each of four
styles, strengths that correlate by question. Prints a line of JSON for each case: how many of the
seeds named a winner, and the mean width of the intervals.
"""

import argparse
import json
import random
import sys
from collections.abc import Sequence

from contracts.evaluation import Reply
from contracts.proof import PairDifference
from datagen.proof_figures import differences

STYLES, PER_STYLE = 4, 40
CASES = {
    "equal, seldom in style": {"prompted": 0.05, "tuned": 0.05},
    "equal, half in style": {"prompted": 0.5, "tuned": 0.5},
    "three equals": {"base": 0.4, "prompted": 0.4, "tuned": 0.4},
    "80 to 85": {"prompted": 0.8, "tuned": 0.85},
    "80 to 90": {"prompted": 0.8, "tuned": 0.9},
    "80 to 95": {"prompted": 0.8, "tuned": 0.95},
    "80 to 95, with a base": {"base": 0.05, "prompted": 0.8, "tuned": 0.95},
    "50 to 65": {"prompted": 0.5, "tuned": 0.65},
    "50 to 70": {"prompted": 0.5, "tuned": 0.7},
}


def replies(shares: dict[str, float], seed: int) -> list[Reply]:
    """Return simulated replies of contestants that speak in the style in these shares."""
    chance = random.Random(seed)
    found = []
    for question in range(STYLES * PER_STYLE):
        ease = chance.random()
        for name, share in shares.items():
            luck = ease if chance.random() < 0.5 else chance.random()
            spread = chance.betavariate(20, 1)
            strength = spread if luck < share else 1 - spread
            found.append(reply(name, question, strength))
    return found


def reply(contestant: str, question: int, strength: float) -> Reply:
    """Return a judged reply."""
    style = f"style-{question % STYLES}"
    return Reply(
        contestant=contestant,
        model=contestant,
        style=style,
        number=question // STYLES,
        situation=None,
        question="?",
        reply="!",
        predicted_style=style if strength > 0.5 else "",
        strength=strength,
        on_topic=None,
    )


def rival(pairs: Sequence[PairDifference]) -> PairDifference:
    """Return the difference between tuned and prompted."""
    return next(pair for pair in pairs if {pair.first, pair.second} == {"tuned", "prompted"})


def main(argv: Sequence[str]) -> int:
    """Measure every case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=400)
    seeds = parser.parse_args(argv).seeds
    for name, shares in CASES.items():
        found = [differences(replies(shares, seed), seed) for seed in range(seeds)]
        named = sum(any(pair.better == "first" for pair in pairs) for pairs in found)
        tuned = sum(rival(pairs).better == "first" for pairs in found)
        widths = [rival(pairs).strength.interval for pairs in found]
        width = sum(one.high - one.low for one in widths) / len(widths)
        line = {"case": name, "seeds": seeds, "any winner": named, "tuned or prompted": tuned}
        sys.stdout.write(json.dumps(line | {"interval width": round(width, 3)}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
