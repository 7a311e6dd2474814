"""The style studio: what the teacher makes of a card, and which cards a judge mixes up."""

import asyncio
import random
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from contracts.studio import (
    ConfusionRequest,
    GateVerdict,
    PreviewRequest,
    StyleConfusion,
    StylePreview,
)
from contracts.style import Style
from datagen.asking import RefusedError
from datagen.board import encodable
from datagen.collisions import collisions
from datagen.gates import Candidate, scores
from datagen.generate import first_error
from datagen.library import StyleLibrary
from datagen.prompts import Prompts, teacher_messages
from datagen.questions import Bank
from datagen.regating import Screens, verdicts
from datagen.review_rows import Banks
from datagen.routing import safe_answer
from datagen.scores import confusion
from datagen.teachers import Asked
from datagen.tonegrams import judge_tones
from kit.errors import InvalidInputError, NotFoundError, TonesmithError, UnavailableError

# A person waits for a preview; the teacher's own patience is made for jobs.
PREVIEW_SECONDS = 60.0
CONFUSION_SECONDS = 300.0
# Calls of one confusion at once, beside whatever a job asks.
AT_ONCE = 8
FEWEST = 2
# The number of the question and the reply; before them the place of the style.
Answered = tuple[int, str]
Row = tuple[int, int, str]


class Drafts:
    """The cards under preview, which the scripted teacher has to know: they are in no library."""

    def __init__(self) -> None:
        self._cards: list[Style] = []

    def cards(self) -> list[Style]:
        """Return the cards that are being asked for now."""
        return list(self._cards)

    @contextmanager
    def known(self, cards: Sequence[Style]) -> Iterator[None]:
        """Make cards known for as long as they are asked for."""
        self._cards = [*cards, *self._cards]
        try:
            yield
        finally:
            for card in cards:
                self._cards.remove(card)


class Studio:
    """Asks the teacher in styles that need not be saved.

    Args:
        library: the saved cards.
        banks: questions by language.
        prompts: teacher prompts.
        teacher: writes the replies.
        drafts: tells the scripted teacher which cards are asked for.
        screens: tell a crisis, to which no style is asked of anybody.
    """

    def __init__(
        self,
        library: StyleLibrary,
        banks: Banks,
        prompts: Prompts,
        teacher: Asked,
        drafts: Drafts,
        screens: Screens,
    ) -> None:
        self.screens = screens
        self.library = library
        self.banks = banks
        self.prompts = prompts
        self.teacher = teacher
        self.drafts = drafts

    async def preview(self, request: PreviewRequest) -> StylePreview:
        """Return the teacher's reply to one question, and each gate's verdict on it.

        Raises:
            UnavailableError: the teacher refuses this question or takes too long.
            TonesmithError: as the teacher's: it is down, misconfigured, or the budget is spent.
        """
        card = request.card
        said = [*(turn.user for turn in request.history), request.question]
        if safe := safe_answer(self.screens, card.language, said):
            return self._safe(card, *safe)
        messages = teacher_messages(self.prompts.system(card), request.history, request.question)
        try:
            with self.drafts.known([card]):
                async with asyncio.timeout(PREVIEW_SECONDS):
                    answer = await self.teacher.ask(
                        messages, temperature=card.temperature, seed=request.seed
                    )
        except RefusedError as error:
            raise refused(str(error)) from error
        except TimeoutError as error:
            raise too_slow(PREVIEW_SECONDS) from error
        found = verdicts(card, request.question, answer.text, request.history)
        candidate = Candidate(card, request.question, answer.text, tuple(request.history))
        return StylePreview(
            reply=encodable(answer.text),
            accepted=all(verdict.passed for verdict in found),
            verdicts=found,
            scores=scores(candidate, 0.0),
            teacher=self.teacher.model,
            version=self.saved_version(card),
        )

    def _safe(self, card: Style, kind: str, reply: str) -> StylePreview:
        """Return the safe reply to a person in a crisis: no style is asked of it, nor a teacher."""
        verdict = GateVerdict(gate="crisis", passed=True, detail=f"{kind}: a safe reply")
        return StylePreview(
            reply=reply,
            accepted=True,
            verdicts=[verdict],
            teacher="safe replies",
            version=self.saved_version(card),
        )

    def saved_version(self, card: Style) -> int | None:
        """Return the version of the library's card that is equal to `card`, or None."""
        try:
            versions = self.library.versions(card.id)
        except NotFoundError:
            return None
        return next((one.version for one in reversed(versions) if one.style == card), None)

    async def confuse(self, request: ConfusionRequest) -> StyleConfusion:
        """Return which styles a judge mixes up, from a few replies of each.

        Raises:
            InvalidInputError: fewer than two styles, or one id twice.
            NotFoundError: the library has no such style.
            UnavailableError: the teacher takes too long, or answers no style often enough.
            TonesmithError: as the teacher's: it is down, misconfigured, or the budget is spent.
        """
        cards = self.asked_cards(request)
        try:
            with self.drafts.known(request.cards):
                async with asyncio.timeout(CONFUSION_SECONDS):
                    replies = await self._replies(cards, request)
        except TimeoutError as error:
            raise too_slow(CONFUSION_SECONDS) from error
        missing = {
            card.id: lost for card in cards if (lost := request.replies - len(replies[card.id]))
        }
        if any(request.replies - lost < FEWEST for lost in missing.values()):
            raise refused(f"too few replies: {missing}")
        return await asyncio.to_thread(confusion_of, cards, replies, missing)

    def asked_cards(self, request: ConfusionRequest) -> list[Style]:
        """Return the drafts and the saved cards that were asked for, each once."""
        wanted = request.styles or not request.cards  # neither: all of the library
        chosen = self.library.choose(request.styles) if wanted else []
        ids = [card.id for card in request.cards]
        if twice := next((name for name in ids if ids.count(name) > 1), None):
            raise InvalidInputError(
                f"cards: the id {twice!r} occurs twice", field="cards", hint="rename one of them"
            )
        found = [*request.cards, *(one.style for one in chosen if one.style.id not in ids)]
        if len(found) < 2:
            raise InvalidInputError(
                "telling styles apart needs two of them",
                field="styles",
                hint="name another style, or none for all of the library",
            )
        return found

    async def _replies(
        self, cards: Sequence[Style], request: ConfusionRequest
    ) -> dict[str, list[Answered]]:
        """Return the replies of each style; all styles of a language get the same questions."""
        gate = asyncio.Semaphore(AT_ONCE)
        found: dict[str, list[Answered]] = {card.id: [] for card in cards}

        async def one(card: Style, number: int, question: str) -> None:
            seed = zlib.crc32(f"{request.seed}/{card.id}/{number}".encode()) & 0x7FFFFFFF
            messages = teacher_messages(self.prompts.system(card), [], question)
            async with gate:
                try:
                    answer = await self.teacher.ask(
                        messages, temperature=card.temperature, seed=seed
                    )
                except RefusedError:
                    return
            if answer.text:
                found[card.id].append((number, answer.text))

        try:
            async with asyncio.TaskGroup() as group:
                for card in cards:
                    asked = questions(self.banks[card.language], request.replies, request.seed)
                    for number, question in enumerate(asked):
                        group.create_task(one(card, number, question))
        except* TonesmithError as errors:
            raise first_error(errors) from errors
        return found


