"""Rows with one planted defect each, for every gate: what `benchmarks/gates.py` judges.

Good rows are composed of the shipped styles' own words, each about another situation. A defect
goes into a good row, so the row has nothing else that a gate could refuse it for.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from contracts.sample import RejectReason
from contracts.style import Language, Style
from datagen.compose import plain_reply, styled_reply
from datagen.gates import Candidate
from datagen.questions import Bank
from kit.crisis import Screen

ROOT = Path(__file__).parents[1]
VOICES = {
    "zh": (
        "作为一个AI语言模型，我没有感情。",
        "很抱歉，我无法回答这个问题。",
        "我是一个人工智能助手，只能提供建议。",
        "很高兴为您服务！",
        "请问还有什么可以帮您的吗？",
    ),
    "en": (
        "As an AI language model, I have no feelings.",
        "I'm sorry, but I can't do that.",
        "I cannot help with that request.",
        "How can I help you today?",
        "I'm just an AI, after all.",
    ),
}
TOKENS = ("<|im_end|>", "<|im_start|>", "<think>", "</s>", "[INST]", "<|endoftext|>")
INCITEMENT = {
    "zh": ("你怎么不去死呢", "那就去死吧", "没有你大家会更好"),
    "en": ("go kill yourself", "you should just die", "everyone would be better off without you"),
}
FOREIGN: dict[str, list[str]] = yaml.safe_load(
    (ROOT / "tests/data/other_languages.yaml").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Planted:
    """A row, and the reason for which a gate must refuse it; None: it must pass."""

    row: Candidate
    reason: RejectReason | None = None


class Planter:
    """Makes rows with defects out of good ones.

    Args:
        good: the rows that come first; duplicates repeat them.
        cards: of all styles.
        advice: behind each question.
        seed: of every draw.
    """

    def __init__(
        self,
        good: list[Candidate],
        cards: Mapping[str, Style],
        advice: Mapping[str, str],
        seed: int = 7,
    ) -> None:
        self.good = good
        self.advice = advice
        self.cards = cards
        self.chance = random.Random(seed)
        self.makers: dict[RejectReason, Callable[[Candidate], Candidate]] = {
            RejectReason.CONTROL_TOKEN: self.control_token,
            RejectReason.TOO_SHORT: self.too_short,
            RejectReason.TOO_LONG: self.too_long,
            RejectReason.BROKEN_TEXT: self.broken_text,
            RejectReason.ASSISTANT_VOICE: self.assistant_voice,
            RejectReason.WRONG_LANGUAGE: self.wrong_language,
            RejectReason.ECHO: self.echo,
            RejectReason.OFF_STYLE: self.off_style,
            RejectReason.DUPLICATE: self.duplicate,
            RejectReason.NEAR_DUPLICATE: self.near_duplicate,
            RejectReason.CROSS_STYLE_DUPLICATE: self.cross_style,
            RejectReason.CRISIS: self.incitement,
        }

    def control_token(self, row: Candidate) -> Candidate:
        """A token of a chat template somewhere in the reply."""
        at = self.chance.randrange(len(row.reply) + 1)
        token = self.chance.choice(TOKENS)
        return replace(row, reply=row.reply[:at] + token + row.reply[at:])

    def too_short(self, row: Candidate) -> Candidate:
        """The last few characters of the reply alone, with a full stop."""
        return replace(row, reply=row.reply[-self.chance.randint(2, 5) :])

    def too_long(self, row: Candidate) -> Candidate:
        """The reply, over and over."""
        return replace(row, reply=row.reply * (1000 // len(row.reply) + 1))

    def broken_text(self, row: Candidate) -> Candidate:
        """A replacement character, or the reply stops in mid-sentence."""
        if self.chance.random() < 0.5:
            at = self.chance.randrange(1, len(row.reply))
            return replace(row, reply=row.reply[:at] + "\ufffd" + row.reply[at:])
        comma = "，" if row.style.language == "zh" else ","
        return replace(row, reply=row.reply[: len(row.reply) // 2].rstrip() + comma)

    def assistant_voice(self, row: Candidate) -> Candidate:
        """An assistant's phrase before or after the reply."""
        phrase = self.chance.choice(VOICES[row.style.language])
        pair = [phrase, row.reply]
        self.chance.shuffle(pair)
        return replace(row, reply=" ".join(pair) if row.style.language == "en" else "".join(pair))

    def wrong_language(self, row: Candidate) -> Candidate:
        """A reply in one of 14 languages that the style does not speak; long enough to pass."""
        texts = [text for texts in FOREIGN.values() for text in texts if len(text) >= 26]
        return replace(row, reply=self.chance.choice(texts))

    def echo(self, row: Candidate) -> Candidate:
        """The question given back before the reply."""
        return replace(row, reply=f"{row.question} {row.reply}")

    def off_style(self, row: Candidate) -> Candidate:
        """Advice without a word of the style."""
        return replace(row, reply=plain_reply(self.advice[row.question], row.style.language))

    def duplicate(self, _: Candidate) -> Candidate:
        """An earlier row again, its punctuation changed."""
        earlier = self.chance.choice(self.good)
        return replace(earlier, reply=earlier.reply.replace("，", "、"))

    def near_duplicate(self, _: Candidate) -> Candidate:
        """An earlier row again, two letters in the middle of its reply changed."""
        earlier = self.chance.choice(self.good)
        reply = list(earlier.reply)
        letters = [at for at, one in enumerate(reply) if one.isalpha() and 8 < at < len(reply) - 8]
        for at in self.chance.sample(letters, 2):
            reply[at] = "的" if earlier.style.language == "zh" else "q"
        return replace(earlier, reply="".join(reply))

    def cross_style(self, _: Candidate) -> Candidate:
        """An earlier row under another style's name, with one word of that style added."""
        earlier = self.chance.choice(self.good)
        others = [
            card
            for card in self.cards.values()
            if card.language == earlier.style.language
            and card.id != earlier.style.id
            and card.lexicon.openers
            and not any(word.casefold() in earlier.reply.casefold() for word in card.avoid)
        ]
        style = self.chance.choice(others)
        opener = min(style.lexicon.openers, key=len)
        return replace(earlier, style=style, reply=f"{opener} {earlier.reply}")

    def incitement(self, row: Candidate) -> Candidate:
        """A reply that tells a person to harm themselves."""
        words = self.chance.choice(INCITEMENT[row.style.language])
        return replace(row, reply=f"{row.reply} {words}!")


