"""A language model as judge: rates a reply by rubric, or chooses between two with swapped seats.

An answer that cannot be read, or that is out of range, is asked for again; what stays unreadable
is `unjudged` with the reason, never a default score.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from contracts.judge import PairVerdict, Rating
from contracts.sample import Turn
from contracts.style import Language, Style
from datagen.asking import RefusedError
from datagen.judge_answers import UnreadableError, read_better, read_scores
from datagen.rubric import Messages, Rubric, comparing_messages, rating_messages
from datagen.seats import flipped, level, settled
from datagen.teachers import Asked

Read = TypeVar("Read")
TRIES = 3
# The first answer is the likeliest one; the same question at 0 again would get the same answer.
FIRST_TEMPERATURE, RETRY_TEMPERATURE = 0.0, 0.5


class LlmJudge:
    """Judges replies.

    Args:
        asked: the model behind it; its calls are paid as a teacher's are.
        rubrics: by language.
        model: what reports call it.
        same_as_teacher: whether it also writes what it judges; reports warn of that.
        tries: answers that are asked for before a row counts as unjudged.
    """

    def __init__(
        self,
        asked: Asked,
        rubrics: Mapping[Language, Rubric],
        *,
        model: str = "",
        same_as_teacher: bool = False,
        tries: int = TRIES,
    ) -> None:
        self.asked = asked
        self.model = model or asked.model
        self.same_as_teacher = same_as_teacher
        self.rubrics = rubrics
        self.tries = tries

    @property
    def most(self) -> int:
        """Calls at once, at most."""
        return self.asked.most

    async def rate(
        self,
        style: Style,
        question: str,
        reply: str,
        *,
        history: Sequence[Turn] = (),
        safe_reply: bool = False,
    ) -> Rating:
        """Return the scores of one reply on the criteria that apply to it.

        Raises TeacherDownError, TeacherSetupError, BudgetSpentError.
        """
        rubric = self.rubrics[style.language]
        criteria = rubric.applying(safe_reply=safe_reply)
        messages = rating_messages(rubric, criteria, style, question, reply, history)
        try:
            scores, reason = await self._read(messages, lambda text: read_scores(text, criteria))
        except UnreadableError as error:
            return Rating(problem=str(error))
        return Rating(scores=scores, reason=reason)

    async def compare(
        self,
        style: Style,
        question: str,
        first: str,
        second: str,
        *,
        history: Sequence[Turn] = (),
    ) -> PairVerdict:
        """Return which reply is better: cut to one length, asked in both orders.

        Equal texts are a tie without a call, and nothing loses against something. Raises as
        `rate` does.
        """
        replies = level(first, second)
        size = len(replies[0])
        if not size and (first.strip() or second.strip()):
            return PairVerdict(outcome="first" if first.strip() else "second", characters=0)
        if replies[0] == replies[1]:
            return PairVerdict(outcome="tie", characters=size)
        rubric, found, reasons = self.rubrics[style.language], [], []
        for seats in (replies, replies[::-1]):
            messages = comparing_messages(rubric, style, question, (seats[0], seats[1]), history)
            try:
                better, reason = await self._read(messages, read_better)
            except UnreadableError as error:
                return PairVerdict(outcome="unjudged", characters=size, problem=str(error))
            found.append(better)
            reasons.append(reason)
        straight, swapped = found
        return PairVerdict(
            outcome=settled(straight, swapped),
            flipped=flipped(straight, swapped),
            characters=size,
            reasons=reasons,
        )

    async def _read(self, messages: Messages, read: Callable[[str], Read]) -> Read:
        """Return what the judge says, asked again while it cannot be read."""
        problem = ""
        for attempt in range(self.tries):
            seed = zlib.crc32(f"{attempt}/{messages[1]['content']}".encode()) & 0x7FFFFFFF
            temperature = RETRY_TEMPERATURE if attempt else FIRST_TEMPERATURE
            try:
                answer = await self.asked.ask(messages, temperature=temperature, seed=seed)
                return read(answer.text)
            except RefusedError as error:
                problem = f"the judge refuses: {error}"
            except UnreadableError as error:
                problem = str(error)
        raise UnreadableError(problem)
