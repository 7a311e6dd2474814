"""The demo's stages, from style cards to a promoted model.

vLLM starts on the base as soon as the services are up and loads while data is generated and the
adapter trained: the trainer names the base in `models/current.json` at its first start.
"""

from collections.abc import Callable
from dataclasses import dataclass

from client import DatagenClient, Jobs, LauncherClient, TrainerClient
from contracts.artefact import CurrentModel, ModelManifest, ServingStatus
from contracts.dataset import DatasetManifest, DatasetRequest
from contracts.evaluation import EvaluationReport, EvaluationRequest
from contracts.job import Job, JobState
from contracts.run import RunRequest
from tonesmith.commands.models import served_name
from tonesmith.demo.board import Board, Row
from tonesmith.errors import CommandError, JobFailedError
from tonesmith.served import Reached, wait_for_serving
from tonesmith.session import Session
from tonesmith.watch import follow

NAME = "tonesmith"
PER_STYLE = 150
MULTI_TURN_RATIO = 0.2
QUESTIONS_PER_STYLE = 20
# Enough of each to be seen, few enough for two slow cores: the demo promises minutes. Conversations
# are as long as the longest rows of its dataset: at a third turn, which no row teaches, 5 of 12
# slip into another style (docs/log.md).
PROMPT_QUESTIONS, CONVERSATIONS, TURNS = 2, 1, 2
SERVE_SECONDS = 300.0


@dataclass(frozen=True)
class Outcome:
    """What the journey made."""

    dataset: DatasetManifest
    model: ModelManifest
    evaluation: EvaluationReport
    serving: ServingStatus
    served_name: str


class Journey:
    """One walk through all stages.

    Args:
        session: clients of the running stack.
        board: shows and times the stages.
        check: raises where a program of the stack broke.
    """

    def __init__(
        self, session: Session, board: Board, check: Callable[[], object] = lambda: None
    ) -> None:
        self.session = session
        self.board = board
        self.check = check

    def walk(self) -> Outcome:
        """Go through all stages. Raises what the first one raises that fails."""
        with (
            self.session.datagen() as datagen,
            self.session.trainer() as trainer,
            self.session.launcher() as launcher,
        ):
            dataset = self.generate(datagen)
            model = self.train(trainer, dataset)
            served = self.stage(trainer, launcher, model)
            evaluation = self.evaluate(datagen, dataset, served)
            self.promote(trainer, launcher, model)
            return Outcome(dataset, model, evaluation, launcher.status(), served)

    def generate(self, datagen: DatagenClient) -> DatasetManifest:
        """Generate rows of every style."""
        request = DatasetRequest(
            name="demo", per_style=PER_STYLE, multi_turn_ratio=MULTI_TURN_RATIO
        )
        with self.board.stage("generate", "generate training rows") as row:
            job = finish(datagen.dataset_jobs, datagen.generate(request), row)
            return datagen.dataset(job.id)

    def train(self, trainer: TrainerClient, dataset: DatasetManifest) -> ModelManifest:
        """Train an adapter with LLaMA-Factory, check it and publish it."""
        base = self.session.settings.base_model
        request = RunRequest(name=NAME, dataset_id=dataset.id, base_model=base, recipe="lora")
        with self.board.stage("train", "train with LLaMA-Factory") as row:
            finish(trainer.run_jobs, job := trainer.train(request), row)
            model_id = trainer.run(job.id).model_id
        if model_id is None:
            raise CommandError(f"run {job.id} published no model", hint="see the trainer's log")
        return trainer.model(model_id)

    def stage(self, trainer: TrainerClient, launcher: LauncherClient, model: ModelManifest) -> str:
        """Have vLLM load the adapter beside the base, and return its served name."""
        with self.board.stage("serve", "load into vLLM and check") as row:
            served = served_name(trainer.stage(model.id), model.id)
            self.wait_for(launcher, lambda status: served in status.loaded, served, row)
        return served

    def evaluate(
        self, datagen: DatagenClient, dataset: DatasetManifest, served: str
    ) -> EvaluationReport:
        """Ask base, prompted base and tuned the held-out questions."""
        request = EvaluationRequest(
            dataset_id=dataset.id,
            tuned=served,
            per_style=QUESTIONS_PER_STYLE,
            prompt_questions=PROMPT_QUESTIONS,
            conversations=CONVERSATIONS,
            turns=TURNS,
        )
        with self.board.stage("evaluate", "evaluate: did the style take?") as row:
            job = finish(datagen.evaluation_jobs, datagen.evaluate(request), row)
            return datagen.evaluation(job.id)

    def promote(
        self, trainer: TrainerClient, launcher: LauncherClient, model: ModelManifest
    ) -> CurrentModel:
        """Let the model answer to its name."""
        with self.board.stage("promote", "promote") as row:
            finish(trainer.promotion_jobs, trainer.promote(model.id), row)
            self.wait_for(launcher, lambda status: NAME in status.aliases, NAME, row)
            return trainer.current()

    def wait_for(self, launcher: LauncherClient, reached: Reached, name: str, row: Row) -> None:
        """Wait until serving has reached a state. Raises NotServedError with serving's reason."""

        def tick(status: ServingStatus) -> None:
            self.check()
            row.show(0, 0, f"vLLM is {status.state}")

        wait_for_serving(launcher, reached, name, seconds=SERVE_SECONDS, tick=tick)


def finish(jobs: Jobs, job: Job, row: Row) -> Job:
    """Follow a job to its end on the board. Raises JobFailedError."""
    final = follow(jobs, job.id, row.job)
    if final.state is not JobState.DONE:
        raise JobFailedError(final)
    return final