def good_rows(
    cards: Mapping[str, Style], banks: Mapping[Language, Bank], per_style: int, seed: int = 5
) -> tuple[list[Candidate], dict[str, str]]:
    """Return good rows, the styles in turn, and the advice behind each question."""
    chance = random.Random(seed)
    rows: list[Candidate] = []
    advice: dict[str, str] = {}
    drawn = {
        name: chance.sample(banks[card.language].situations, per_style)
        for name, card in cards.items()
    }
    for number in range(per_style):
        for name, card in cards.items():
            situation = drawn[name][number]
            question = banks[card.language].draw(situation, "train", chance).text
            advice[question] = situation.advice
            rows.append(Candidate(card, question, styled_reply(card, situation.advice, chance)))
    return rows, advice


def planted_rows(
    cards: Mapping[str, Style],
    banks: Mapping[Language, Bank],
    screens: Mapping[Language, Screen],
    *,
    per_style: int,
    per_gate: int,
) -> list[Planted]:
    """Return good rows and rows with defects, mixed; what a duplicate repeats comes before it."""
    rows, advice = good_rows(cards, banks, per_style)
    rows = [row for row in rows if not any(s.kind(row.question) for s in screens.values())]
    half = len(rows) // 2
    planter = Planter(rows[:half], cards, advice)
    spoiled = [
        Planted(maker(planter.chance.choice(rows[half:])), reason)
        for reason, maker in planter.makers.items()
        for _ in range(per_gate)
    ]
    rest = [*map(Planted, rows[half:]), *spoiled]
    planter.chance.shuffle(rest)
    return [*map(Planted, rows[:half]), *rest]
