"""The demo as a whole: start the stack, walk the journey, show what came out, stay, stop."""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from contracts.evaluation import Reply
from tonesmith.demo.board import Board
from tonesmith.demo.journey import Journey, Outcome
from tonesmith.demo.memory import MemoryWatch
from tonesmith.demo.report import (
    DemoReport,
    Engines,
    proof_of,
    sample_counts,
    style_figures,
    write_report,
)
from tonesmith.demo.transcript import show_figures, show_transcript
from tonesmith.doctor.engines import engine
from tonesmith.doctor.machine import base_model
from tonesmith.doctor.programs import run_program
from tonesmith.errors import KNOWN_ERRORS, CommandError, describe
from tonesmith.session import Session
from tonesmith.stack import services
from tonesmith.stack.embedded import Stack, last_lines
from tonesmith.stack.ports import choose, wanted
from tonesmith.stack.programs import SERVICES, Places, Program, stack_environment
from tonesmith.stack.prometheus import MISSING, Watcher, prepare_watcher, shown_on_the_page
from tonesmith.stack.supervisor import Supervisor

ROOT = Path("var/demo")
READY_SECONDS = 120.0
# The others go on starting while data is generated and the adapter trained.
NEEDED_FIRST = ("trainer", "datagen")
# The folders of an earlier demo, which the next one starts without.
LEFT_OVER = ("data", "state", "log", "embedded", "prometheus", "targets", "report.json")
# The demo never touches a real installation's folders.
OWN = frozenset({"DATA_DIR", "DATAGEN_STATE_DIR", "TRAINER_STATE_DIR", "SERVING_STATE_DIR"})
# Which program's log tells most about a stage that failed.
LOGS = {
    "generate": "datagen",
    "train": "trainer",
    "serve": "serving",
    "evaluate": "datagen",
    "promote": "trainer",
}


@dataclass
class Demo:
    """One demo.

    Args:
        session: of the command.
        root: its folder, wiped at the start.
        programs: what the stack runs.
        now: unix seconds, to count the installation that came before.
    """

    session: Session
    root: Path = ROOT
    programs: tuple[Program, ...] = SERVICES
    now: Callable[[], float] = time.time
    board: Board = field(init=False)
    stack: Stack = field(init=False)
    ports: dict[str, int] = field(init=False)
    watcher: Watcher | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.board = Board(self.session.screen.out)

    def show(self) -> Outcome:
        """Go from nothing to the transcript; the stack is up afterwards.

        Raises:
            CommandError: a stage failed; the message names it and shows the end of its log.
        """
        self.count_installation()
        try:
            with self.board.live(), MemoryWatch(self.pids) as memory:
                outcome, replies = self.walk()
        except KNOWN_ERRORS as error:
            raise self.failure(error) from error
        report = self.report(outcome, memory.peak_bytes)
        out = self.session.screen.out
        show_transcript(out, outcome.model.styles, replies)
        show_figures(out, outcome.evaluation, report)
        write_report(self.root / "report.json", report)
        return outcome

    def walk(self) -> tuple[Outcome, list[Reply]]:
        """Check the machine, start the stack, walk the journey."""
        with self.board.stage("check", "check the machine"):
            self.prepare()
        with self.board.stage("start", "start the services") as row:
            self.stack.start()
            probes = services.probes(self.ports)
            first = {name: probes[name] for name in NEEDED_FIRST}
            self.stack.wait_until(first, READY_SECONDS, lambda done: row.show(done, len(first)))
        outcome = Journey(self.session, self.board, self.stack.check).walk()
        self.stack.wait_until(probes, READY_SECONDS)
        with self.session.datagen() as datagen:
            return outcome, datagen.replies(outcome.evaluation.id)

    def count_installation(self) -> None:
        """Count the time since make began as a stage of its own."""
        if began := self.session.environ.get("DEMO_STARTED_AT"):
            self.board.record("install", max(0.0, self.now() - float(began)))

    def prepare(self) -> None:
        """Check what the demo needs, clear its folder, choose ports. Raises CommandError."""
        settings = self.session.settings
        for finding in (
            engine(
                "LLaMA-Factory",
                settings.trainer_engine_python,
                ("llamafactory", "torch"),
                run_program,
            ),
            engine("vLLM", settings.serving_engine_python, ("vllm", "torch"), run_program),
            base_model(settings.models_dir / settings.base_model),
        ):
            if finding.level == "error":
                raise CommandError(f"{finding.name}: {finding.detail}", hint=finding.remedy)
            self.board.line(f"  {finding.name}: {finding.detail}")
        if Supervisor(Places(self.root).socket).running:
            raise CommandError("a demo runs already", hint="end it with Ctrl-C in its terminal")
        clear(self.root)
        environ = {name: value for name, value in self.session.environ.items() if name not in OWN}
        self.ports, taken = choose(wanted(environ))
        if taken:
            self.board.line(f"  in use, so others are taken: {', '.join(map(str, taken))}")
        environ = stack_environment(environ, self.root, self.ports)
        self.session = replace(self.session, environ=environ, in_containers=False)
        self.watcher = prepare_watcher(environ, Places(self.root), self.ports, movable=True)
        if not self.watcher:
            self.board.line(f"  {MISSING}")
        beside = (self.watcher.program,) if self.watcher else ()
        environ = shown_on_the_page(environ, self.watcher)
        self.stack = Stack(Places(self.root), (*self.programs, *beside), environ)

    def pids(self) -> list[int]:
        """Return the ids of this process and of everything that it started."""
        if not hasattr(self, "stack"):
            return [os.getpid()]
        return [os.getpid(), *(process.pid for process in self.stack.note_processes())]

    def report(self, outcome: Outcome, peak_bytes: int) -> DemoReport:
        """Return the report of a finished journey."""
        engines = Engines(
            llamafactory=outcome.model.engine.llamafactory,
            torch=outcome.model.engine.torch,
            vllm=outcome.serving.engine.vllm,
        )
        return DemoReport(
            stages=self.board.seconds,
            peak_memory_bytes=peak_bytes,
            engines=engines,
            styles=style_figures(outcome.evaluation),
            samples=sample_counts(outcome.dataset.counts),
            proof=proof_of(outcome.evaluation),
        )

    def failure(self, error: Exception) -> CommandError:
        """Return the error that names the stage and shows the end of its log."""
        told = describe(error)
        program = LOGS.get(self.board.current)
        log = Places(self.root).log(program) if program else None
        tail = last_lines(log) if log else ""
        where = f"; the last lines of {log}:\n{tail}" if tail else ""
        return CommandError(
            f"stage {self.board.current} failed: {told.message}{where}",
            field=told.field,
            hint=told.hint or "see var/demo/log; check the machine with `tonesmith doctor`",
        )

    def addresses(self, evaluation_id: str) -> dict[str, str]:
        """Return where to go next."""
        found = services.addresses(self.ports)
        page = f"{found['datagen']}/evaluations/{evaluation_id}/report.html"
        shown = {"chat page": found["ui"], "report": page, "OpenAI API": found["serving"]}
        return shown | ({"Prometheus": self.watcher.shown} if self.watcher else {})


def clear(root: Path) -> None:
    """Remove what an earlier demo left in `root`, and nothing else."""
    for name in LEFT_OVER:
        path = root / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    root.mkdir(parents=True, exist_ok=True)
