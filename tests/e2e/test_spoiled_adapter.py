"""A deliberately spoiled adapter on the real engine: the proof of style says so, and why."""

import asyncio
import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from contracts.evaluation import EvaluationReport
from contracts.job import JobState
from contracts.proof import Reason
from contracts.volume import Volume, read_document
from datagen.evaluations import EvaluationHandler
from datagen.probe import load_probe
from datagen.questions import load_banks
from demo_process import Shown
from fakes.published import write_current
from fakes.serving_process import ServingProcess
from fakes.spoiled import publish_spoiled
from kit.jobs import JobStore
from kit.worker import Worker
from repository import ROOT

pytestmark = pytest.mark.engines
SHIPPED = ROOT / "services/datagen"
START_SECONDS, SWAP_SECONDS = 500, 120
NOISY, BLANK = "tonesmith.v2", "tonesmith.v3"
REQUEST = {
    "tuned": NOISY,
    "models": [BLANK],
    "per_style": 4,
    "prompt_questions": 1,
    "turns": 1,
    "probe": False,
    "max_tokens": 48,
}


@pytest.fixture(scope="module")
def report(shown: Shown, tmp_path_factory: pytest.TempPathFactory) -> EvaluationReport:
    """The demo's adapter with weights of noise, and one that changes nothing, beside the base."""
    return proof_of_spoiled(shown.folder / "var/demo/data", tmp_path_factory.mktemp("spoiled"))


def proof_of_spoiled(demo: Path, folder: Path) -> EvaluationReport:
    """Serve spoiled copies of the demo's model, evaluate them, and return the report."""
    made = ServingProcess(
        folder, Path(os.environ["SERVING_ENGINE_PYTHON"]), ROOT / "services/trainer/bases"
    )
    for kind in ("models", "datasets"):
        shutil.copytree(demo / kind, made.volume.root / kind)
    current = made.volume.current_model()
    assert current
    model_id = current.versions[0].model_id
    publish_spoiled(made.volume, model_id, "spoiled", noise=2.0)
    publish_spoiled(made.volume, model_id, "blank", noise=0.0)
    write_current(made.volume, current.generation + 1, {2: "spoiled", 3: "blank"})
    made.start()
    try:
        made.ready(START_SECONDS)
        made.wait(lambda status: {NOISY, BLANK} <= set(status.loaded), SWAP_SECONDS)
        trained_on = made.volume.model_manifest(model_id).dataset_id
        return evaluated(made.volume, made.url, trained_on, folder / "jobs")
    finally:
        if made.process and made.process.poll() is None:
            made.stop()


def evaluated(volume: Volume, url: str, dataset_id: str, state: Path) -> EvaluationReport:
    """Return the report of an evaluation that asks what is served at `url`."""
    probe = load_probe(SHIPPED / "probe")
    handler = EvaluationHandler(volume, load_banks(SHIPPED / "questions"), url, probe=probe)
    with closing(JobStore(state)) as store:
        store.submit("evaluation", "spoiled", {"dataset_id": dataset_id} | REQUEST)
        job = store.claim()
        assert job
        asyncio.run(Worker(store, {"evaluation": handler}).run_job(job))
        assert store.get(job.id).state is JobState.DONE, store.get(job.id)
    return read_document(volume.evaluation(job.id) / "report.json", EvaluationReport)


def test_spoiled_adapter_did_not_take_and_the_report_says_why(report: EvaluationReport) -> None:
    """Noise in the weights breaks replies and speaks in no asked style."""
    assert report.verdict == "not"
    said = {Reason.BROKEN_REPLIES, Reason.WEAK_STYLE, Reason.NO_BETTER_THAN_PROMPT}
    assert said <= set(report.reasons)
    assert report.contestants["tuned"].accuracy <= 0.2


def test_adapter_that_changes_nothing_is_no_better_than_the_base(report: EvaluationReport) -> None:
    """Two identical models share a place, and no difference is found between them."""
    places = {rank.contestant: rank.place for rank in report.ranking}
    assert places[BLANK] == places["base"]
    (pair,) = [one for one in report.pairs if {one.first, one.second} == {"base", BLANK}]
    assert (pair.strength.value, pair.better) == (0, "none")
