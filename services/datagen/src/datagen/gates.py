"""Gates: each a pure function from a candidate to the reason why it is refused, or None.

The order is fixed and the first refusal counts, so every refused row has exactly one reason.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from contracts.sample import RejectReason, Turn
from contracts.style import Language, Lexicon, Style
from datagen.duplicates import DuplicateIndex, judged_text
from datagen.languages import language_share
from datagen.text import broken_character, control_token, letters

# An echo is judged on questions of at least this many letters: short ones occur in any reply.
ECHO_LETTERS = 8
ECHO_GRAM = 4
# Share of the question's 4-grams that a reply may repeat; of 3,301 real replies 4 repeat more.
ECHO_SHARE = 0.75
# Chinese replies may quote English words and the other way round.
LANGUAGE_SHARE = 0.5
OPEN_ENDS = frozenset("，、,:：;；(（[【「『《“‘-—/&+=")
TRAILING = "".join(map(chr, (0xFE0F, 0x200D))) + " \n\t"

ASSISTANT_VOICE = re.compile(
    r"作为(?:一个|一名|一款|一位)?\s*(?:AI|人工智能|大?语言模型|智能助手|聊天机器人)"
    r"|我(?:只)?是(?:一个|一名|一款|个)?\s*(?:AI|人工智能|大?语言模型|智能助手|聊天机器人)"
    r"|(?:很抱歉|对不起|抱歉)[，,]?\s*我(?:无法|不能|没办法)(?:回答|提供|协助|帮助|满足)"
    r"|很高兴(?:能)?为[您你]服务|请问(?:还)?有什么(?:可以|能)帮"
    r"|\bas an? (?:AI|artificial intelligence|(?:large )?language model|virtual assistant)\b"
    r"|\bI(?:'|’)?\s?a?m (?:just |only )?an? (?:AI|(?:large )?language model|virtual assistant)\b"
    r"|\bI(?:'|’)?\s?a?m sorry,? but I (?:can(?:'|’)?t|cannot|am unable)"
    r"|\bI cannot (?:assist|help) with\b|\bhow (?:can|may) I (?:help|assist) you\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Refusal:
    """Why a candidate is refused; `detail` shows what was found."""

    reason: RejectReason
    detail: str = ""


@dataclass(frozen=True)
class Candidate:
    """A reply before the gates, with all that they look at; what several need is found once."""

    style: Style
    question: str
    reply: str
    history: tuple[Turn, ...] = ()
    cut: bool = False  # the teacher ran into its token limit

    def texts(self) -> list[str]:
        """Return every text of the row."""
        earlier = [text for turn in self.history for text in (turn.user, turn.assistant)]
        return [*earlier, self.question, self.reply]

    @cached_property
    def plain(self) -> str:
        """The letters of the reply."""
        return letters(self.reply)

    @cached_property
    def markers(self) -> dict[str, bool]:
        """Which kinds of the style's words occur in the reply."""
        return marked(self.style.lexicon, self.plain, self.reply.casefold())


@dataclass(frozen=True)
class Limits:
    """Length of a reply in characters, and how strict the form is judged."""

    shortest: int
    longest: int
    strict: bool = True


# A styled reply of the bank's advice is 25 to 80 Chinese characters, 110 to 300 English ones.
GENERATED: dict[Language, Limits] = {"zh": Limits(8, 400), "en": Limits(24, 900)}
IMPORTED = Limits(2, 4000, strict=False)

Gate = Callable[[Candidate, Limits], Refusal | None]


def length(candidate: Candidate, limits: Limits) -> Refusal | None:
    """Refuse a reply that is too short or too long."""
    size = len(candidate.reply.strip())
    if size < limits.shortest:
        return Refusal(RejectReason.TOO_SHORT, f"{size} of at least {limits.shortest} characters")
    if size > limits.longest:
        return Refusal(RejectReason.TOO_LONG, f"{size} of at most {limits.longest} characters")
    return None


def control_tokens(candidate: Candidate, _: Limits) -> Refusal | None:
    """Refuse control tokens of chat templates, in every text of the row."""
    for text in candidate.texts():
        if found := control_token(text):
            return Refusal(RejectReason.CONTROL_TOKEN, found[:40])
    return None


def broken_text(candidate: Candidate, limits: Limits) -> Refusal | None:
    """Refuse replacement and control characters, and a reply that stops in mid-sentence."""
    for text in candidate.texts():
        if found := broken_character(text):
            return Refusal(RejectReason.BROKEN_TEXT, f"U+{ord(found):04X}")
    if candidate.cut:
        return Refusal(RejectReason.BROKEN_TEXT, "cut at the token limit")
    if is_unfinished(candidate.reply, strict=limits.strict):
        return Refusal(RejectReason.BROKEN_TEXT, f"ends with {candidate.reply.strip()[-8:]!r}")
    return None


def is_unfinished(reply: str, *, strict: bool) -> bool:
    """Return whether `reply` ends openly; `strict` wants punctuation, a symbol or an emoji."""
    last = reply.rstrip(TRAILING)[-1:]
    return last in OPEN_ENDS or (strict and last.isalnum())


