"""What the gates measure of the rows of a finished dataset: once, before any threshold.

Measuring takes seconds; judging by thresholds (`judging.py`) then takes a fraction of one, so a
slider can ask again and again.
"""

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contracts.judge import Rating
from contracts.sample import Rejected, RejectReason, Sample, Turn
from contracts.style import Language, Style
from datagen.contrast import Floats, contrasts, likenesses
from datagen.duplicates import judged_text
from datagen.gates import (
    IMPORTED,
    Candidate,
    Refusal,
    assistant_voice,
    broken_text,
    control_tokens,
    echo_share,
)
from datagen.languages import language_share
from datagen.near_pairs import Pairs, near_pairs
from datagen.personal_data import find_personal_data
from datagen.text import letters
from datagen.vectors import Matrix, Vectors
from kit.crisis import Screen, crisis_of


@dataclass(frozen=True)
class Row:
    """One row of a dataset; `reason` is why it was refused, None where it was accepted."""

    id: str
    style: str
    question: str
    reply: str
    history: tuple[Turn, ...] = ()
    situation: str | None = None
    reason: RejectReason | None = None
    safety: str | None = None
    masked: tuple[str, ...] = ()

    def said_by_user(self) -> list[str]:
        """Return what the person says, in order."""
        return [*(turn.user for turn in self.history), self.question]


@dataclass(frozen=True)
class Twin:
    """An earlier accepted row that a row resembles.

    Attributes:
        row: its number.
        similarity: 0 to 1.
        same: whether it has the very same letters.
    """

    row: int
    similarity: float
    same: bool


@dataclass(frozen=True)
class Figures:
    """What the gates know of one row; NaN where there is nothing to compare it with."""

    characters: int
    echo: float
    language: float
    contrast: float
    likeness: float
    within: Twin | None
    across: Twin | None
    facts: tuple[Refusal, ...]
    rating: Rating | None = None


@dataclass(frozen=True)
class Measured:
    """A dataset with the figures of its rows; accepted rows come first.

    Attributes:
        rows: of styles that have a card.
        figures: of each row.
        vectors: what contrast and likeness were measured with.
        languages: of each style.
    """

    rows: list[Row]
    figures: list[Figures]
    vectors: str
    languages: Mapping[str, Language]


def rows_of(samples: Iterable[Sample], rejected: Iterable[Rejected]) -> list[Row]:
    """Return the rows of a dataset: the accepted ones, then the refused ones."""
    kept = [
        Row(
            sample.id,
            sample.style,
            sample.question,
            sample.reply,
            tuple(sample.history),
            sample.situation,
            safety=sample.safety,
            masked=tuple(sample.masked),
        )
        for sample in samples
    ]
    refused = [
        Row(
            f"{row.slot}#{row.attempt}",
            row.style,
            row.question,
            row.reply,
            tuple(row.history),
            reason=row.reason,
        )
        for row in rejected
        if row.speaker == "assistant"  # a user's words are no row: nobody replied
    ]
    return kept + refused


async def measure(
    rows: Sequence[Row],
    cards: Mapping[str, Style],
    vectors: Vectors,
    screens: Mapping[Language, Screen],
) -> Measured:
    """Return the figures of `rows`; those of a style without a card are left out.

    Raises what `vectors` raises.
    """
    known = [row for row in rows if row.style in cards]
    known.sort(key=lambda row: row.reason is not None)  # stable: accepted rows first
    names = sorted(cards)
    references = [
        (at, shown.assistant) for at, name in enumerate(names) for shown in cards[name].examples
    ]
    texts = [row.reply for row in known] + [text for _, text in references]
    matrix = await vectors.matrix(texts)
    owners = [at for at, _ in references]
    return await asyncio.to_thread(
        measured_rows, known, cards, screens, (matrix, owners, vectors.name)
    )


def measured_rows(
    rows: list[Row],
    cards: Mapping[str, Style],
    screens: Mapping[Language, Screen],
    vectors: tuple[Matrix, Sequence[int], str],
) -> Measured:
    """Return the figures of `rows`, whose vectors come first in the matrix, then references."""
    matrix, owners, _ = vectors
    tones, likes = tone_figures(rows, cards, matrix, owners)
    pairs = near_pairs([judged_text(row.question, row.reply) for row in rows])
    within, across = twins(rows, pairs)
    figures = []
    for at, row in enumerate(rows):
        style = cards[row.style]
        figures.append(
            Figures(
                characters=len(row.reply.strip()),
                echo=echo_share(row.question, row.reply),
                language=language_share(row.reply, style.language),
                contrast=math.nan if row.safety else float(tones[at]),
                likeness=math.nan if row.safety else float(likes[at]),
                within=within.get(at),
                across=across.get(at),
                facts=tuple(facts(row, style, screens)),
            )
        )
    languages = {name: card.language for name, card in cards.items()}
    return Measured(rows, figures, vectors[2], languages)


