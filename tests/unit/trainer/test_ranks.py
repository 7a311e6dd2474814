"""A process that trains alone needs nobody; one of several is named by its launcher."""

from trainer.engine.ranks import Ranks


def test_launcher_names_the_process() -> None:
    """Without a launcher there is one process."""
    assert Ranks.of({}) == Ranks(0, 1)
    second = Ranks.of({"RANK": "1", "WORLD_SIZE": "2"})
    assert (second.first, second.alone) == (False, False)


def test_process_alone_decides_for_itself() -> None:
    """It loads no process group, and no torch."""
    alone = Ranks()
    assert alone.first
    assert alone.agree(True, None)
    assert not alone.any(False, None)
    assert alone.total([1.0], None) == [1.0]
    assert alone.gather("x") == ["x"]
    alone.tell({})
    alone.meet()
    alone.part()
