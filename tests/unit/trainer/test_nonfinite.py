"""Which rows made the loss no number."""

import json
import math
from typing import Any

from trainer.engine import nonfinite
from trainer.engine.nonfinite import Window

NAN = math.nan


class Row(list[int]):
    """Token ids of a row, as a tensor has them."""

    def tolist(self) -> list[int]:
        """Return plain numbers."""
        return list(self)


class Letters:
    """A tokenizer whose tokens are characters; 0 is padding."""

    pad_token_id = 0

    def decode(self, ids: list[int], **_: Any) -> str:
        """Return the text."""
        return "".join(map(chr, ids))


def rows(*texts: str) -> list[Row]:
    """Return a micro-batch."""
    return [Row([*map(ord, text), 0, 0]) for text in texts]


def window(*losses: float, bad_norm: int = 0) -> Window:
    """Return a window of two micro-batches a step, with these losses."""
    made = Window()
    for place, loss in enumerate(losses):
        step = place // 2 + 1
        made.batch(step, rows(f"row {place}a", f"row {place}b"), loss)
        made.gradient(math.inf if step == bad_norm else 1.0)
    return made


def test_first_bad_micro_batch_is_named_with_its_rows() -> None:
    """What follows in the window is bad because of it."""
    found = nonfinite.evidence(window(1, 1, 1, NAN, NAN, NAN), Letters(), 10)
    assert (found["step"], found["micro_batch"]) == (2, 1)
    assert found["rows"] == ["row 3a", "row 3b"]
    assert found["loss"] == "nan"
    assert found["bad_steps"] == 2
    json.dumps(found, allow_nan=False)


def test_bad_gradient_names_the_rows_of_the_whole_step() -> None:
    """Which micro-batch did it is lost in the sum."""
    found = nonfinite.evidence(window(1, 1, 1, 1, bad_norm=2), Letters(), 10)
    assert (found["step"], found["micro_batch"], found["grad_norm"]) == (2, None, "inf")
    assert found["rows"] == ["row 2a", "row 2b", "row 3a", "row 3b"]


def test_bad_weight_names_the_newest_step() -> None:
    """The losses of a window may all be fine, and the window just forgotten."""
    made = window(1, 1, 1, 1)
    assert made.bad_steps() == []
    made.clear()
    found = nonfinite.evidence(made, Letters(), 2)
    assert found["rows"][0] == "row 2a"
    assert nonfinite.evidence(Window(), Letters(), 5)["step"] == 5


def test_long_and_many_rows_are_cut() -> None:
    """The document is for people."""
    made = Window()
    made.batch(1, rows(*["x" * 2000] * 20), NAN)
    found = nonfinite.evidence(made, Letters(), 1)
    assert len(found["rows"]) == nonfinite.ROWS
    assert {len(row) for row in found["rows"]} == {nonfinite.ROW_CHARACTERS}


def test_process_with_the_bad_batch_speaks_for_all() -> None:
    """The others see only that the sum is no number."""
    fine = nonfinite.evidence(window(1, 1), Letters(), 10)
    bad = nonfinite.evidence(window(1, NAN), Letters(), 10)
    found = nonfinite.earliest([fine, bad])
    assert found["rank"] == 1
    assert found["micro_batch"] == 1


def test_sentence_quotes_the_first_row() -> None:
    """The error says where and what."""
    found = nonfinite.evidence(window(1, NAN), Letters(), 10)
    said = nonfinite.sentence(found, "loss")
    assert said.startswith("loss is not a number any more at step 1, micro-batch 1, with 2 rows")
    assert "'row 1a'" in said
    none = nonfinite.evidence(Window(), Letters(), 5)
    assert nonfinite.sentence(none, "eval_loss") == "eval_loss is not a number any more at step 5"
