"""How well the report card finds planted defects in real rows, and how many others it flags.

    .venv/bin/python benchmarks/report_card.py ROWS.json [--seeds 10]

ROWS.json is a list of {user, assistant, style}. Its questions are halved by a fixed draw: defaults
were chosen on the half `--half tune`; the figures that count are those of `--half report`. In each
run 1 % of the rows get each defect, and every run plants anew. Prints one line of JSON a gate.
"""

import argparse
import asyncio
import json
import random
import string
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import yaml

from contracts.quality import Thresholds
from contracts.sample import RejectReason
from contracts.style import Style
from datagen.corpus import load_styles
from datagen.judging import judge
from datagen.measured import Row, measure
from datagen.personal_data import ID_WEIGHTS
from datagen.questions import load_banks
from datagen.report_card import report_card
from datagen.report_card_page import render_report_card
from datagen.rows import Malformed, read_rows
from datagen.vectors import NgramVectors
from kit.crisis import load_screens

ROOT = Path(__file__).parents[1]
DATAGEN = ROOT / "services/datagen"
SHARE = 0.01
VOICES = (
    "作为一个AI语言模型，我没有情感，不过我可以给您一些建议：多沟通，多休息。",
    "很抱歉，我无法回答这个问题，请咨询专业人士。",
    "作为人工智能助手，我建议您保持冷静，理性处理。",
    "您好，很高兴为您服务！请问有什么可以帮您的吗？",
    "我是一个大语言模型，不能替您做决定，但可以提供参考。",
    "抱歉，我不能提供这方面的帮助，请换一个话题。",
    "对不起，我没办法协助您完成这个请求。",
    "作为AI，我没有个人经历，但根据一般经验，可以先冷静下来。",
)
EDITS = "的了呢啊吧嘛呀哦"
DUPLICATES = {
    RejectReason.DUPLICATE,
    RejectReason.NEAR_DUPLICATE,
    RejectReason.CROSS_STYLE_DUPLICATE,
}
EXPECTED = {
    "duplicate": DUPLICATES,
    "wrong_style": {RejectReason.OTHER_STYLE},
    "other_language": {RejectReason.WRONG_LANGUAGE},
    "assistant_voice": {RejectReason.ASSISTANT_VOICE},
    "personal_data": {RejectReason.PERSONAL_DATA},
}


