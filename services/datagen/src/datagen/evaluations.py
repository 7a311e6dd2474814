"""The job "evaluation": load, plan, ask, judge, publish; resumable at every step."""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx

from contracts.durable import tree_digests, write_atomic
from contracts.evaluation import EvaluationManifest, EvaluationReport, EvaluationRequest, Reply
from contracts.identity import now
from contracts.job import Job, JobState, Progress
from contracts.proof import JudgedPairs
from contracts.sample import Sample
from contracts.style import Language
from contracts.volume import MANIFEST, Volume, read_document, write_document
from datagen.chat import REPLY_TIMEOUT, ChatClient
from datagen.classifier import PLAIN, Labelled, StyleClassifier
from datagen.compose import plain_reply
from datagen.contestants import check_request
from datagen.evaluate import Judge, StoppedError
from datagen.formats import WITH_PREFIX
from datagen.heldout import SplitDataset, load_dataset
from datagen.judged_pairs import JudgeReplies
from datagen.probe import Item, probe_figures
from datagen.proof_run import Found, ProofRun
from datagen.question_plan import question_plan
from datagen.questions import Bank
from datagen.report import render_report
from datagen.surprisal import Trigrams
from datagen.trained import model_figures
from datagen.verdict import Proof, score_replies
from kit.worker import POLL_SECONDS, JobContext, Outcome

logger = logging.getLogger(__name__)
KIND = "evaluation"
REPORT, PAGE = "report.json", "report.html"
# Measured with vLLM on 2 cores: more requests at once only wait inside the server.
CONCURRENCY = 24
Made = TypeVar("Made")
NO_PROBE: Mapping[Language, Sequence[Item]] = {}


class EvaluationHandler:
    """Runs evaluations for `kit.worker.Worker`.

    Args:
        volume: holds the datasets, and gets the evaluations.
        banks: situations by language.
        serving_url: address of serving's OpenAI API, without `/v1`.
        probe: items of the forgetting probe by language.
        judge: a language model that compares replies, where there is one.
        api_key: serving's key, where it wants one.
        transport: replaces the network in tests.
        concurrency: requests at once.
        first_wait: seconds before a first retry.
    """

    def __init__(
        self,
        volume: Volume,
        banks: Mapping[Language, Bank],
        serving_url: str,
        *,
        probe: Mapping[Language, Sequence[Item]] = NO_PROBE,
        judge: JudgeReplies | None = None,
        api_key: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        concurrency: int = CONCURRENCY,
        first_wait: float = 0.5,
    ) -> None:
        self.volume = volume
        self.banks = banks
        self.serving_url = serving_url
        self.probe = probe
        self.judge = judge
        self.headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self.transport = transport
        self.concurrency = concurrency
        self.first_wait = first_wait

    async def __call__(self, job: Job, context: JobContext) -> Outcome:
        """Run the evaluation, or go on with it. Raises TonesmithError; cancelling ends it."""
        target = self.volume.evaluation(job.id)
        if (target / MANIFEST).exists():  # killed between publication and the job's last state
            return outcome(read_document(target / REPORT, EvaluationReport))
        request = EvaluationRequest.model_validate(job.request)
        check_request(request, judge=self.judge is not None)
        context.progress(Progress(stage="prepare"), force=True)
        dataset = await asyncio.to_thread(load_dataset, self.volume, request.dataset_id)
        classifier = await asyncio.to_thread(trained, dataset, self.banks, request.seed)
        try:
            asking = self._ask(target, request, dataset, classifier, context)
            found = await unless_cancelled(asking, context)
            judging = self._judged(target, request, found.replies, context)
            judged = await unless_cancelled(judging, context)
        except StoppedError:
            return Outcome(JobState.CANCELLED)
        published = Progress(stage="publish", done=found.asked, total=found.asked)
        context.progress(published, force=True)
        report = await asyncio.to_thread(
            self._report, job, request, dataset, classifier, found, judged
        )
        await asyncio.to_thread(self._publish, target, report, found.replies, dataset)
        return outcome(report)

    async def _judged(
        self, target: Path, request: EvaluationRequest, replies: list[Reply], context: JobContext
    ) -> JudgedPairs | None:
        if not request.judge or self.judge is None:
            return None
        return await self.judge(
            replies, request, self.volume.staging(target), told(context, "judge")
        )

    async def _ask(
        self,
        target: Path,
        request: EvaluationRequest,
        dataset: SplitDataset,
        classifier: StyleClassifier,
        context: JobContext,
    ) -> Found:
        questions = await asyncio.to_thread(question_plan, dataset, self.banks, request)

        async with self._http() as http:
            run = ProofRun(
                ChatClient(http, first_wait=self.first_wait),
                Judge(classifier, prefixes(dataset)),
                self.volume.staging(target),
                request=request,
                dataset=dataset,
                questions=questions,
                probe=self.probe,
                concurrency=self.concurrency,
                progress=told(context, "ask"),
            )
            return await run.run()

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.serving_url,
            headers=self.headers,
            transport=self.transport,
            timeout=REPLY_TIMEOUT,
            limits=httpx.Limits(max_connections=self.concurrency),
        )

    def _report(
        self,
        job: Job,
        request: EvaluationRequest,
        dataset: SplitDataset,
        classifier: StyleClassifier,
        found: Found,
        judged: JudgedPairs | None,
    ) -> EvaluationReport:
        languages = {name: card.language for name, card in dataset.styles.items()}
        yardsticks = natural(dataset, self.banks, request.seed)
        report = score_replies(
            found.replies,
            report_id=job.id,
            created_at=now(),
            request=request,
            classifier=classifier.score(labelled(dataset.heldout)),
            questions="bank" if dataset.asks_bank else "dataset",
            conditioning=dataset.manifest.conditioning.value,
            languages=languages,
            proof=Proof(
                dialogues=found.dialogues,
                prompts=found.prompts,
                probe=probe_figures(found.probe, self.probe, request.seed),
                judged=judged,
                natural={s: yardsticks[one] for s, one in languages.items() if one in yardsticks},
                natural_surprisal=usual_bits(dataset, yardsticks),
            ),
        )
        figures = model_figures(self.volume, request.tuned)
        return report.model_copy(update={"trained": figures})

    def _publish(
        self, target: Path, report: EvaluationReport, replies: list[Reply], dataset: SplitDataset
    ) -> None:
        """Write report and page beside the journal, and publish the folder."""
        staging = self.volume.staging(target)
        write_document(staging / REPORT, report)
        page = render_report(report, replies, list(dataset.styles.values()))
        write_atomic(staging / PAGE, page.encode())
        manifest = EvaluationManifest(
            id=report.id, created_at=report.created_at, files=tree_digests(staging)
        )
        self.volume.publish(target, manifest)
        logger.info("evaluation published", extra={"job": report.id, "verdict": report.verdict})