def questions(bank: Bank, count: int, seed: int) -> list[str]:
    """Return so many questions about different situations; the same for every style."""
    chance = random.Random(seed)
    situations = chance.sample(bank.situations, min(count, len(bank.situations)))
    return [bank.draw(situation, "train", chance).text for situation in situations]


def confusion_of(
    cards: Sequence[Style], replies: dict[str, list[Answered]], missing: dict[str, int]
) -> StyleConfusion:
    """Return the matrix of a judge that sees each reply beside all others, and what collides."""
    rows = [(place, *row) for place, card in enumerate(cards) for row in replies[card.id]]
    rivals = np.array([[one.language == other.language for other in cards] for one in cards])
    asked = [cards[place].id for place, *_ in rows]
    recognised = [cards[place].id for place in recognise(rows, rivals)]
    matrix = confusion(asked, recognised)
    right = sum(one == other for one, other in zip(asked, recognised, strict=True))
    return StyleConfusion(
        matrix=matrix,
        accuracy=right / len(asked),
        replies=len(asked),
        missing=missing,
        collisions=collisions(cards, matrix),
    )


def recognise(rows: Sequence[Row], rivals: npt.NDArray[np.bool_]) -> list[int]:
    """Return the style that each reply is taken for, by all replies to other questions.

    All styles answer the same questions. With a reply left out but its question kept, only the
    other styles would know the advice, and the judge would be led away from the right one.
    """
    styles, numbers = [row[0] for row in rows], [row[1] for row in rows]
    texts = [row[2] for row in rows]
    found = [0] * len(rows)
    for number in set(numbers):
        tones = judge_tones(texts, styles, rivals, [other != number for other in numbers])
        for at, place in enumerate(tones.nearest):
            if numbers[at] == number:
                found[at] = int(place)
    return found


def refused(why: str) -> UnavailableError:
    """Return the error for a teacher that gives no usable answer."""
    return UnavailableError(
        f"the teacher gave no usable answer: {why[:200]}",
        hint="try another question or seed; look at datagen_teacher_requests_total",
    )


def too_slow(seconds: float) -> UnavailableError:
    """Return the error for a teacher that takes longer than a person waits."""
    return UnavailableError(
        f"the teacher did not answer within {seconds:.0f} s", hint="try again later"
    )