def tone_figures(
    rows: Sequence[Row], cards: Mapping[str, Style], matrix: Matrix, owners: Sequence[int]
) -> tuple[Floats, Floats]:
    """Return contrast and likeness of each row; refused rows teach nothing of their style."""
    names = sorted(cards)
    number = {name: at for at, name in enumerate(names)}
    styles = [number[row.style] for row in rows]
    teaches = np.array([row.reason is None and not row.safety for row in rows], bool)
    tones = contrasts(matrix[: len(rows)], styles, rivals(names, cards), teaches)
    likes = likenesses(matrix[: len(rows)], styles, matrix[len(rows) :], owners)
    return tones, likes


def rivals(names: Sequence[str], cards: Mapping[str, Style]) -> npt.NDArray[np.bool_]:
    """Return which styles a row could be taken for: the others of the same language."""
    languages = np.array([cards[name].language for name in names])
    table = languages[:, np.newaxis] == languages[np.newaxis, :]
    np.fill_diagonal(table, False)
    return np.asarray(table, np.bool_)


def twins(rows: Sequence[Row], pairs: Pairs) -> tuple[dict[int, Twin], dict[int, Twin]]:
    """Return the most similar earlier accepted row of each row: of its style, of another one."""
    plain = [letters(judged_text(row.question, row.reply)) for row in rows]
    within, across = first_equals(rows, plain)
    order = np.argsort(-pairs.similarity, kind="stable")
    for at in order.tolist():
        earlier, later = int(pairs.earlier[at]), int(pairs.later[at])
        if rows[earlier].reason is not None or rows[earlier].safety or rows[later].safety:
            continue
        table = within if rows[earlier].style == rows[later].style else across
        twin = Twin(earlier, float(pairs.similarity[at]), plain[earlier] == plain[later])
        table.setdefault(later, twin)
    return within, across


def first_equals(
    rows: Sequence[Row], plain: Sequence[str]
) -> tuple[dict[int, Twin], dict[int, Twin]]:
    """Return the first accepted row of the same letters, by row: same style, another one."""
    within: dict[int, Twin] = {}
    across: dict[int, Twin] = {}
    first: dict[str, dict[str, int]] = {}
    for at, row in enumerate(rows):
        if row.safety:
            continue
        known = first.setdefault(plain[at], {})
        for style, earlier in known.items():
            table = within if style == row.style else across
            table.setdefault(at, Twin(earlier, 1.0, same=True))
        if row.reason is None:
            known.setdefault(row.style, at)
    return within, across


def facts(row: Row, style: Style, screens: Mapping[Language, Screen]) -> list[Refusal]:
    """Return what is wrong with a row whatever the thresholds are."""
    candidate = Candidate(style, row.question, row.reply, row.history)
    found = [gate(candidate, IMPORTED) for gate in (control_tokens, broken_text, assistant_voice)]
    found += [crisis(row, style.language, screens), personal_data(candidate)]
    return [refusal for refusal in found if refusal]


def personal_data(candidate: Candidate) -> Refusal | None:
    """Return the refusal of a row that holds personal data in any of its texts."""
    kinds = {one.kind for text in candidate.texts() for one in find_personal_data(text)}
    return Refusal(RejectReason.PERSONAL_DATA, ", ".join(sorted(kinds))) if kinds else None


def crisis(row: Row, language: Language, screens: Mapping[Language, Screen]) -> Refusal | None:
    """Return the refusal of a row about a crisis without a safe reply, or that incites to harm."""
    if any(screen.is_safe_reply(row.reply) for screen in screens.values()):
        return None
    for screen in screens.values():
        if words := screen.incites(row.reply):
            return Refusal(RejectReason.CRISIS, f"incitement: {words[:40]}")
    kind = crisis_of(screens, language, row.said_by_user())
    return Refusal(RejectReason.CRISIS, kind) if kind else None
