"""The asking of an evaluation, step by step: choose prompts, ask, converse, probe; resumable.

Each step has a journal of its own in the staging folder, so that a killed evaluation goes on where
it was, and a step that is whole costs nothing on the way back.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.evaluation import EvaluationRequest, Reply
from contracts.proof import PromptChoice
from contracts.style import Language
from datagen.chat import ChatClient, PromptTooLongError, Sampling
from datagen.contestants import PROMPTED, contestants_of, questions_to
from datagen.drift import next_turns
from datagen.evaluate import Asked, Judge, Judging, Round
from datagen.formats import WITH_PREFIX, prefix_of
from datagen.heldout import SplitDataset
from datagen.probe import Item, ProbeJudge, by_id, probe_questions
from datagen.prompt_choice import as_asked, choices, chosen, trials
from datagen.question_plan import QuestionPlan
from datagen.style_prompts import TEXT
from kit.errors import InvalidInputError

logger = logging.getLogger(__name__)
REPLIES, DIALOGUES = "replies.jsonl", "dialogues.jsonl"
SELECTION, PROBE = "selection.jsonl", "probe.jsonl"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Found:
    """All replies of an evaluation.

    Attributes:
        replies: to the judged questions, of every contestant.
        dialogues: of the later turns.
        prompts: how the prompted base was prompted.
        probe: to the items of the probe.
        asked: how many there are in all, with those that chose the prompts.
    """

    replies: list[Reply]
    dialogues: list[Reply]
    prompts: list[PromptChoice]
    probe: list[Reply]
    asked: int


class ProofRun:
    """Asks all that an evaluation asks.

    Args:
        client: reaches the models.
        judge: judges the styled replies.
        folder: where the journals lie.
        request: who is asked what.
        dataset: for the cards and how they condition.
        questions: what is asked.
        probe: the items of the probe by language.
        concurrency: requests at once.
        progress: called with the replies so far and those in all; it may raise StoppedError.
    """

    def __init__(
        self,
        client: ChatClient,
        judge: Judge,
        folder: Path,
        *,
        request: EvaluationRequest,
        dataset: SplitDataset,
        questions: QuestionPlan,
        probe: Mapping[Language, Sequence[Item]],
        concurrency: int,
        progress: Progress,
    ) -> None:
        self.client = client
        self.judge = judge
        self.folder = folder
        self.request = request
        self.dataset = dataset
        self.questions = questions
        self.items = probe
        self.concurrency = concurrency
        self.progress = progress
        self.models = contestants_of(request)
        self.sampling = Sampling(request.max_tokens, request.temperature, request.seed)
        self.prefixes = prefixes_of(dataset)
        self.done = 0
        self.trials = trials(questions.selection, dataset.styles, request.base)
        self.total = self._total()

    async def run(self) -> Found:
        """Ask everything. Raises TonesmithError and StoppedError; what is journalled stays."""
        tried = await self._tried()
        choice = choices(tried, self.dataset.styles)
        prompts = chosen(choice, self.dataset.styles)
        asked = questions_to(self.questions.judged, self.models, prompts)
        replies = await self._ask(asked, REPLIES)
        dialogues = await self._converse(asked, replies)
        probe = await self._ask(self._probed(), PROBE, ProbeJudge(by_id(self.items)))
        shown = as_asked(choice, [*replies, *dialogues])
        return Found(replies, dialogues, shown, probe, self.total)

    async def _tried(self) -> list[Reply]:
        """Return the replies to the trials, in chats only where the server goes on with no text.

        Chats come first: a model that answered them refuses a script because it is one.
        """
        chats = [one for one in self.trials if one.form != TEXT]
        tried = await self._ask(chats, SELECTION)
        try:
            scripts = [one for one in self.trials if one.form == TEXT]
            return tried + await self._ask(scripts, SELECTION)
        except PromptTooLongError:
            raise
        except InvalidInputError as error:
            logger.warning("the form text is left out", extra={"reason": str(error)})
        self.trials, self.done = chats, len(chats)
        self.total = self._total()
        return tried

    async def _converse(self, asked: Sequence[Asked], replies: Sequence[Reply]) -> list[Reply]:
        """Return the replies of turns 2 and later, one turn of all conversations at a time."""
        heard: list[Reply] = []
        for _ in range(2, self.request.turns + 1):
            asked = next_turns(asked, replies, self.questions.turns, self.prefixes)
            replies = await self._ask(asked, DIALOGUES)
            heard += replies
        return heard

    async def _ask(
        self, asked: Sequence[Asked], journal: str, judge: Judging | None = None
    ) -> list[Reply]:
        """Return the replies to `asked`, of which those in the journal are not asked again."""
        before = self.done

        def on_reply(answered: int) -> None:
            self.done = before + answered
            self.progress(self.done, self.total)

        questions = Round(
            self.client,
            judge or self.judge,
            self.folder / journal,
            sampling=self.sampling,
            concurrency=self.concurrency,
            on_reply=on_reply,
        )
        return await questions.run(asked) if asked else []

    def _probed(self) -> list[Asked]:
        """Return the probe's items to every model: a style prompt does not make one forget."""
        if not self.request.probe:
            return []
        models = {name: model for name, model in self.models.items() if name != PROMPTED}
        languages = (card.language for card in self.dataset.styles.values())
        items = probe_questions(self.items, languages)
        return [Asked(name, model, item) for item in items for name, model in models.items()]

    def _total(self) -> int:
        """Return how many replies there will be; a prompted base without a card asks less."""
        carded = set(self.dataset.styles)
        rivals = [name for name in self.models if name != PROMPTED]
        questions = [*self.questions.judged, *self.questions.turns.values()]
        prompted = [one for one in questions if one.style in carded and PROMPTED in self.models]
        return len(self.trials) + len(questions) * len(rivals) + len(prompted) + len(self._probed())


def prefixes_of(dataset: SplitDataset) -> dict[str, str]:
    """Return what the dataset teaches to put before a reply, by style; nothing for most."""
    if dataset.manifest.conditioning not in WITH_PREFIX:
        return {}
    return {style: prefix_of(card) for style, card in dataset.styles.items()}
