"""Token buckets."""

from fakes.clock import FakeClock
from ui.access.rates import Buckets


def test_capacity_is_taken_at_once_and_comes_back_with_time() -> None:
    """Three at once, then one every ten seconds; a refusal says how long to wait."""
    clock = FakeClock()
    buckets = Buckets(3, 10, clock)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 10]
    clock.now += 5
    assert buckets.take("a") == 5
    clock.now += 5
    assert (buckets.take("a"), buckets.take("a")) == (0, 10)


def test_each_key_has_its_own() -> None:
    """Who asks too often stops nobody else."""
    buckets = Buckets(1, 10, FakeClock())
    assert (buckets.take("a"), buckets.take("b")) == (0, 0)
    assert buckets.take("a") > 0


def test_what_was_taken_for_nothing_is_given_back_and_never_more_than_fits() -> None:
    """A full bucket stays full."""
    buckets = Buckets(1, 10, FakeClock())
    buckets.take("a")
    buckets.give_back("a")
    buckets.give_back("a")
    assert (buckets.take("a"), buckets.take("a")) == (0, 10)


def test_invented_keys_do_not_fill_the_memory() -> None:
    """The one that was quiet longest is forgotten."""
    buckets = Buckets(1, 10, FakeClock(), most=2)
    for key in "abc":
        buckets.take(key)
    assert buckets.take("c") > 0
    assert buckets.take("a") == 0
