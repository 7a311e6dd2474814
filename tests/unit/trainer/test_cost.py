"""What a run takes of its GPUs."""

from contracts.identity import now
from contracts.job import JobState
from contracts.run import RunRecord, RunRequest
from fakes.clock import FakeClock
from trainer.cost import Meter, Spent, gpus_of

ONE, TWO = "GPU-1", "GPU-2"


class Counters(dict[str, float | None]):
    """Energy counters that a test turns."""

    def __call__(self, uuid: str) -> float | None:
        """Return a counter in joules."""
        return self.get(uuid)


def record() -> RunRecord:
    """Return a run that has taken nothing yet."""
    request = RunRequest(dataset_id="d-1")
    return RunRecord(id="r-1", state=JobState.RUNNING, request=request, created_at=now())


def test_seconds_count_for_each_gpu_and_energy_by_its_counter() -> None:
    """The first look only starts the clock."""
    clock, energy = FakeClock(), Counters({ONE: 1000.0, TWO: 50.0})
    meter = Meter(energy, clock=clock)
    assert meter.take([ONE, TWO, ONE]) == Spent(0, 0)
    clock.now += 10
    energy |= {ONE: 1700.0, TWO: 250.0}
    assert meter.take([ONE, TWO]) == Spent(20, 900)


def test_counter_that_goes_back_adds_nothing_for_that_interval() -> None:
    """The driver was loaded anew; what it used meanwhile is lost, not negative, not everything."""
    clock, energy = FakeClock(), Counters({ONE: 1000.0})
    meter = Meter(energy, clock=clock)
    taken = []
    for value in (1000, 1500, 20, 120):
        energy[ONE] = value
        taken.append(meter.take([ONE]))
    assert [each and each.energy_joules for each in taken] == [0, 500, 0, 100]


def test_counter_that_is_silent_for_a_while_loses_nothing() -> None:
    """A sample that failed is made up for by the next."""
    energy = Counters({ONE: 1000.0})
    meter = Meter(energy, clock=FakeClock())
    meter.take([ONE])
    energy[ONE] = None
    assert meter.take([ONE]) == Spent(0, 0)
    energy[ONE] = 1600.0
    found = meter.take([ONE])
    assert found
    assert found.energy_joules == 600


def test_energy_is_unknown_where_one_gpu_does_not_tell() -> None:
    """A part of it would look like all of it."""
    found = Meter(Counters({ONE: 5.0})).take([ONE, TWO])
    assert found
    assert found.energy_joules is None


def test_what_is_used_between_two_engines_is_not_the_runs() -> None:
    """While no engine lives the card may be anybody's."""
    clock, energy = FakeClock(), Counters({ONE: 0.0})
    meter = Meter(energy, clock=clock)
    meter.take([ONE])
    assert meter.take([]) is None
    clock.now += 100
    energy[ONE] = 9000.0
    assert meter.take([ONE]) == Spent(0, 0)


def test_record_sums_up_over_restarts_of_the_service() -> None:
    """Its file keeps what was taken, the new meter adds to it."""
    found = record()
    for _ in range(2):
        clock, energy = FakeClock(), Counters({ONE: 0.0})
        meter = Meter(energy, 3.6, clock)
        for joules in (0.0, 400.0):
            energy[ONE] = joules
            found = found.model_copy(update=meter.changes(found, [ONE]))
            clock.now += 500
    assert found.gpu_seconds == 1000
    assert found.energy_joules == 800
    assert found.cost_dollars == 1.0


def test_without_a_price_there_is_no_cost_and_without_a_gpu_nothing() -> None:
    """Absent, never 0."""
    assert Meter().changes(record(), []) == {}
    assert Meter().changes(record(), [ONE]) == {"gpu_seconds": 0}


def test_gpus_are_those_that_the_ranks_name() -> None:
    """Each once, whatever else is in the files."""
    ranks = [{"gpu_uuid": TWO}, {"gpu_uuid": ONE}, {"gpu_uuid": ONE}, {"gpu_uuid": None}, {}]
    assert gpus_of([*ranks, {"gpu_uuid": 5}]) == [ONE, TWO]
