"""What a generation will take: a few of its own calls are made and measured, the rest follows."""

import asyncio
import time
from dataclasses import dataclass
from statistics import fmean

from contracts.dataset import DatasetRequest
from contracts.estimate import CostEstimate
from contracts.style import Language, StyleVersion
from contracts.volume import Volume
from datagen.asking import RefusedError
from datagen.drawing import Questions
from datagen.errors import TeacherSetupError
from datagen.gates import GENERATED, Candidate, first_refusal
from datagen.prompts import Prompts, teacher_messages
from datagen.question_sets import asked_banks
from datagen.questions import Bank
from datagen.slots import Slot, plan, request_seed
from datagen.teachers import Asked
from datagen.usage import Usage

# Tokens of what a simulated user is told before the dialogue, about its characters, and of what
# it says; its calls are not among the measured ones.
USER_PROMPT, USER_WORDS = 1000, 40


@dataclass(frozen=True)
class Probe:
    """One call that was made."""

    usage: Usage
    passed: bool
    seconds: float
    question_characters: int


class Estimator:
    """Measures calls of a dataset that does not exist yet.

    Args:
        banks: questions by language.
        prompts: teacher prompts.
        teacher: is asked; the calls count against the budget.
        volume: holds the question sets that a request may name.
    """

    def __init__(
        self,
        banks: dict[Language, Bank],
        prompts: Prompts,
        teacher: Asked,
        volume: Volume | None = None,
    ) -> None:
        self.banks, self.prompts, self.teacher = banks, prompts, teacher
        self.volume = volume

    async def estimate(
        self, request: DatasetRequest, styles: list[StyleVersion], calls: int
    ) -> CostEstimate:
        """Return what the dataset will take, after `calls` real calls over all styles.

        Raises:
            TeacherSetupError: no call was answered, or the answers report no usage.
            TonesmithError: what a generation would raise.
        """
        slots = plan(request, styles)
        # Slots of all styles stand side by side, so an even spread meets them all alike.
        chosen = [slots[at * len(slots) // calls] for at in range(min(calls, len(slots)))]
        asked = asked_banks(self.volume, request.questions, self.banks) if self.volume else None
        questions = Questions(asked or self.banks, request.seed)
        found = await asyncio.gather(*(self._probe(slot, questions, request) for slot in chosen))
        probes = [probe for probe in found if probe is not None]
        if not probes or all(probe.usage.input is None for probe in probes):
            raise TeacherSetupError(
                "the cost cannot be estimated: no answer of the teacher reports its tokens",
                hint="ask a teacher that reports usage, or start with a small per_style",
            )
        return self._extrapolate(slots, probes)

    async def _probe(
        self, slot: Slot, questions: Questions, request: DatasetRequest
    ) -> Probe | None:
        style = slot.style.style
        question = questions.draw(slot, 1)
        began = time.monotonic()
        try:
            reply = await self.teacher.ask(
                teacher_messages(self.prompts.system(style), [], question.text),
                temperature=style.temperature,
                seed=request_seed(request.seed, slot, 0, 1),
            )
        except RefusedError:
            return None
        candidate = Candidate(style, question.text, reply.text, (), reply.cut)
        passed = first_refusal(candidate, GENERATED[style.language]) is None
        return Probe(reply.usage, passed, time.monotonic() - began, len(question.text))

    def _extrapolate(self, slots: list[Slot], probes: list[Probe]) -> CostEstimate:
        into = fmean(probe.usage.input or 0 for probe in probes)
        cached = fmean(probe.usage.cached or 0 for probe in probes)
        out = fmean(probe.usage.output or 0 for probe in probes)
        # One more success than seen: three of three do not mean that all will pass.
        tries = (len(probes) + 1) / (sum(probe.passed for probe in probes) + 1)
        shown = fmean(probe.question_characters for probe in probes)
        exchanges = sum(slot.turns for slot in slots)
        users = exchanges - len(slots)
        earlier = sum(slot.turns * (slot.turns - 1) // 2 for slot in slots) * (out + shown)
        sent = (exchanges * into + earlier) * tries + users * USER_PROMPT + earlier
        replies = exchanges * tries
        calls = round(replies) + users
        written = replies * out + users * USER_WORDS
        usage = Usage(round(sent), round(replies * cached), round(written))
        return CostEstimate(
            rows=len(slots),
            calls=calls,
            input_tokens=usage.input or 0,
            output_tokens=usage.output or 0,
            dollars=self.teacher.cost(usage),
            budget_left=self.teacher.budget_left,
            seconds=calls * fmean(probe.seconds for probe in probes) / self.teacher.most,
            measured_calls=len(probes),
            teacher=self.teacher.model,
            assumptions=[
                f"tokens and seconds of a call: the mean of {len(probes)} first exchanges",
                f"{tries:.2f} calls for each accepted reply: the share that passed the gates, "
                "without the gate of duplicates",
                "each earlier exchange of a dialogue adds its reply and one token for each "
                "character of its question",
                f"a simulated user reads {USER_PROMPT} tokens and all that was said, writes "
                f"{USER_WORDS}, and is asked once for each turn after the first",
                "no call fails on its way, and no rate limit slows the teacher down",
            ],
        )