def read(path: Path, cards: list[Style], half: str) -> list[Row]:
    """Return the rows of one half of the questions, with the ids of their styles."""
    ids = {name: card.id for card in cards for name in (card.names.zh, card.names.en, card.id)}
    rows = [row for row in read_rows(path.read_bytes()) if not isinstance(row, Malformed)]
    questions = sorted({row.question for row in rows})
    random.Random(6).shuffle(questions)
    tuning = set(questions[: len(questions) // 2])
    return [
        Row(f"row-{number:05d}", ids[row.style], row.question, row.reply, row.history)
        for number, row in enumerate(rows)
        if half == "all" or (row.question in tuning) == (half == "tune")
    ]


Reasons = set[RejectReason]


class Planter:
    """Plants defects into rows.

    Args:
        rows: the rows, which stay as they are.
        seed: of every draw.
    """

    def __init__(self, rows: list[Row], seed: int) -> None:
        self.rows = list(rows)
        self.chance = random.Random(seed)
        foreign = yaml.safe_load((ROOT / "tests/data/other_languages.yaml").read_text("utf-8"))
        self.foreign = [text for texts in foreign.values() for text in texts]
        self.styles = sorted({row.style for row in rows})
        self.planted: dict[int, str] = {}

    def plant(self) -> None:
        """Give 1 % of the rows each defect."""
        makers: dict[str, Callable[[int], Row]] = {
            "duplicate": self.duplicate,
            "wrong_style": self.wrong_style,
            "other_language": self.other_language,
            "assistant_voice": self.assistant_voice,
            "personal_data": self.personal_data,
        }
        count = max(1, round(len(self.rows) * SHARE))
        # The first fifth stays whole, so that there is an earlier row to repeat.
        places = self.chance.sample(range(len(self.rows) // 5, len(self.rows)), count * len(makers))
        # Named first: what a duplicate repeats must not be changed afterwards.
        self.planted = {place: list(makers)[at // count] for at, place in enumerate(places)}
        for place, name in self.planted.items():
            self.rows[place] = makers[name](place)

    def duplicate(self, place: int) -> Row:
        """Return an earlier row again: as it is, or with one to three characters changed."""
        earlier = self.chance.choice([at for at in range(place) if at not in self.planted])
        source, row = self.rows[earlier], self.rows[place]
        reply = list(source.reply)
        for _ in range(self.chance.randint(0, 3)):
            reply[self.chance.randrange(len(reply))] = self.chance.choice(EDITS)
        return replace(row, style=source.style, question=source.question, reply="".join(reply))

    def wrong_style(self, place: int) -> Row:
        """Return the row under another style's name."""
        row = self.rows[place]
        return replace(row, style=self.chance.choice([s for s in self.styles if s != row.style]))

    def other_language(self, place: int) -> Row:
        """Return the row with a reply in a language that no style of the file has."""
        return replace(self.rows[place], reply=self.chance.choice(self.foreign))

    def assistant_voice(self, place: int) -> Row:
        """Return the row with an assistant's phrase in place of its first sentence, or alone."""
        row, phrase = self.rows[place], self.chance.choice(VOICES)
        return replace(row, reply=phrase if self.chance.random() < 0.5 else phrase + row.reply)

    def personal_data(self, place: int) -> Row:
        """Return the row with a sentence that holds made-up personal data."""
        row, extra = self.rows[place], personal_sentence(self.chance)
        if self.chance.random() < 0.3:
            return replace(row, question=row.question + extra)
        return replace(row, reply=row.reply + extra)


def personal_sentence(chance: random.Random) -> str:
    """Return a sentence with a phone number, address, card, ... that belongs to nobody."""
    digits = "".join(chance.choices(string.digits, k=20))
    mobile = f"1{chance.choice('3456789')}{digits[:9]}"
    name = "".join(chance.choices(string.ascii_lowercase, k=7))
    road = chance.choice(["幸福", "建设", "人民", "长江", "和平"])
    return chance.choice(
        [
            f"打我电话{mobile}吧。",
            f"我手机 {mobile[:3]}-{mobile[3:7]}-{mobile[7:]}，随时找我。",
            f"座机0{chance.choice(['10', '21', '755'])}-8{digits[:7]}也行。",
            f"发到{name}@example.com给我看看。",
            f"邮箱是{name}.{digits[:3]}@mail.example.cn，记得发。",
            f"身份证号{identity(chance)}。",
            f"转到这张卡 {card(chance)} 上。",
            f"加我微信 {name}_{digits[:3]}。",
            f"QQ：{chance.randint(1, 9)}{digits[:8]}。",
            f"我住在{road}路{chance.randint(1, 999)}号{chance.randint(1, 30)}栋{digits[:3]}室。",
        ]
    )


def identity(chance: random.Random) -> str:
    """Return a made-up identity number with the right check digit."""
    plain = f"110105{chance.randint(1950, 2010)}{chance.randint(1, 12):02d}"
    plain += f"{chance.randint(1, 28):02d}{chance.randint(0, 999):03d}"
    total = sum(int(digit) * weight for digit, weight in zip(plain, ID_WEIGHTS, strict=True))
    return plain + "10X98765432"[total % 11]


def card(chance: random.Random) -> str:
    """Return a made-up card number with the right check digit, in groups of four."""
    digits = [6, 2, *(chance.randint(0, 9) for _ in range(13))]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[::-2]]
    digits.append(-(sum(doubled) + sum(digits[-2::-2])) % 10)
    plain = "".join(map(str, digits))
    return " ".join(plain[at : at + 4] for at in range(0, 16, 4))


Run = tuple[Planter, list[Reasons]]


async def one_run(rows: list[Row], cards: dict[str, Style], seed: int) -> Run:
    """Plant with `seed`, measure, and return what was found of each row."""
    planter = Planter(rows, seed)
    planter.plant()
    screens = load_screens(DATAGEN / "safety")
    measured = await measure(planter.rows, cards, NgramVectors(), screens)
    limits = Thresholds()
    return planter, [{r.reason for r in judge(figures, limits)} for figures in measured.figures]


def tally(
    planter: Planter, found: list[set[RejectReason]], counts: dict[str, Counter[str]]
) -> None:
    """Add one run to the counts."""
    for at, reasons in enumerate(found):
        if name := planter.planted.get(at):
            counts[name]["planted"] += 1
            counts[name]["found"] += bool(reasons & EXPECTED[name])
            continue
        counts["untouched"]["rows"] += 1
        counts["untouched"]["flagged"] += bool(reasons)
        for reason in reasons:
            counts["untouched"][reason.value] += 1


def say(**figures: object) -> None:
    """Print one line of JSON."""
    sys.stdout.write(json.dumps(figures, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def page(rows: list[Row], cards: dict[str, Style], out: Path) -> None:
    """Write the report card of `rows` as it is, without anything planted."""
    banks = load_banks(DATAGEN / "questions")
    screens = load_screens(DATAGEN / "safety")
    measured = asyncio.run(measure(rows, cards, NgramVectors(), screens))
    found = report_card(
        measured,
        dataset_id="real-rows",
        created_at=datetime.now(UTC),
        limits=Thresholds(),
        banks=banks,
    )
    out.write_text(render_report_card(found, list(cards.values()), banks), encoding="utf-8")
    out.with_suffix(".json").write_text(found.model_dump_json(indent=1), encoding="utf-8")


def main() -> None:
    """Plant, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--half", choices=("tune", "report", "all"), default="report")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--page", type=Path, help="also write the page of the unplanted rows here")
    options = parser.parse_args()
    every = load_styles(DATAGEN / "styles")
    rows = read(options.rows, every, options.half)
    used = {row.style for row in rows}
    cards = {style.id: style for style in every if style.id in used}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    started = time.perf_counter()
    for seed in range(1, options.seeds + 1):
        tally(*asyncio.run(one_run(rows, cards, seed)), counts)
    seconds = (time.perf_counter() - started) / options.seeds
    for name in EXPECTED:
        recall = counts[name]["found"] / counts[name]["planted"]
        say(defect=name, recall=round(recall, 4), **counts[name])
    untouched = counts["untouched"]
    ratio = untouched["flagged"] / untouched["rows"]
    say(untouched=round(ratio, 4), **untouched)
    say(half=options.half, rows=len(rows), seeds=options.seeds, seconds_a_run=round(seconds, 2))
    if options.page:
        page(rows, cards, options.page)


if __name__ == "__main__":
    main()
