"""The fit: one answer from lengths, batching and memory, on a CPU and for a card."""

import random
from pathlib import Path

import pytest

from fakes.surveyed import surveyed
from trainer.engine.fit import fit
from trainer.fitting import Fitted

CHANCE = random.Random(7)
LENGTHS = [CHANCE.randint(40, 300) for _ in range(800)]
GIB = 1 << 30


def test_a_cpu_gets_grouped_rows_and_no_probes(tmp_path: Path) -> None:
    """Nothing is predicted or probed where there is no card; the update is as asked."""
    answer = Fitted.model_validate(fit(surveyed(tmp_path, LENGTHS), lambda: None))
    assert answer.batching == "grouped"
    assert answer.micro_batch * answer.accumulation == answer.rows_per_update == 16
    assert (answer.card_bytes, answer.predicted_bytes, answer.probes) == (None, None, [])
    assert answer.lengths.rows == 800
    assert answer.useful_ratio
    assert answer.useful_ratio > 0.9


def test_a_large_vocabulary_gets_a_small_micro_batch_on_a_cpu(tmp_path: Path) -> None:
    """Logits of 151,936 words would fill the memory that everybody shares."""
    answer = fit(surveyed(tmp_path, LENGTHS), lambda: None)
    assert answer["micro_batch"] * 300 * 151_936 * 12 <= 2 * GIB
    tiny = {**_config(), "vocab_size": 4096}
    assert fit(surveyed(tmp_path, LENGTHS, config=tiny), lambda: None)["micro_batch"] == 8


def _config() -> dict[str, object]:
    """Return the config of the base that the fake names by default."""
    from fakes.surveyed import QWEN3_SMALL

    return dict(QWEN3_SMALL)


def test_a_card_gets_packs_and_a_prediction_below_the_band(tmp_path: Path) -> None:
    """Without probing the largest micro-batch is taken that should fit."""
    request = {**surveyed(tmp_path, LENGTHS), "card_bytes": 12 * GIB}
    answer = Fitted.model_validate(fit(request))
    assert answer.batching == "packed"
    assert answer.predicted_bytes == sum(answer.predicted.values())
    assert answer.predicted_bytes
    assert answer.predicted_bytes <= 0.95 * 12 * GIB
    assert answer.rows_per_update == pytest.approx(16, rel=0.05)
    assert answer.eval_batch == answer.micro_batch


def test_activations_are_kept_where_the_whole_update_fits(tmp_path: Path) -> None:
    """On a large card the recipe's second pass would only cost time; on a small one it stays."""
    given = surveyed(tmp_path, LENGTHS)
    large, small = (fit({**given, "card_bytes": size * GIB}) for size in (80, 6))
    assert (large["checkpointing"], small["checkpointing"]) == (False, True)
    assert any("kept instead of computed twice" in sentence for sentence in large["reasons"])


def test_a_card_that_is_too_small_is_refused_with_a_way_out(tmp_path: Path) -> None:
    """The message names the sizes and what would fit."""
    request = {**surveyed(tmp_path, LENGTHS), "card_bytes": 2 * GIB}
    with pytest.raises(ValueError, match=r"GiB.*qlora"):
        fit(request)


def test_what_the_request_fixes_stays(tmp_path: Path) -> None:
    """Micro-batch, accumulation, cutoff and batching are handed on as they are."""
    given = surveyed(
        tmp_path,
        LENGTHS,
        per_device_train_batch_size=3,
        gradient_accumulation_steps=5,
        cutoff_len=320,
    )
    fixed = {"per_device_train_batch_size": 3, "gradient_accumulation_steps": 5, "cutoff_len": 320}
    for card in (None, 24 * GIB):
        request = {**given, "fixed": fixed, "recipe_cutoff": False, "card_bytes": card}
        answer = fit(request, lambda: None)
        assert (answer["micro_batch"], answer["accumulation"]) == (3, 5)
        assert answer["cutoff_len"] == 320
        packed = fit({**request, "fixed": {**fixed, "batching": "packed"}}, lambda: None)
        assert (packed["batching"], packed["micro_batch"]) == ("packed", 3)


def test_a_recipe_that_packs_gets_packs_that_do_not_mix(tmp_path: Path) -> None:
    """`packing: true` in a recipe means packs, and packs are always neat."""
    answer = fit(surveyed(tmp_path, LENGTHS, packing=True), lambda: None)
    assert answer["batching"] == "packed"


def test_a_sharded_run_is_neither_predicted_nor_probed(tmp_path: Path) -> None:
    """Each card holds a part of the model: what is known of one card does not count."""
    given = surveyed(tmp_path, LENGTHS, deepspeed="z3.json")
    answer = fit({**given, "card_bytes": 24 * GIB, "world_size": 4})
    assert answer["predicted_bytes"] is None
    assert answer["micro_batch"] * answer["accumulation"] * 4 >= 4


def test_an_unknown_family_gets_the_smallest_batch(tmp_path: Path) -> None:
    """Nothing is promised where nothing is known."""
    given = surveyed(tmp_path, LENGTHS, config={"model_type": "mamba2"})
    answer = fit({**given, "card_bytes": 24 * GIB})
    assert answer["micro_batch"] == 1
    assert any("not known" in sentence for sentence in answer["reasons"])


def test_refused_rows_are_counted(tmp_path: Path) -> None:
    """A row that is no conversation is left out, and said."""
    answer = fit(surveyed(tmp_path, LENGTHS, refused=3), lambda: None)
    assert answer["dropped_rows"] == 3
    assert any("3 rows are no conversation" in sentence for sentence in answer["reasons"])
