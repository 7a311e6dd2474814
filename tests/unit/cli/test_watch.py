"""Following a job with a progress bar."""

from io import StringIO

import httpx
import pytest
from rich.console import Console

from client import DatagenClient
from contracts.job import Job, JobState
from fakes.tonesmith_services import FakeServices, events, job
from tonesmith.errors import JobFailedError
from tonesmith.screen import Screen
from tonesmith.watch import bars, figures, note_of, show, watch


def followed(fake: FakeServices, final: str, accept: frozenset[JobState]) -> Job:
    """Watch a job that ends in the state `final`."""
    running = job("dataset", "demo-1", "running")
    fake.answers["GET /datasets/jobs/demo-1"] = lambda _: httpx.Response(200, json=running)
    ended = job("dataset", "demo-1", final)
    fake.answers["GET /datasets/jobs/demo-1/events"] = lambda _: events(running, ended)
    with DatagenClient("http://127.0.0.1:8001", transport=fake.transport) as datagen:
        jobs = datagen.dataset_jobs
        return watch(jobs, Job.model_validate(running), Screen(), accept=accept)


def test_final_job_is_returned(fake: FakeServices, capsys: pytest.CaptureFixture[str]) -> None:
    """The bar goes to standard error, with stage and figures."""
    assert followed(fake, "done", frozenset({JobState.DONE})).state is JobState.DONE
    written = capsys.readouterr()
    assert written.out == ""
    assert "dataset: dataset" in written.err
    assert "loss 0.5" in written.err


def test_other_end_is_an_error(fake: FakeServices) -> None:
    """An incomplete job is a result only where the caller says so."""
    with pytest.raises(JobFailedError, match="incomplete"):
        followed(fake, "incomplete", frozenset({JobState.DONE}))
    accept = frozenset({JobState.DONE, JobState.INCOMPLETE})
    assert followed(fake, "incomplete", accept).state is JobState.INCOMPLETE


def test_figures_are_few_and_short() -> None:
    """A line has room for four."""
    shown = figures({"loss": 0.123456, "[b]": 1, "c": 2, "d": 3, "e": 4})
    assert shown == "loss 0.1235  [b] 1  c 2  d 3"


def test_note_of_a_run_is_its_losses() -> None:
    """Held-out loss and time instead of whatever else the engine logs; markup stays text."""
    known = {"grad_norm": 3.0, "learning_rate": 1e-4, "loss": 0.5, "eval_loss": 0.25}
    run = Job.model_validate(job("run", "run-1", "running", progress={"figures": known}))
    assert note_of(run, 90) == "loss 0.5  held-out 0.25  ≤ 2 min left"
    other = Job.model_validate(job("x", "x-1", progress={"figures": {"[b]": 1}}))
    with bars(Console(file=(text := StringIO()), force_terminal=True, width=80)) as progress:
        show(progress, progress.add_task("x", total=None, note=""), other)
    assert "[b] 1" in text.getvalue()
