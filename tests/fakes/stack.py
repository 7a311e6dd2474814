"""Runnable stand-ins of serving, its launcher, trainer and datagen, as the page sees them.

    python -m fakes.stack --first-port 24100        # serving, launcher, trainer, datagen

They answer with the real style cards and situations, so the page can be tried without engines:
the base answers plainly, the tuned model in the style of the system prompt that it gets. What
goes wrong is a field of `Stack`, which a test may change at any time. What one tab of the page asks
is in a module of its own, `page_stack_<tab>.py`.
"""

import argparse
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

from contracts.dataset import Conditioning, DatasetManifest
from contracts.errors import ErrorBody
from contracts.estimate import CostEstimate
from contracts.evaluation import EvaluationReport
from contracts.gpu import GpuReport
from contracts.job import Job, Progress
from contracts.question_set import QuestionSetManifest
from contracts.run import RunRecord
from contracts.sample import Rejected, Sample
from contracts.style import StyleVersion
from contracts.votes import Vote
from fakes.library import shipped_styles
from fakes.page_answers import refuse_while_down
from fakes.page_stack_chat import control_app, serving_app
from fakes.page_stack_data import add_data, shipped_datasets, shipped_estimate
from fakes.page_stack_prove import add_prove
from fakes.page_stack_review import add_review
from fakes.page_stack_styles import add_styles
from fakes.page_stack_train import add_train
from fakes.recorded_runs import recorded_runs
from fakes.running import running
from fakes.train_state import TrainState
from fakes.watched import add_readiness, four_gpus, prometheus_app

# Until a test sets another delay: longer than any test takes.
HELD = 3600.0


@dataclass
class Stack:
    """What the stand-ins say and do.

    Args:
        promoted: whether a model is live.
        state: of the launcher; serving answers only when it is `ready`.
        holder: the training run that has the GPU; the state is `lent` then.
        progress: of that run.
        hang: serving takes requests and says nothing, not even that it is healthy.
        refuse: status and sentence with which it refuses to chat.
        break_off: pieces after which a reply breaks off.
        silent: whether a reply never brings a piece, while serving is healthy.
        delay: seconds between two pieces of a reply; HELD lets the first one out alone.
        runs: what the trainer lists.
        reasons: why a service (datagen, trainer, serving) is not ready.
        gpus: what the trainer sees.
        alerts: what Prometheus has raised.
        slow: seconds that datagen takes to say whether it is ready.
        trainer_up, datagen_up: whether they answer anything but the probes.
        datasets: that are published, the newest first (`page_stack_data.dataset`).
        dataset_keys: ids of the generations that were started, by their idempotency key.
        estimate: what every generation would take.
        dataset_refusal: why no generation is started or estimated.
        question_sets: that were imported.
        samples, rejected: rows by dataset.
        dataset_jobs, evaluation_jobs: of datagen, the newest first (`page_jobs.job`).
        votes: that datagen was told.
        evaluations: that are published, the newest first (`page_stack_prove.proven`).
        evaluation_keys: ids of the evaluations that were started, by their idempotency key.
        paired: the rows of preference data that votes became.
        train: what the trainer has and was told beside its runs (`train_state.py`).
    """

    promoted: bool = True
    state: str = "ready"
    holder: str = ""
    progress: Progress = field(default_factory=Progress)
    hang: bool = False
    refuse: tuple[int, str] | None = None
    break_off: int | None = None
    silent: bool = False
    delay: float = 0.0
    conditioning: Conditioning = Conditioning.SYSTEM
    errors: dict[str, str] = field(default_factory=dict)
    trainer_up: bool = True
    datagen_up: bool = True
    styles: list[StyleVersion] = field(default_factory=shipped_styles)
    style_versions: list[StyleVersion] = field(default_factory=list)
    styles_away: set[str] = field(default_factory=set)
    teacher_down: bool = False
    asked: list[dict[str, Any]] = field(default_factory=list)
    streaming: int = 0
    abandoned: int = 0
    urls: dict[str, str] = field(default_factory=dict)
    runs: list[RunRecord] = field(default_factory=recorded_runs)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    gpus: GpuReport = field(default_factory=four_gpus)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    slow: float = 0.0
    dataset_jobs: list[Job] = field(default_factory=list)
    datasets: list[DatasetManifest] = field(default_factory=shipped_datasets)
    dataset_keys: dict[str, str] = field(default_factory=dict)
    estimate: CostEstimate = field(default_factory=shipped_estimate)
    dataset_refusal: ErrorBody | None = None
    question_sets: list[QuestionSetManifest] = field(default_factory=list)
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    rejected: dict[str, list[Rejected]] = field(default_factory=dict)
    evaluation_jobs: list[Job] = field(default_factory=list)
    votes: list[Vote] = field(default_factory=list)
    evaluations: list[EvaluationReport] = field(default_factory=list)
    evaluation_keys: dict[str, str] = field(default_factory=dict)
    paired: list[dict[str, Any]] = field(default_factory=list)
    train: TrainState = field(default_factory=TrainState)

    @property
    def served(self) -> list[str]:
        """The names that serving answers to."""
        return ["base", "tonesmith", "tonesmith.v1"] if self.promoted else ["base"]


def trainer_app(stack: Stack) -> FastAPI:
    """Return the stand-in of the trainer."""
    app = FastAPI()
    refuse_while_down(app, lambda: stack.trainer_up)
    add_train(app, stack)
    add_readiness(app, lambda: stack.reasons.get("trainer", []))
    return app


def datagen_app(stack: Stack) -> FastAPI:
    """Return the stand-in of datagen."""
    app = FastAPI()
    refuse_while_down(app, lambda: stack.datagen_up)
    for add in (add_styles, add_review, add_data, add_prove):
        add(app, stack)
    add_readiness(app, lambda: stack.reasons.get("datagen", []), lambda: stack.slow)
    return app


def apps(stack: Stack) -> dict[str, FastAPI]:
    """Return the stand-ins by the setting that holds their address."""
    return {
        "SERVING_URL": serving_app(stack),
        "SERVING_CONTROL_URL": control_app(stack),
        "TRAINER_URL": trainer_app(stack),
        "DATAGEN_URL": datagen_app(stack),
        "UI_PROMETHEUS_API": prometheus_app(lambda: stack.alerts),
    }


@contextmanager
def running_stack(stack: Stack | None = None, first_port: int = 0) -> Iterator[Stack]:
    """Run all stand-ins; yield the stack, whose `urls` say where."""
    stack = stack or Stack()
    with running_all(list(apps(stack).items()), stack.urls, first_port):
        yield stack


@contextmanager
def running_all(left: list[tuple[str, FastAPI]], urls: dict[str, str], port: int) -> Iterator[None]:
    """Run the apps in `left`, one inside the other, and note their addresses."""
    if not left:
        yield
        return
    (name, app), *rest = left
    with running(app, port) as url:
        urls[name] = url
        with running_all(rest, urls, port + 1 if port else 0):
            yield


def main() -> None:
    """Run the stand-ins until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first-port", type=int, default=24100)
    parser.add_argument("--delay", type=float, default=0.03)
    options = parser.parse_args()
    with running_stack(Stack(delay=options.delay), options.first_port):
        threading.Event().wait()


if __name__ == "__main__":
    main()
