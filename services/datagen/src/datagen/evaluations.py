"""The job "evaluation": load, plan, ask, judge, publish; resumable at every step."""

import asyncio
import logging
import random
from collections.abc import Mapping
from pathlib import Path

import httpx

from contracts.durable import tree_digests, write_atomic
from contracts.evaluation import EvaluationManifest, EvaluationReport, EvaluationRequest, Reply
from contracts.identity import now
from contracts.job import Job, JobState, Progress
from contracts.sample import Sample
from contracts.style import Language
from contracts.volume import MANIFEST, Volume, read_document, write_document
from datagen.chat import REPLY_TIMEOUT, ChatClient, Sampling
from datagen.classifier import PLAIN, Labelled, StyleClassifier
from datagen.compose import plain_reply
from datagen.evaluate import Judge, Round, StoppedError, pairs
from datagen.formats import WITH_PREFIX
from datagen.heldout import SplitDataset, load_dataset, plan
from datagen.questions import Bank
from datagen.report import render_report
from datagen.trained import model_figures
from datagen.verdict import BASE, TUNED, score_replies
from kit.worker import JobContext, Outcome

logger = logging.getLogger(__name__)
KIND = "evaluation"
REPLIES, REPORT, PAGE = "replies.jsonl", "report.json", "report.html"
# Measured with vLLM on 2 cores: more requests at once only wait inside the server.
CONCURRENCY = 24


class EvaluationHandler:
    """Runs evaluations for `kit.worker.Worker`.

    Args:
        volume: holds the datasets, and gets the evaluations.
        banks: situations by language.
        serving_url: address of serving's OpenAI API, without `/v1`.
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
        api_key: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        concurrency: int = CONCURRENCY,
        first_wait: float = 0.5,
    ) -> None:
        self.volume = volume
        self.banks = banks
        self.serving_url = serving_url
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
        context.progress(Progress(stage="prepare"), force=True)
        dataset = await asyncio.to_thread(load_dataset, self.volume, request.dataset_id)
        classifier = await asyncio.to_thread(trained, dataset, self.banks, request.seed)
        try:
            replies = await self._ask(target, request, dataset, classifier, context)
        except StoppedError:
            return Outcome(JobState.CANCELLED)
        context.progress(
            Progress(stage="publish", done=len(replies), total=len(replies)), force=True
        )
        report = self._report(job, request, dataset, classifier, replies)
        figures = await asyncio.to_thread(model_figures, self.volume, request.tuned)
        report = report.model_copy(update={"trained": figures})
        await asyncio.to_thread(self._publish, target, report, replies, dataset)
        return outcome(report)

    async def _ask(
        self,
        target: Path,
        request: EvaluationRequest,
        dataset: SplitDataset,
        classifier: StyleClassifier,
        context: JobContext,
    ) -> list[Reply]:
        heldout = await asyncio.to_thread(
            plan, dataset, self.banks, request.per_style, request.seed
        )
        asked = pairs(heldout, {BASE: request.base, TUNED: request.tuned})

        def on_reply(done: int) -> None:
            context.progress(Progress(stage="ask", done=done, total=len(asked)))
            if context.cancelled:
                raise StoppedError

        async with self._http() as http:
            questions = Round(
                ChatClient(http, first_wait=self.first_wait),
                Judge(classifier, prefixes(dataset)),
                self.volume.staging(target) / REPLIES,
                sampling=Sampling(request.max_tokens, request.temperature, request.seed),
                concurrency=self.concurrency,
                on_reply=on_reply,
            )
            return await questions.run(asked)

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
        replies: list[Reply],
    ) -> EvaluationReport:
        return score_replies(
            replies,
            report_id=job.id,
            created_at=now(),
            request=request,
            classifier=classifier.score(labelled(dataset.heldout)),
            questions="bank" if dataset.asks_bank else "dataset",
            conditioning=dataset.manifest.conditioning.value,
            languages={name: card.language for name, card in dataset.styles.items()},
        )

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
