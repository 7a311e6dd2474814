"""What the teachers cost, and the budget that ends a generation. Kept over restarts.

Where there is a budget, a call is paid for before it goes out: the most that it can cost is
reserved, on the disk, and given back once the answer says what it did cost. So neither many calls
at once nor `kill -9` spends more than the budget. A call whose answer never came may have been
paid: its reservation stays, in doubt.
"""

import asyncio
import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contracts.durable import read_journal, write_atomic
from datagen.errors import BudgetSpentError, TeacherSetupError
from datagen.journals import GroupJournal
from datagen.prices import Prices
from datagen.usage import Usage
from kit.config import SettingsError

SUMS, CALLS = "spent.json", "spent-{number}.jsonl"


class Ledger(Collector):
    """Sums up what calls cost, by teacher.

    Args:
        budget: dollars for all teachers together; None: no limit.
        folder: where the sums are kept; None: nowhere.

    Raises SettingsError where the sums of before cannot be read.
    """

    def __init__(self, budget: float | None = None, folder: Path | None = None) -> None:
        self.budget = budget
        self.folder = folder
        self.spent: dict[str, float] = {}
        self.in_doubt = 0.0
        self.held: dict[int, float] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._journal: GroupJournal | None = None
        self._number = self._last = 0
        if folder:
            self._read(folder)

    @property
    def total(self) -> float:
        """Dollars that were paid, or may have been."""
        return sum(self.spent.values()) + self.in_doubt

    @property
    def left(self) -> float | None:
        """Dollars that no call has taken or reserved; None: no budget."""
        if self.budget is None:
            return None
        return max(0.0, self.budget - self.total - sum(self.held.values()))

    def check(self) -> None:
        """Raise BudgetSpentError where no call may be paid any more."""
        if self.budget is not None and self.total >= self.budget:
            raise self._broke()

    async def reserve(self, teacher: str, prices: Prices | None, most: Usage) -> "Reservation":
        """Return what one call is paid from, at most `most`; durable where there is a budget.

        Where only calls under way stand against it, waits for them. Raises BudgetSpentError;
        OSError where the disk refuses.
        """
        dollars = prices.cost(most) if prices else 0.0
        self._last += 1
        number = self._last
        if self.budget is None or prices is None:
            return Reservation(self, number, teacher, prices, 0.0)
        while self.total + sum(self.held.values()) + dollars > self.budget:
            if not self.held:
                raise self._broke()
            await self._change()
        self.held[number] = dollars
        reservation = Reservation(self, number, teacher, prices, dollars)
        try:
            if written := self._post({"call": number, "held": dollars}):
                await written
        except BaseException:
            reservation.release()  # nothing was sent
            raise
        return reservation

    def close_call(self, reservation: "Reservation", dollars: float, doubt: bool) -> None:
        """Count what a call cost; its reservation ends."""
        self.held.pop(reservation.number, None)
        if doubt:
            self.in_doubt += dollars
        elif dollars:
            self.spent[reservation.teacher] = self.spent.get(reservation.teacher, 0.0) + dollars
        if dollars or reservation.dollars:
            entry: dict[str, Any] = {"call": reservation.number, "dollars": dollars}
            self._post(entry | ({} if doubt else {"teacher": reservation.teacher}))
        while self._waiting:
            if not (waiting := self._waiting.popleft()).done():
                waiting.set_result(None)

    async def close(self) -> None:
        """Write down what was spent. Raises OSError."""
        if self._journal:
            await self._journal.close()
            self._journal = None
            await asyncio.to_thread(self._fold)

    def collect(self) -> Iterator[Metric]:
        """Yield costs and budget; without prices, or without a budget, no series of it."""
        cost = CounterMetricFamily(
            "datagen_cost_dollars",
            "What the teacher's answers cost, since the state folder was made.",
            labels=["model"],
        )
        for teacher, dollars in self.spent.items():
            cost.add_metric([teacher], dollars)
        yield cost
        budget = GaugeMetricFamily(
            "datagen_budget_dollars", "Dollars that the teacher may cost in all."
        )
        doubt = GaugeMetricFamily(
            "datagen_cost_in_doubt_dollars",
            "Dollars that stand against the budget for calls whose answer never came.",
        )
        if self.budget is not None:
            budget.add_metric([], self.budget)
            doubt.add_metric([], self.in_doubt)
        yield budget
        yield doubt

    async def _change(self) -> None:
        changed = asyncio.get_running_loop().create_future()
        self._waiting.append(changed)
        await changed

    def _post(self, entry: dict[str, Any]) -> asyncio.Future[None] | None:
        """Queue an entry; return what is done once it is on the disk, None where none is kept."""
        if self.folder is None:
            return None
        if self._journal is None:
            self._journal = GroupJournal(self.folder / CALLS.format(number=self._number))
        done = self._journal.post(json.dumps(entry))
        done.add_done_callback(consumed)
        return done

    def _broke(self) -> BudgetSpentError:
        doubt = f", {self.in_doubt:.4f} of it for answers that never came" if self.in_doubt else ""
        return BudgetSpentError(
            f"the teacher's budget is spent: {self.total:.4f} of {self.budget or 0:.4f} dollars"
            f"{doubt}; the next call may cost more than is left",
            hint="nothing is lost: raise DATAGEN_BUDGET_DOLLARS, restart, then resume the job",
        )

    def _read(self, folder: Path) -> None:
        """Take over the sums, and the calls since; those without an end are in doubt."""
        try:
            self._read_sums(folder / SUMS)
            self._read_calls(folder / CALLS.format(number=self._number))
        except (ValueError, TypeError, AttributeError, KeyError, OSError) as error:
            raise SettingsError(
                f"{folder / SUMS}: what the teacher cost so far cannot be read"
            ) from error
        self._fold()

    def _read_sums(self, path: Path) -> None:
        if not path.exists():
            return
        found = json.loads(path.read_text(encoding="utf-8"))
        if "spent" not in found:  # as the first release wrote it: the sums alone
            found = {"spent": found}
        self.spent = {str(name): float(dollars) for name, dollars in found["spent"].items()}
        self.in_doubt = float(found.get("in_doubt", 0.0))
        self._number = int(found.get("number", 0))

    def _read_calls(self, path: Path) -> None:
        for line in read_journal(path):
            try:
                entry = json.loads(line)
            except ValueError:
                break  # a torn tail was never acknowledged, so its call never went out
            if "held" in entry:
                self.held[entry["call"]] = float(entry["held"])
                continue
            self.held.pop(entry["call"], None)
            dollars = float(entry["dollars"])
            if teacher := entry.get("teacher"):
                self.spent[teacher] = self.spent.get(teacher, 0.0) + dollars
            else:
                self.in_doubt += dollars
        self.in_doubt += sum(self.held.values())
        self.held.clear()

    def _fold(self) -> None:
        """Write the sums and begin a new journal; a kill in between changes nothing."""
        if self.folder is None:
            return
        old = self.folder / CALLS.format(number=self._number)
        if not old.exists():
            return
        self._number += 1
        sums = {"spent": self.spent, "in_doubt": self.in_doubt, "number": self._number}
        write_atomic(self.folder / SUMS, json.dumps(sums).encode())
        old.unlink()


