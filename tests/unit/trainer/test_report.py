"""What a run's record takes over from its engine."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.identity import now
from contracts.job import Job, JobState
from contracts.run import Fit, RunRecord, RunRequest
from contracts.volume import Volume
from kit.jobs import JobStore
from kit.worker import JobContext
from trainer.report import Report, changes
from trainer.runfolder import RunFolder


@pytest.fixture
def report(tmp_path: Path) -> Iterator[Report]:
    """The report of a run whose engine is process 7."""
    store = JobStore(tmp_path / "state")
    job: Job = store.submit("run", "r-1", {})
    folder = RunFolder(Volume(tmp_path / "data"), "r-1")
    folder.path.mkdir(parents=True)
    write(folder, "engine.pid", {"pid": 7})
    request = RunRequest(dataset_id="d-1")
    record = RunRecord(id="r-1", state=JobState.RUNNING, request=request, created_at=now())
    yield Report(folder, JobContext(store, job), record)
    store.close()


def write(folder: RunFolder, name: str, document: dict[str, Any]) -> None:
    """Write a document of the engine's."""
    (folder.path / name).write_text(json.dumps(document))


def test_words_of_an_earlier_engine_are_not_taken_over(report: Report) -> None:
    """Its rank file lies there until the next engine writes its own."""
    write(report.folder, "rank-0.json", {"pid": 6, "step": 9, "stage": "train"})
    report.follow(force=True)
    assert report.record.step == 0
    write(report.folder, "rank-0.json", {"pid": 7, "step": 3, "stage": "train", "rank": 0})
    report.follow(force=True)
    assert report.record.step == 3
    assert report.folder.volume.run_record("r-1").step == 3


def test_fullest_card_of_all_ranks_is_the_measured_one(report: Report) -> None:
    """And the largest peak of the run, not the last one."""
    record = report.record.model_copy(update={"fit": Fit(measured_bytes=50)})
    ranks = [{"figures": {"memory_peak_reserved_bytes": peak}} for peak in (40.0, 60.0)]
    assert changes(record, ranks, {})["fit"].measured_bytes == 60
    assert changes(record, ranks[:1], {})["fit"].measured_bytes == 50
    assert changes(record, [{}], {})["fit"].measured_bytes == 50


def test_figures_that_are_no_numbers_are_left_out(report: Report) -> None:
    """A loss that is not known yet is null in the rank file."""
    rank = {"pid": 7, "step": 1, "stage": "load", "figures": {"loss": None, "epoch": 0.5}}
    write(report.folder, "rank-0.json", rank)
    report.follow(force=True)
    assert report.record.loss is None


def test_note_is_written_once(report: Report) -> None:
    """A service that is started ten times says so once."""
    report.note("so")
    report.note("so")
    assert report.folder.volume.run_record("r-1").notes == ["so"]


def test_end_says_why_and_what_was_measured(report: Report) -> None:
    """An outcome of an earlier version, which knows less, is taken too."""
    stop = {"reason": "overfit", "step": 9, "best_step": 6, "saved_steps": 3, "detail": "rose"}
    report.ended({"stop": stop, "best_step": 6, "metrics": {"bleu_4": 3.5, "note": "x"}})
    assert report.record.stop
    assert (report.record.stop.reason, report.record.best_step) == ("overfit", 6)
    assert report.record.metrics == {"bleu_4": 3.5}
    report.ended({"state": "cancelled", "error": None})
    assert (report.record.stop, report.record.best_step) == (None, 6)


def test_what_the_engine_did_otherwise_is_noted_once(report: Report) -> None:
    """A choice that fell back is said in the record, also where the engine says it again."""
    said = "the checkpoint is chosen by its loss: there is one style"
    for _ in range(2):
        report.ended({"state": "done", "notes": [said]})
    assert report.record.notes == [said]
