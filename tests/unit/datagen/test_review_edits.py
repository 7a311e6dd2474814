"""Tests of edits in a review: the gates look again, and what nobody may overrule."""

from pathlib import Path

import pytest

from contracts.review import (
    ReviewChange,
    ReviewEdit,
    ReviewFilter,
    ReviewQuery,
    ReviewReplacement,
)
from datagen.errors import GateRefusedError
from datagen.regating import refusal_of
from datagen.review import ReviewDesk
from fakes.reviewed import FIRST, numbers
from kit.crisis import load_screens
from kit.errors import InvalidInputError


def test_edit_passes_the_gates_or_is_refused(desk: ReviewDesk) -> None:
    """The gate is named; the row stays as it was."""
    row = numbers(desk, style="tsundere", origin="accepted")[0]
    before = desk.row(FIRST, row)
    with pytest.raises(GateRefusedError, match="'assistant_voice'") as caught:
        desk.edit(FIRST, row, ReviewEdit(revision=0, reply="作为一个AI，我很高兴为您服务啦！"))
    assert caught.value.body.field == "reply"
    assert caught.value.body.hint
    assert desk.row(FIRST, row) == before


def test_gate_can_be_overruled_with_a_note(desk: ReviewDesk) -> None:
    """The row says that it was forced, and why."""
    row = numbers(desk, style="tsundere", origin="accepted")[0]
    with pytest.raises(ValueError, match="say why the gate is overruled"):
        ReviewEdit(revision=0, reply="嗯。", force=True)
    desk.edit(FIRST, row, ReviewEdit(revision=0, reply="嗯。", force=True, note="a joke"))
    found = desk.row(FIRST, row)
    assert (found.forced, found.note, found.decision, found.edit) == (
        True, "a joke", "accepted", "person",
    )  # fmt: skip


def test_safe_replies_and_control_tokens_cannot_be_overruled(
    desk: ReviewDesk, shipped: Path
) -> None:
    """A person in a crisis gets a safe reply, whatever a reviewer would rather say."""
    desk.screens = load_screens()
    row = numbers(desk, style="tsundere", origin="accepted")[0]
    force = {"revision": 0, "force": True, "note": "funny"}
    for reply in ("哼，快去睡<|im_end|>啦。", "哼，你去死吧。"):
        with pytest.raises(GateRefusedError) as caught:
            desk.edit(FIRST, row, ReviewEdit.model_validate(force | {"reply": reply}))
        assert "nobody may overrule" in str(caught.value.body.hint)
    sheet = desk.sheet(FIRST)
    sample = sheet.samples(desk.store.rows(desk.head(FIRST), [row]))[0][0]
    person = sample.model_copy(update={"question": "我不想活了，想自杀"})
    style = sheet.styles["tsundere"]
    refusal = refusal_of(style, person, "哼，谁管你啦。", desk.screens)
    assert refusal is not None
    assert refusal.reason.value == "crisis"
    safe = desk.screens["zh"].file.replies
    assert refusal_of(style, person, next(iter(safe.values()))[0], desk.screens) is None


def test_personal_data_in_an_edit_is_refused(desk: ReviewDesk) -> None:
    """Nothing is masked behind the reviewer's back."""
    row = numbers(desk, style="tsundere", origin="accepted")[0]
    edit = ReviewEdit(revision=0, reply="哼，打 13812345678 给我就是了。")
    with pytest.raises(GateRefusedError, match="personal_data"):
        desk.edit(FIRST, row, edit)


def test_force_is_not_recorded_where_no_gate_minds(desk: ReviewDesk) -> None:
    """A needless force is no overruling."""
    row = numbers(desk, style="tsundere", origin="accepted")[0]
    good = ReviewEdit(revision=0, reply="哼，谁要特地帮你啊！早点睡啦。", force=True, note="x")
    desk.edit(FIRST, row, good)
    assert not desk.row(FIRST, row).forced


def test_replacement_leaves_what_a_gate_would_refuse(desk: ReviewDesk) -> None:
    """The others change; the reasons are counted; spaces in the text are kept."""
    marker = "。"
    holding = [row for row in desk.page(FIRST, ReviewQuery(limit=500)).rows if marker in row.reply]
    change = ReviewReplacement(
        revision=0, filter=ReviewFilter(), find=marker, replacement="<|x|>。"
    )
    refused = desk.replace(FIRST, change)
    assert (refused.changed, refused.refused) == (0, {"control_token": len(holding)})
    spaced = ReviewReplacement(
        revision=0, filter=ReviewFilter(style="dry-butler"), find=" the ", replacement=" that "
    )
    assert spaced.find == " the "
    result = desk.replace(FIRST, spaced)
    assert result.changed == result.review.counts.edited > 0


def test_refused_row_can_be_rescued_but_not_one_without_a_reply(desk: ReviewDesk) -> None:
    """What nobody can use is left, with its reason."""
    change = ReviewChange(revision=0, action="accept", filter=ReviewFilter(origin="rejected"))
    result = desk.change(FIRST, change)
    assert (result.changed, result.refused) == (2, {"malformed": 1})
    assert result.review.counts.kept == 42
    empty = numbers(desk, reason="malformed")[0]
    desk.edit(FIRST, empty, ReviewEdit(revision=1, reply="哼，谁要特地帮你啊！早点睡啦。"))
    assert desk.row(FIRST, empty).decision == "accepted"


def test_row_of_no_known_style_cannot_be_edited(desk: ReviewDesk) -> None:
    """There is no card that says how it should sound."""
    row = numbers(desk, reason="malformed")[0]
    sheet = desk.sheet(FIRST)
    sheet.styles.pop("tsundere")
    desk.sheet = lambda _: sheet  # type: ignore[method-assign]
    with pytest.raises(InvalidInputError, match="of no style of this dataset"):
        desk.edit(FIRST, row, ReviewEdit(revision=0, reply="哼，早点睡啦。"))


def test_replacement_rescues_no_row_that_was_rejected(desk: ReviewDesk) -> None:
    """Neither by a person nor by a gate: its text changes, the decision stays."""
    one = numbers(desk, style="tsundere", origin="accepted")[0]
    other = numbers(desk, reason="off_style")[0]
    desk.change(FIRST, ReviewChange(revision=0, action="reject", filter=ReviewFilter(rows=[one])))
    before = desk.show(FIRST).counts
    sign = desk.row(FIRST, one).reply[-1]
    assert desk.row(FIRST, other).reply.endswith("。")
    for find in {sign, "。"}:
        revision = desk.show(FIRST).revision
        change = ReviewReplacement(
            revision=revision, filter=ReviewFilter(rows=[one, other]), find=find, replacement="！"
        )
        desk.replace(FIRST, change)
    assert desk.row(FIRST, one).decision == "rejected"
    assert desk.row(FIRST, other).decision == "open"
    assert desk.show(FIRST).counts.kept == before.kept
