"""Golden prompts: the served token ids are the trained ones, or the adapter is not served."""

import pytest

from fakes.gated_engine import GatedEngine, golden_prompt
from fakes.published import manifest_of
from serving.bases import Base
from serving.errors import AdapterError, EngineError
from serving.golden import common_prefix, first_difference, verify_golden


async def verified(engine: GatedEngine, base: Base, *prompts: object, least: float = 0.5) -> float:
    """Verify prompts against the fake engine's base."""
    manifest = manifest_of(base.path, "m1", "tonesmith", prompts, 4)  # type: ignore[arg-type]
    return await verify_golden(engine.backend, "base", manifest, agreement=least)


async def test_equal_ids_and_replies_agree_wholly(engine: GatedEngine, base: Base) -> None:
    """Nothing differs: agreement is 1, with replies and without."""
    assert await verified(engine, base, golden_prompt(), golden_prompt("", reply_ids=[])) == 1.0
    assert await verified(engine, base) == 1.0


@pytest.mark.parametrize("change", [[], [0], [0] * 500])
async def test_other_token_ids_are_refused(
    engine: GatedEngine, base: Base, change: list[int]
) -> None:
    """One id more, less or other is shown with its position."""
    good = golden_prompt()
    other = good.model_copy(update={"token_ids": [*good.token_ids[:-1], *change]})
    with pytest.raises(AdapterError, match=f"golden 你好.*position {len(good.token_ids) - 1}"):
        await verified(engine, base, good, other)


async def test_replies_may_part_late_but_not_early(engine: GatedEngine, base: Base) -> None:
    """Agreement is the common beginning; below the least one the adapter is refused."""
    good = golden_prompt()
    late = good.model_copy(update={"reply_ids": [*good.reply_ids[:-1], 0]})
    early = good.model_copy(update={"reply_ids": [0, *good.reply_ids[1:]]})
    assert 0.8 < await verified(engine, base, late) < 1
    assert await verified(engine, base, early, least=0) == 0
    with pytest.raises(AdapterError, match="0%.*50%"):
        await verified(engine, base, early)


async def test_silent_engine_is_no_fault_of_the_adapter(engine: GatedEngine, base: Base) -> None:
    """An answer other than 200 is the engine's trouble and tried again."""
    unknown = manifest_of(base.path, "m1", "tonesmith", [golden_prompt()], 4)
    with pytest.raises(EngineError, match="404"):
        await verify_golden(engine.backend, "nobody", unknown, agreement=0.5)


def test_difference_shows_both_sides() -> None:
    """The sentence holds the position and the ids around it."""
    assert common_prefix([1, 2], [1, 2, 3]) == 2
    assert first_difference([1, 2, 3], [1, 9, 3]) == (
        "token ids differ at position 1: trained [1, 2, 3], served [1, 9, 3] (3 and 3 ids)"
    )