def echo(candidate: Candidate, _: Limits) -> Refusal | None:
    """Refuse a reply that repeats the question."""
    repeated = repeated_share(letters(candidate.question), candidate.plain)
    if repeated >= ECHO_SHARE:
        return Refusal(RejectReason.ECHO, f"{repeated:.0%} of the question")
    return None


def echo_share(question: str, reply: str) -> float:
    """Return the share of the question's 4-grams that `reply` repeats, 0 to 1."""
    return repeated_share(letters(question), letters(reply))


def repeated_share(asked: str, said: str) -> float:
    """Return the share of the 4-grams of `asked` that `said` repeats; of both, the letters."""
    if len(asked) < ECHO_LETTERS:
        return float(bool(asked) and asked == said)
    starts = range(len(asked) - ECHO_GRAM + 1)
    return sum(asked[at : at + ECHO_GRAM] in said for at in starts) / len(starts)


def language(candidate: Candidate, _: Limits) -> Refusal | None:
    """Refuse a reply that is not in the language of the style."""
    right = language_share(candidate.reply, candidate.style.language)
    if right < LANGUAGE_SHARE:
        return Refusal(RejectReason.WRONG_LANGUAGE, f"{right:.0%} {candidate.style.language}")
    return None


def assistant_voice(candidate: Candidate, _: Limits) -> Refusal | None:
    """Refuse a reply that speaks as a machine, refuses, or offers service."""
    found = ASSISTANT_VOICE.search(candidate.reply)
    return Refusal(RejectReason.ASSISTANT_VOICE, found.group()[:60]) if found else None


def off_style(candidate: Candidate, limits: Limits) -> Refusal | None:
    """Refuse a generated reply without a marker of its style, or with what the card avoids."""
    if not limits.strict:
        return None
    folded = candidate.reply.casefold()
    for phrase in candidate.style.avoid:
        if phrase.casefold() in folded:
            return Refusal(RejectReason.OFF_STYLE, f"avoid: {phrase[:40]}")
    if not any(candidate.markers.values()):
        return Refusal(RejectReason.OFF_STYLE, "no opener, closer or particle of the style")
    return None


def markers(lexicon: Lexicon, reply: str) -> dict[str, bool]:
    """Return which kinds of the style's words occur in `reply`.

    Openers and closers count whatever their punctuation; a particle counts at the end of a
    clause only, since most are single characters. Emoji are no marker: any style may use them.
    """
    return marked(lexicon, letters(reply), reply.casefold())


def marked(lexicon: Lexicon, plain: str, folded: str) -> dict[str, bool]:
    """Return `markers` of a reply of which these are the letters, and all of it casefolded."""
    return {
        "opener": any(phrase in plain for phrase in plain_phrases(tuple(lexicon.openers))),
        "closer": any(phrase in plain for phrase in plain_phrases(tuple(lexicon.closers))),
        "particle": any(ends_clause(word.casefold(), folded) for word in lexicon.particles),
    }


@lru_cache(maxsize=256)
def plain_phrases(phrases: tuple[str, ...]) -> tuple[str, ...]:
    """Return the letters of a card's phrases: worked out once for a card, not for each reply."""
    return tuple(map(letters, phrases))


def ends_clause(wanted: str, folded: str) -> bool:
    """Return whether `wanted` stands in `folded` before punctuation, a symbol or the end."""
    at = folded.find(wanted)
    while at >= 0:
        after = folded[at + len(wanted) :][:1]
        if not after.isalnum():
            return True
        at = folded.find(wanted, at + 1)
    return False


GATES: tuple[Gate, ...] = (
    control_tokens,
    length,
    broken_text,
    assistant_voice,
    language,
    echo,
    off_style,
)


def first_refusal(candidate: Candidate, limits: Limits) -> Refusal | None:
    """Return the first gate's refusal of `candidate`, or None where all let it pass."""
    for gate in GATES:
        if refusal := gate(candidate, limits):
            return refusal
    return None


def duplicate(candidate: Candidate, index: DuplicateIndex) -> tuple[Refusal | None, float]:
    """Return the refusal of a row that `index` has already, and its highest similarity.

    The similarity is that to the accepted rows of its own style.
    """
    style, text = candidate.style.id, judged_text(candidate.question, candidate.reply)
    if index.is_duplicate(style, text):
        return Refusal(RejectReason.DUPLICATE), 1.0
    nearest = index.nearest(style, text)
    if nearest.within >= index.near:
        detail = f"similarity {nearest.within:.2f}"
        return Refusal(RejectReason.NEAR_DUPLICATE, detail), nearest.within
    if nearest.across >= index.near:
        detail = f"similarity {nearest.across:.2f} to {nearest.other}"
        return Refusal(RejectReason.CROSS_STYLE_DUPLICATE, detail), nearest.within
    return None, nearest.within


def scores(candidate: Candidate, nearest: float) -> dict[str, float]:
    """Return the figures that stay with an accepted row."""
    found = candidate.markers
    return {
        "style_markers": sum(found.values()) / len(found),
        "nearest": round(nearest, 3),
        "characters": float(len(candidate.reply)),
    }
