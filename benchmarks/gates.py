"""What the gates find of planted defects, what they refuse wrongly, and how the screens compare.

    .venv/bin/python benchmarks/gates.py [--per-style 200] [--per-gate 60] [--peers PYTHON]

Three parts, one line of JSON each figure: every gate of a generation on rows with one planted
defect; the screens (personal data, language, crisis) on the sentences of `tests/data`, beside the
libraries that the interpreter PYTHON has installed (presidio-analyzer, py3langid, lingua); and how
long a slider waits on a finished dataset of --slider rows. Ends with status 1 where a gate's recall
is below 0.95, the wrong reason is given, over 0.02 of the good rows are refused, the counts do not
add up, or the slider takes a second.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from planted_gates import FOREIGN, ROOT, Planted, good_rows, planted_rows

from contracts.quality import Thresholds
from contracts.style import Language, Style
from datagen.corpus import load_styles
from datagen.duplicates import DuplicateIndex, judged_text
from datagen.gates import GENERATED
from datagen.judging import preview
from datagen.languages import language_share
from datagen.measured import Row, measure
from datagen.personal_data import find_personal_data
from datagen.questions import Bank, load_banks
from datagen.routing import judge_row
from datagen.vectors import NgramVectors
from kit.crisis import KINDS, Screen, crisis_of, load_screens

DATAGEN = ROOT / "services/datagen"
RECALL, FALSE, SLIDER_SECONDS = 0.95, 0.02, 1.0
MARK = re.compile(r"\[\[(\w+)\|(.*?)\]\](?!\])")
CONTENDERS = Path(__file__).parent / "contenders/screens.py"


def say(**figures: object) -> None:
    """Print one line of JSON."""
    sys.stdout.write(json.dumps(figures, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def judged(
    rows: Sequence[Planted], screens: Mapping[Language, Screen]
) -> list[tuple[Planted, str]]:
    """Return each row with the reason for which it is refused; empty where it passes."""
    index, found = DuplicateIndex(), []
    for planted in rows:
        row = planted.row
        refusal = judge_row(row, GENERATED[row.style.language], index, screens).refusal
        if refusal is None:
            index.add(row.style.id, judged_text(row.question, row.reply))
        found.append((planted, refusal.reason.value if refusal else ""))
    return found


def gates(rows: Sequence[Planted], screens: Mapping[Language, Screen]) -> bool:
    """Print recall of each gate and false refusals; return whether both hold and all adds up."""
    started = time.process_time()
    found = judged(rows, screens)
    seconds = time.process_time() - started
    good = True
    for reason in dict.fromkeys(planted.reason for planted in rows if planted.reason):
        given = Counter(said for planted, said in found if planted.reason is reason)
        recall = given[reason.value] / given.total()
        good &= recall >= RECALL
        say(gate=reason.value, planted=given.total(), recall=round(recall, 4), given=dict(given))
    clean = Counter(said for planted, said in found if planted.reason is None)
    false = 1 - clean[""] / clean.total()
    reasons = Counter(said or "accepted" for _, said in found)
    whole = reasons.total() == len(rows)
    say(untouched=clean.total(), refused=round(false, 4), reasons=dict(clean))
    say(rows=len(rows), counts=dict(reasons), add_up=whole, cpu_ms_a_row=ms(seconds / len(rows)))
    return good and false <= FALSE and whole


def ms(seconds: float) -> float:
    """Return milliseconds to three digits."""
    return float(f"{seconds * 1000:.3g}")


def sentences(name: str) -> Any:
    """Return the labelled sentences of a file."""
    return yaml.safe_load((ROOT / f"tests/data/{name}.yaml").read_text(encoding="utf-8"))


def personal_set() -> tuple[list[str], list[tuple[int, int] | None]]:
    """Return texts and, for each, where its personal data stands; None: there is none."""
    known = sentences("personal_data")
    texts, places = [], []
    for marked in known["found"]:
        match = MARK.search(marked)
        assert match is not None
        texts.append(marked[: match.start()] + match[2] + marked[match.end() :])
        places.append((match.start(), match.start() + len(match[2])))
    return [*texts, *known["none"]], [*places, *([None] * len(known["none"]))]


def language_set(good: Sequence[Planted]) -> tuple[list[str], list[str]]:
    """Return replies and their languages: composed ones, and sentences of 14 other languages."""
    own = [(row.row.reply, row.row.style.language) for row in good if row.reason is None]
    other = [(text, name) for name, texts in FOREIGN.items() for text in texts]
    return [text for text, _ in own + other], [name for _, name in own + other]


def screens_compared(
    good: Sequence[Planted], screens: Mapping[Language, Screen], peers: Path | None
) -> None:
    """Print the figures of our screens, then those of the libraries that `peers` has."""
    texts, places = personal_set()
    replies, languages = language_set(good)
    started = time.perf_counter()
    ours = [[(one.start, one.end) for one in find_personal_data(text)] for text in texts]
    personal("ours", ours, places, (time.perf_counter() - started) / len(texts))
    started = time.perf_counter()
    codes = [spoken(text) for text in replies]
    language("ours", codes, languages, (time.perf_counter() - started) / len(replies))
    crisis(screens)
    if peers is None:
        return
    sent = json.dumps({"personal": texts, "language": replies})
    done = subprocess.run(
        [peers, CONTENDERS], input=sent, capture_output=True, text=True, check=True
    )
    for peer in json.loads(done.stdout):
        if peer["what"] == "personal":
            personal(peer["name"], peer["found"], places, peer["seconds"])
        else:
            language(peer["name"], peer["found"], languages, peer["seconds"])


def spoken(text: str) -> str:
    """Return the language that our gate takes a text for; empty: neither of the two."""
    return next((name for name in ("zh", "en") if language_share(text, name) >= 0.5), "")


def personal(
    name: str, found: Sequence[Any], places: Sequence[tuple[int, int] | None], seconds: float
) -> None:
    """Print how much personal data a screen touches, and at its exact place."""
    marked = [(spans, place) for spans, place in zip(found, places, strict=True) if place]
    touched = sum(any(a < place[1] and b > place[0] for a, b in spans) for spans, place in marked)
    exact = sum(any((a, b) == place for a, b in spans) for spans, place in marked)
    false = sum(bool(spans) for spans, place in zip(found, places, strict=True) if not place)
    say(
        personal_data=name, sentences=len(marked), found=touched, exact=exact,
        harmless=len(places) - len(marked), false=false, ms=ms(seconds),
    )  # fmt: skip


def language(name: str, codes: Sequence[str], right: Sequence[str], seconds: float) -> None:
    """Print how many replies a screen takes for another language than they have."""
    pairs = list(zip(codes, right, strict=True))
    missed = {own: sum(said != own for said, is_ in pairs if is_ == own) for own in ("zh", "en")}
    foreign = [said for said, is_ in pairs if is_ not in missed]
    say(
        language=name, replies=len(right), chinese_missed=missed["zh"],
        english_missed=missed["en"], foreign=len(foreign),
        taken_for_ours=sum(said in missed for said in foreign), ms=ms(seconds),
    )  # fmt: skip


def crisis(screens: Mapping[Language, Screen]) -> None:
    """Print what the crisis screens find of our sentences: a development set, not strangers'."""
    known = sentences("crisis")
    for name in ("zh", "en"):
        said = [(kind, text) for kind in KINDS for text in known[name][kind]]
        right = sum(crisis_of(screens, name, [text]) == kind for kind, text in said)
        false = sum(bool(crisis_of(screens, name, [text])) for text in known[name]["none"])
        harmless = len(known[name]["none"])
        say(crisis=name, sentences=len(said), right=right, harmless=harmless, false=false)


