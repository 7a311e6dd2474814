"""What every generation is made with, wherever it runs: in the service, in a shard, in a merge."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from contracts.style import Language
from contracts.volume import Volume
from datagen.board import Board
from datagen.config import Settings, shipped_folder
from datagen.generate import Generation, Plan
from datagen.metrics import Metrics
from datagen.prompts import Prompts
from datagen.question_sets import asked_banks
from datagen.questions import Bank, load_banks
from datagen.slots import Slot
from datagen.teachers import Asked
from kit.crisis import Screen, load_screens


@dataclass(frozen=True)
class Makings:
    """Questions, prompts and screens; the volume, where a plan may name a question set on it."""

    banks: dict[Language, Bank]
    prompts: Prompts
    screens: Mapping[Language, Screen] = field(default_factory=dict)
    volume: Volume | None = None

    def generation(
        self,
        plan: Plan,
        folder: Path,
        teacher: Asked,
        *,
        metrics: Metrics,
        on_change: Callable[[Board], None] = lambda _: None,
        stopped: Callable[[], bool] = lambda: False,
        slots: list[Slot] | None = None,
    ) -> Generation:
        """Return the generation of `plan` in `folder`; `slots` are those that are filled."""
        return Generation(
            folder,
            plan,
            banks=self.asked(plan),
            prompts=self.prompts,
            teacher=teacher,
            metrics=metrics,
            screens=self.screens,
            on_change=on_change,
            stopped=stopped,
            slots=slots,
        )

    def asked(self, plan: Plan) -> dict[Language, Bank]:
        """Return the banks that `plan` asks. Raises NotFoundError for an unknown question set."""
        if self.volume is None:
            return self.banks
        return asked_banks(self.volume, plan.request.questions, self.banks)


def open_makings(settings: Settings) -> Makings:
    """Return what a process outside the service makes a generation with. Raises ValueError."""
    shipped = shipped_folder(settings)
    return Makings(
        load_banks(shipped / "questions"),
        Prompts(shipped / "prompts"),
        load_screens(),
        Volume(settings.data_dir.absolute()),
    )
