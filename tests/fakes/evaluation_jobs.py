"""Evaluations of the small dataset against the fake OpenAI server, run to their end."""

from typing import Any

from contracts.evaluation import EvaluationReport
from contracts.job import Job
from contracts.volume import Volume, read_document
from datagen.evaluations import EvaluationHandler
from datagen.probe import load_probe
from fakes.openai_server import Model, OpenAIServer
from fakes.styled_dataset import BANKS, DATASET, SHIPPED, plain_model
from kit.jobs import JobStore
from kit.worker import Worker

PER_STYLE = 4
PROBE = load_probe(SHIPPED / "probe")
ITEMS = sum(map(len, PROBE.values()))
# Of four styles: 3 forms x 4 questions, then 3 contestants: 4 questions and 2 x 2 further turns.
REPLIES = 4 * (3 * 4 + 3 * PER_STYLE + 3 * 2 * 2) + 2 * ITEMS


def server_of(tuned: Model) -> OpenAIServer:
    """Return a server with a plain base and a tuned model."""
    return OpenAIServer({"base": plain_model, "tonesmith": tuned})


def handler(volume: Volume, server: OpenAIServer) -> EvaluationHandler:
    """Return the handler that asks `server`."""
    return EvaluationHandler(
        volume,
        BANKS,
        "http://serving",
        probe=PROBE,
        transport=server.transport,
        first_wait=0.0,
    )


def submit(store: JobStore, job_id: str = "eval-1", **changes: Any) -> Job:
    """Queue an evaluation."""
    request = {"dataset_id": DATASET, "per_style": PER_STYLE} | changes
    return store.submit("evaluation", job_id, request)


async def run(store: JobStore, volume: Volume, server: OpenAIServer) -> Job:
    """Run the next queued job to its end."""
    job = store.claim()
    assert job
    await Worker(store, {"evaluation": handler(volume, server)}).run_job(job)
    return store.get(job.id)


def report_of(volume: Volume, job_id: str = "eval-1") -> EvaluationReport:
    """Return the published report."""
    return read_document(volume.evaluation(job_id) / "report.json", EvaluationReport)