def slider(
    cards: Mapping[str, Style],
    banks: Mapping[Language, Bank],
    screens: Mapping[Language, Screen],
    rows: int,
) -> bool:
    """Print how long a finished dataset takes to measure, and then each move of a slider."""
    per_style = min(len(banks[card.language].situations) for card in cards.values())
    some: list[Row] = []
    for seed in range(-(-rows // (per_style * len(cards)))):
        made, _ = good_rows(cards, banks, per_style, seed)
        some += [
            Row(f"{seed}-{at}", one.style.id, one.question, one.reply)
            for at, one in enumerate(made)
        ]
    some = some[:rows]
    started = time.perf_counter()
    measured = asyncio.run(measure(some, cards, NgramVectors(), screens))
    took = time.perf_counter() - started
    waits = []
    for step in range(20):
        limits = Thresholds(contrast=step / 100, near_duplicate=0.6 + step / 50, shortest=2 + step)
        began = time.perf_counter()
        preview(measured, limits)
        waits.append(time.perf_counter() - began)
    say(
        slider_rows=len(some), measured_once_s=round(took, 1),
        median_ms=ms(sorted(waits)[len(waits) // 2]), worst_ms=ms(max(waits)),
    )  # fmt: skip
    return max(waits) < SLIDER_SECONDS


def main() -> int:
    """Plant, judge, compare, print; return the exit status."""
    parser = argparse.ArgumentParser(description="The gates on planted defects")
    parser.add_argument("--per-style", type=int, default=200)
    parser.add_argument("--per-gate", type=int, default=60)
    parser.add_argument("--slider", type=int, default=50_000, help="rows; 0: not timed")
    parser.add_argument("--peers", type=Path, help="interpreter with the other libraries")
    options = parser.parse_args()
    cards = {style.id: style for style in load_styles(DATAGEN / "styles")}
    banks, screens = load_banks(DATAGEN / "questions"), load_screens(DATAGEN / "safety")
    rows = planted_rows(
        cards, banks, screens, per_style=options.per_style, per_gate=options.per_gate
    )
    good = gates(rows, screens)
    screens_compared(rows, screens, options.peers)
    if options.slider:
        good &= slider(cards, banks, screens, options.slider)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