class Reservation:
    """What one call is paid from; it ends once, by the first of the three ways.

    Args:
        ledger: that keeps it.
        number: of the call.
        teacher: that is asked.
        prices: of the teacher; None: nothing is known of costs.
        dollars: the most that the call can cost; 0 where there is no budget.
    """

    def __init__(
        self, ledger: Ledger, number: int, teacher: str, prices: Prices | None, dollars: float
    ) -> None:
        self.ledger, self.number, self.teacher = ledger, number, teacher
        self.prices, self.dollars = prices, dollars
        self.open = True

    def settle(self, usage: Usage) -> None:
        """Pay what the answer reports. Raises TeacherSetupError where a budget needs a report."""
        if self.prices is None:
            return
        unknown = usage.input is None or usage.output is None
        if unknown and self.ledger.budget is not None:
            self.doubt()
            raise TeacherSetupError(
                "the teacher reports no usage, so that DATAGEN_BUDGET_DOLLARS cannot be kept",
                hint="unset the budget, or take a teacher that reports its tokens",
            )
        self._end(self.prices.cost(usage), doubt=False)

    def release(self) -> None:
        """Pay nothing: the teacher refused the call, or never got it."""
        self._end(0.0, doubt=False)

    def doubt(self) -> None:
        """Keep the reservation: the answer never came, or cannot be read."""
        self._end(self.dollars, doubt=True)

    def _end(self, dollars: float, *, doubt: bool) -> None:
        if self.open:
            self.open = False
            self.ledger.close_call(self, dollars, doubt)


def consumed(done: asyncio.Future[None]) -> None:
    """Look at the error of an entry that nobody waits for: a sum that is lost is not lost.

    Where the end of a call cannot be written its reservation stays on the disk, in full.
    """
    if not done.cancelled():
        done.exception()
