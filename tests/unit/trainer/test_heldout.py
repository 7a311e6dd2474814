"""Held-out rows are encoded alone, with the cutoff that the training has."""

from types import SimpleNamespace

from trainer.engine.heldout import alone


def test_held_out_rows_are_encoded_without_packs() -> None:
    """Packing took one token off the cutoff; the training's own arguments stay as they are."""
    packed = SimpleNamespace(packing=True, neat_packing=True, cutoff_len=511)
    found = alone(packed)
    assert (found.packing, found.neat_packing, found.cutoff_len) == (False, False, 512)
    assert packed.packing


def test_rows_that_are_not_packed_are_left_alone() -> None:
    """Nothing changes where nothing is packed."""
    plain = SimpleNamespace(packing=False, neat_packing=False, cutoff_len=512)
    assert alone(plain) is plain