async def unless_cancelled(work: Coroutine[Any, Any, Made], context: JobContext) -> Made:
    """Return what `work` returns. Raises StoppedError where the job is cancelled before.

    A model that hangs would not let `told` hear of it for as long as a reply may take.
    """
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait({task}, timeout=POLL_SECONDS))[0]:
            if context.cancelled:
                raise StoppedError
        return task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})


def told(context: JobContext, stage: str) -> Callable[[int, int], None]:
    """Return what tells a job how far a stage is, and raises StoppedError where it is cancelled."""

    def tell(done: int, total: int) -> None:
        context.progress(Progress(stage=stage, done=done, total=total))
        if context.cancelled:
            raise StoppedError

    return tell


def trained(dataset: SplitDataset, banks: Mapping[Language, Bank], seed: int) -> StyleClassifier:
    """Return the classifier trained on the dataset's training split."""
    rows = [*labelled(dataset.train), *plain_rows(dataset.train, banks, seed)]
    return StyleClassifier(rows, seed=seed)


def plain_rows(samples: list[Sample], banks: Mapping[Language, Bank], seed: int) -> list[Labelled]:
    """Return the advice of `samples` said plainly: for each language as many rows as one style has.

    Samples without a situation (an import) have no plain counterpart.
    """
    chance = random.Random(seed)
    rows = []
    for language, bank in sorted(banks.items()):
        own = [sample for sample in samples if sample.language == language]
        known = sorted({sample.situation for sample in own if sample.situation})
        number = len(own) // max(1, len({sample.style for sample in own}))
        for situation in chance.sample(known, min(number, len(known))):
            advice = bank.situation(situation).advice
            rows.append(Labelled(plain_reply(advice, language), PLAIN))
    return rows


def natural(
    dataset: SplitDataset, banks: Mapping[Language, Bank], seed: int
) -> dict[Language, Trigrams]:
    """Return the yardstick of naturalness by language: training replies, styled and plain."""
    texts: dict[Language, list[str]] = defaultdict(list)
    for sample in dataset.train:
        texts[sample.language].append(sample.reply)
    for language in list(texts):
        own = [sample for sample in dataset.train if sample.language == language]
        texts[language] += [row.reply for row in plain_rows(own, banks, seed)]
    return {language: Trigrams(replies) for language, replies in texts.items()}


def usual_bits(dataset: SplitDataset, yardsticks: Mapping[Language, Trigrams]) -> dict[str, float]:
    """Return the bits a character of the held-out replies, by language."""
    replies: dict[Language, list[str]] = defaultdict(list)
    for sample in dataset.heldout:
        replies[sample.language].append(sample.reply)
    return {one: yardsticks[one].mean_bits(texts) for one, texts in replies.items()}


def labelled(samples: list[Sample]) -> list[Labelled]:
    """Return the replies of `samples` with their styles, and nothing else of them."""
    return [Labelled(sample.reply, sample.style) for sample in samples]


def prefixes(dataset: SplitDataset) -> frozenset[str]:
    """Return the first lines that the dataset teaches: the names of its styles, or none."""
    if dataset.manifest.conditioning not in WITH_PREFIX:
        return frozenset()
    cards = dataset.styles.values()
    return frozenset(name for card in cards for name in (card.id, card.names.zh, card.names.en))


def outcome(report: EvaluationReport) -> Outcome:
    """Return the final state of a published evaluation, with its headline figures."""
    accuracies = {name: score.accuracy for name, score in report.contestants.items()}
    return Outcome(
        result={"evaluation_id": report.id, "verdict": report.verdict, "accuracy": accuracies}
    )
