"""What the teacher costs, and the budget that ends a generation. Kept over restarts."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contracts.durable import write_atomic
from datagen.config import Settings
from datagen.errors import BudgetSpentError, TeacherSetupError
from datagen.usage import Usage
from kit.config import SettingsError

FILE = "spent.json"
MILLION = 1e6
SAVE_SECONDS = 1.0


@dataclass(frozen=True)
class Prices:
    """Dollars for a million tokens."""

    input: float
    cached: float
    output: float

    def cost(self, usage: Usage) -> float:
        """Return what a call costs, in dollars; reasoning is paid as output."""
        cached = min(usage.cached or 0, usage.input or 0)
        fresh = (usage.input or 0) - cached
        paid = fresh * self.input + cached * self.cached + (usage.output or 0) * self.output
        return paid / MILLION


class Ledger(Collector):
    """Sums up what calls cost, by model.

    Args:
        prices: of the teacher; None: nothing is known of costs.
        budget: dollars for all models together; None: no limit.
        path: where the sums are kept; None: nowhere.
        clock: monotonic seconds.

    Raises SettingsError where the sums of before cannot be read.
    """

    def __init__(
        self,
        prices: Prices | None = None,
        budget: float | None = None,
        path: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.prices = prices
        self.budget = budget
        self.path = path
        self.clock = clock
        self.spent = earlier(path) if path and prices else {}
        self._saved = clock()

    def check(self) -> None:
        """Raise BudgetSpentError where no call may be paid any more."""
        total = sum(self.spent.values())
        if self.budget is not None and total >= self.budget:
            raise BudgetSpentError(
                f"the teacher's budget is spent: {total:.2f} of {self.budget:.2f} dollars",
                hint="nothing is lost: raise DATAGEN_BUDGET_DOLLARS, restart, then resume the job",
            )

    def add(self, model: str, usage: Usage) -> None:
        """Count a call. Raises TeacherSetupError where a budget needs what is not reported."""
        if self.prices is None:
            return
        if self.budget is not None and (usage.input is None or usage.output is None):
            raise TeacherSetupError(
                "the teacher reports no usage, so that DATAGEN_BUDGET_DOLLARS cannot be kept",
                hint="unset the budget, or take a teacher that reports its tokens",
            )
        self.spent[model] = self.spent.get(model, 0.0) + self.prices.cost(usage)
        if self.clock() - self._saved >= SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Write the sums down."""
        if self.path and self.prices:
            self._saved = self.clock()
            write_atomic(self.path, json.dumps(self.spent).encode())

    def collect(self) -> Iterator[Metric]:
        """Yield costs and budget; without prices, or without a budget, no series of it."""
        cost = CounterMetricFamily(
            "datagen_cost_dollars",
            "What the teacher's answers cost, since the state folder was made.",
            labels=["model"],
        )
        for model, dollars in self.spent.items():
            cost.add_metric([model], dollars)
        yield cost
        budget = GaugeMetricFamily(
            "datagen_budget_dollars", "Dollars that the teacher may cost in all."
        )
        if self.budget is not None:
            budget.add_metric([], self.budget)
        yield budget


def earlier(path: Path) -> dict[str, float]:
    """Return the sums in a file; none where there is no file. Raises SettingsError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(model): float(dollars) for model, dollars in found.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError, OSError) as error:
        raise SettingsError(f"{path}: what the teacher cost so far cannot be read") from error


def open_ledger(settings: Settings) -> Ledger:
    """Return the ledger of the settings. Raises SettingsError."""
    into, out = settings.teacher_input_dollars, settings.teacher_output_dollars
    if into is None or out is None:
        return Ledger()
    cached = settings.teacher_cached_dollars
    prices = Prices(into, into if cached is None else cached, out)
    return Ledger(prices, settings.budget_dollars, settings.state_dir / FILE)
