"""The figures of a proof of style, each with its 95 % interval, and the reasons of a verdict."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from contracts.interval import Interval
from contracts.judge import AgreementReport
from contracts.model import Recorded
from contracts.style import Language

Verdict = Literal["took", "partly", "not", "unclear"]
ProbeKind = Literal["instruction", "general"]


class Reason(StrEnum):
    """Why a verdict is not `took`. A closed list: pages and programs explain by it."""

    UNTRUSTED_JUDGE = "untrusted_judge"  # unclear: the classifier itself mixes the styles up
    BELOW_BASE = "below_base"  # not: surely less of the style than the base
    NO_BETTER_THAN_BASE = "no_better_than_base"  # not: the interval of the gain holds 0
    WRONG_STYLE = "wrong_style"  # not: no surer than a random style of the language
    BROKEN_REPLIES = "broken_replies"  # not if most are defective, partly if surely more than base
    WEAK_STYLE = "weak_style"  # partly: fewer than four replies in five are recognised
    NO_BETTER_THAN_PROMPT = "no_better_than_prompt"  # partly: a prompt does as well
    OFF_TOPIC = "off_topic"  # partly: surely 10 points less of the advice than the base
    FADES = "fades"  # partly: the style surely weakens with every turn of a conversation
    FORGOT = "forgot"  # partly: surely fewer probe items right than the base


class Figure(Recorded):
    """A figure with its interval, and from how many questions it comes."""

    value: float
    interval: Interval
    count: int


class ContestantFigures(Recorded):
    """What one contestant's replies measure; shares and probabilities are ratios from 0 to 1.

    Shares have a Wilson interval, which is right at 0 and 1 too; the others a bootstrap over
    questions.
    """

    contestant: str
    style: str = Field(default="", description="empty: over all styles")
    strength: Figure = Field(description="mean probability of the asked style")
    accuracy: Figure = Field(description="share taken for the asked style")
    on_topic: Figure | None = Field(default=None, description="share with the situation's advice")
    defect_free: Figure = Field(description="share without any defect")
    surprisal: Figure | None = Field(
        default=None, description="bits a character under trigrams of the training replies"
    )
    distinct_1: Figure
    distinct_2: Figure
    characters: Figure = Field(description="mean length of a reply")


class PairDifference(Recorded):
    """`first` minus `second` over the same questions, with bootstrap intervals."""

    first: str
    second: str
    questions: int
    strength: Figure
    accuracy: Figure
    p: float = Field(description="of the difference in strength, by signs flipped at random")
    p_holm: float = Field(description="the same, corrected by Holm for all pairs of the report")
    better: Literal["first", "second", "none"] = Field(
        description="none: the interval of the difference holds 0, or p_holm is over 0.02"
    )


class Rank(Recorded):
    """A place in the ranking; those that no question tells apart share one."""

    place: int = Field(ge=1)
    contestant: str
    strength: Figure


class PromptChoice(Recorded):
    """The style prompt of the contestant `prompted`, chosen apart from the judged questions."""

    style: str
    form: str = Field(description="the form that spoke in the style best; the first among equals")
    strengths: dict[str, float] = Field(description="of every form, on the selection questions")
    questions: int = Field(description="selection questions that each form was asked")
    examples: int = Field(description="of the card, in the chosen prompt")
    left_out: int = Field(default=0, description="examples that did not fit the context length")
    untried: list[str] = Field(default=[], description="forms that the server does not take")


class Drift(Recorded):
    """Style strength over the turns of conversations, each with the model's own replies before."""

    contestant: str
    turns: list[Figure] = Field(description="strength at turn 1, 2, ...; of the same conversations")
    slope: Figure = Field(description="change of strength from one turn to the next")
    verdict: Literal["steady", "fades", "grows", "cannot_tell"]


class ProbeScore(Recorded):
    """Share of the probe's items that a contestant got right."""

    contestant: str
    right: Figure
    by_kind: dict[ProbeKind, Figure] = {}
    by_language: dict[Language, Figure] = {}


class ForgettingProbe(Recorded):
    """Short instructions with checkable constraints and general questions, before and after."""

    items: int
    scores: list[ProbeScore]
    difference: Figure = Field(description="tuned minus base, item by item")
    verdict: Literal["kept", "forgot", "cannot_tell"] = Field(
        description="cannot_tell: the base knows too little to lose, or too few items to be sure"
    )


class JudgedPair(Recorded):
    """Two contestants by a language model that saw every pair twice, in swapped seats."""

    first: str
    second: str
    questions: int
    wins: int = Field(description="of first, in both seats")
    losses: int
    ties: int = Field(description="flips included")
    flips: int = Field(description="the verdict changed with the seat: a tie")
    win_rate: Figure = Field(description="of first; a tie counts half")
    length_controlled: Figure | None = Field(
        default=None, description="win rate between replies of equal length"
    )


class JudgedPairs(Recorded):
    """What the optional judge found."""

    model: str
    pairs: list[JudgedPair]
    failed: int = Field(default=0, description="comparisons without a usable verdict")
    same_as_teacher: bool = Field(default=False, description="it may favour what it wrote")
    agreement: AgreementReport | None = Field(
        default=None, description="with people, where it was measured"
    )
