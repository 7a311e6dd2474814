"""The stages of the demo: how long each takes, and where it is now.

In a terminal each stage is a progress bar; elsewhere (a log of CI) it is a line at its start, one
every few seconds, and one at its end.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID

from contracts.job import Job
from tonesmith.watch import bars, note_of

LINE_SECONDS = 10.0


class Row:
    """One stage on the board.

    Args:
        board: where it is shown.
        title: what people read.
        task: its bar.
    """

    def __init__(self, board: "Board", title: str, task: TaskID) -> None:
        self._board = board
        self._title = title
        self._task = task
        self._written = board.clock()

    def show(self, done: int, total: int, note: str = "") -> None:
        """Say how far the stage is."""
        self._board.progress.update(
            self._task, completed=done, total=total or None, note=escape(note)
        )
        if self._board.clock() - self._written >= LINE_SECONDS:
            self._written = self._board.clock()
            self._board.line(f"  {self._title}: {done}/{total or '?'} {note}")

    def end(self) -> None:
        """Say that the stage is over."""
        total = self._board.progress.tasks[self._task].total or 1
        self._board.progress.update(self._task, completed=total, total=total)
        self._board.progress.stop_task(self._task)

    def job(self, job: Job) -> None:
        """Say how far the stage's job is."""
        told = job.progress
        note = "  ".join(filter(None, (told.stage, note_of(job))))
        self.show(told.done, told.total, note)


class Board:
    """All stages, in their order.

    Args:
        console: where to show them.
        clock: monotonic seconds.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.seconds: dict[str, float] = {}
        self.current = ""
        self.console = console
        self.progress: Progress = bars(console)

    def line(self, text: str) -> None:
        """Write a line where there is no terminal to draw bars in."""
        if not self.console.is_terminal:
            self.console.print(escape(text))

    @contextmanager
    def live(self) -> Iterator[None]:
        """Draw the bars while the block runs."""
        with self.progress if self.console.is_terminal else quiet():
            yield

    @contextmanager
    def stage(self, name: str, title: str) -> Iterator[Row]:
        """Time the block as stage `name`; `current` names it if it fails."""
        began, self.current = self.clock(), name
        row = self.row(title)
        self.line(f"{title} ...")
        yield row
        self.seconds[name] = round(self.clock() - began, 1)
        row.end()
        self.line(f"{title}: {self.seconds[name]} s")

    def row(self, title: str) -> Row:
        """Return a new row."""
        return Row(self, title, self.progress.add_task(title, total=None, note=""))

    def record(self, name: str, seconds: float) -> None:
        """Note a stage that is over already."""
        self.seconds[name] = round(seconds, 1)


@contextmanager
def quiet() -> Iterator[None]:
    """Draw nothing."""
    yield
