"""A shard's share of the teachers: n processes together keep the limits that one would keep.

Limits a minute and the budget are parted by n; the calls at once are each process's own. What a
shard spends stands beside its journals, so that it is known wherever the shard is started again.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from contracts.style import Language
from datagen.budget import Ledger
from datagen.config import Settings
from datagen.library import StyleLibrary
from datagen.metrics import Metrics
from datagen.questions import Bank
from datagen.roster import TeacherSpec, open_ledger, specs_of
from datagen.scripted import ScriptedTeacher, scripted_app
from datagen.teacher import make_teacher
from datagen.teachers import Asked, Teachers


def open_share(
    settings: Settings,
    metrics: Metrics,
    folder: Path,
    library: StyleLibrary,
    banks: Mapping[Language, Bank],
    count: int,
) -> Asked:
    """Return the teachers of one of `count` shards, whose costs are kept in `folder`.

    Raises SettingsError where the settings cannot be used.
    """
    budget = settings.budget_dollars
    share = None if budget is None else budget / count
    return open_with_budget(settings, metrics, folder, library, banks, share, count)


def open_rest(
    settings: Settings,
    metrics: Metrics,
    folder: Path,
    library: StyleLibrary,
    banks: Mapping[Language, Bank],
    shards: Sequence[Path],
) -> Asked:
    """Return the teachers of a merge, which may spend what the shards in `shards` have left.

    Raises SettingsError where the settings, or what a shard spent, cannot be used.
    """
    budget = settings.budget_dollars
    left = None if budget is None else max(0.0, budget - spent(shards))
    return open_with_budget(settings, metrics, folder, library, banks, left, 1)


def open_with_budget(
    settings: Settings,
    metrics: Metrics,
    folder: Path,
    library: StyleLibrary,
    banks: Mapping[Language, Bank],
    budget: float | None,
    count: int,
) -> Asked:
    """Return the teachers with this budget in dollars and 1/`count` of their limits a minute."""
    specs = [divided(spec, count) for spec in specs_of(settings)]
    folder.mkdir(parents=True, exist_ok=True)
    own = settings.model_copy(update={"budget_dollars": budget, "state_dir": folder})
    ledger = open_ledger(own, specs)
    scripted = ScriptedTeacher(library.every_card, banks, settings.teacher_flaw_rate)
    patience = settings.teacher_patience_seconds
    app = scripted_app(scripted)
    members = [(make_teacher(spec, metrics, ledger, app, patience), spec.weight) for spec in specs]
    return members[0][0] if len(members) == 1 else Teachers(members)


def divided(spec: TeacherSpec, count: int) -> TeacherSpec:
    """Return `spec` with 1/`count` of its limits a minute."""
    limits = {
        name: value / count
        for name in ("requests_per_minute", "tokens_per_minute")
        if (value := getattr(spec, name)) is not None
    }
    return spec.model_copy(update=limits)


def spent(folders: Sequence[Path]) -> float:
    """Return the dollars that stand in the ledgers of `folders`. Raises SettingsError."""
    return sum(Ledger(folder=folder).total for folder in folders)
