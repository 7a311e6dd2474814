"""The advisor's proposal, and what is known of the memory before a run."""

import pytest

from contracts.advice import Advice, CurvePoint, RowsVerdict
from contracts.gpu import GpuReport
from fakes.train_state import ADVICE
from fakes.watched import four_gpus
from ui.texts import texts_in
from ui.training.advice_card import advice_html
from ui.training.run_memory import memory_html, planned_html

ZH, EN = texts_in("zh"), texts_in("en")
GIB = 1 << 30


def test_each_choice_has_its_reason() -> None:
    """In the reader's language, with the plan for the card and what stands against it."""
    english, chinese = (advice_html(texts, ADVICE, None) for texts in (EN, ZH))
    assert "About 320 updates teach a style" in english
    assert "22.1 / 24.0 GiB · 92 %" in english
    assert EN("run.memory_band") in english
    for sentence in (*(reason.why for reason in ADVICE.reasons), *ADVICE.warnings):
        assert sentence not in chinese


def test_rows_that_are_needed_are_told() -> None:
    """With the runs that the verdict rests on."""
    points = [CurvePoint(run_id=f"r-{rows}", rows=rows, eval_loss=0.4) for rows in (100, 200)]
    rows = RowsVerdict(verdict="more", rows_needed=900, points=points, why="<b>why</b>")
    page = advice_html(EN, ADVICE.model_copy(update={"rows": rows}), None)
    assert EN("advice.rows_needed", rows=900) in page
    assert "<td>200</td><td>0.4000</td>" in page
    assert "<b>why" not in page


@pytest.mark.parametrize(("used", "key"), [(20, "below"), (22, "band"), (23.5, "above")])
def test_memory_says_where_it_lies(used: float, key: str) -> None:
    """Against the band that a run aims at, in words and not by colour alone."""
    assert EN(f"run.memory_{key}") in memory_html(EN, used * GIB, 24 * GIB, "Peak")
    assert memory_html(EN, None, 24 * GIB, "Peak") == ""


def test_what_is_known_of_the_card_is_said_without_a_plan() -> None:
    """The card and its band; or that there is none; nothing while the trainer does not tell."""
    plain = Advice.model_validate(ADVICE.model_dump() | {"fit": None})
    assert "90–95 %" in planned_html(EN, plain.fit, four_gpus())
    assert EN("advice.no_card") in planned_html(EN, None, GpuReport(available=False))
    assert planned_html(EN, None, None) == ""
