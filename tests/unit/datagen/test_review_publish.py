"""Tests of the next version: what people decided, the split that stays, the balance."""

import errno
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contracts.durable import digest_differences
from contracts.review import (
    ReviewChange,
    ReviewEdit,
    ReviewFilter,
    ReviewPublication,
    ReviewQuery,
)
from contracts.sample import RejectReason, Sample, Turn
from contracts.style import Language
from contracts.volume import Volume
from datagen import review_publish
from datagen.errors import NothingAcceptedError
from datagen.journals import read_rejected, read_samples
from datagen.questions import Bank
from datagen.review import ReviewDesk
from datagen.review_publish import held_questions, publish_review
from datagen.review_store import ReviewStore
from datagen.text import letters
from datagen.versions import chain
from fakes.reviewed import EARLIER, FIRST, lf_rows, publish_first
from fakes.styled_dataset import samples
from kit.errors import ConflictError, StorageFullError

FRESH = "哼，谁要特地帮你啊！早点睡就是了。"


def decide(desk: ReviewDesk, action: str, **wanted: Any) -> None:
    """Decide about all rows that match, as they are now."""
    change = {"revision": desk.show(FIRST).revision, "action": action, "filter": wanted}
    desk.change(FIRST, ReviewChange.model_validate(change))


def publish(desk: ReviewDesk, **options: Any) -> str:
    """Publish the review as it is now; return the new dataset's id."""
    revision = desk.show(FIRST).revision
    request = ReviewPublication.model_validate({"revision": revision} | options)
    return publish_review(desk, FIRST, request).id


def rows_of(volume: Volume, dataset: str) -> list[Sample]:
    """Return the rows of a version."""
    return list(read_samples(volume.dataset(dataset)))


def test_version_without_decisions_equals_its_parent(desk: ReviewDesk, volume: Volume) -> None:
    """The training files are the same, byte for byte; the lineage says so."""
    made = publish(desk)
    old, new = (volume.dataset_manifest(name).files for name in (FIRST, made))
    assert {name: new[name] for name in new} == {name: old[name] for name in new}
    assert set(old) == set(new)
    assert not digest_differences(volume.dataset(made), new)
    manifest = volume.dataset_manifest(made)
    assert manifest.source == "reviewed"
    assert manifest.counts.asked == manifest.counts.accepted + 3
    assert [one.version for one in chain(volume, made)] == [1, 2]


def test_decisions_are_summed_up(desk: ReviewDesk, volume: Volume) -> None:
    """rows = kept + dropped + left_out, and each kind of decision is counted."""
    decide(desk, "reject", style="gentle")
    decide(desk, "accept", reason="off_style")
    number = desk.page(FIRST, ReviewQuery(style="tsundere", origin="accepted")).rows[0].number
    revision = desk.show(FIRST).revision
    desk.edit(FIRST, number, ReviewEdit(revision=revision, reply="嗯。", force=True, note="dry"))
    made = publish(desk)
    manifest = volume.dataset_manifest(made)
    assert manifest.lineage is not None
    summary = manifest.lineage.review
    assert summary is not None
    assert summary.rows == summary.kept + summary.dropped + summary.left_out == 43
    assert (summary.accepted, summary.rejected, summary.rescued) == (2, 10, 1)
    assert (summary.edited, summary.forced, summary.left_out) == (1, 1, 0)
    reasons = Counter(row.reason.value for row in read_rejected(volume.dataset(made)))
    assert reasons == {"reviewer": 10, "too_short": 1, "malformed": 1}
    assert manifest.counts.rejected == dict(reasons)
    forced = next(row for row in rows_of(volume, made) if row.reply == "嗯。")
    assert forced.review is not None
    assert (forced.review.forced, forced.review.note) == (True, "dry")
    rescued = [row for row in rows_of(volume, made) if "refused" in row.id]
    assert [row.style for row in rescued] == ["tsundere"]
    assert len({row.slot for row in rows_of(volume, made)}) == summary.kept


def test_rescued_dialogue_keeps_what_was_said_before(desk: ReviewDesk, volume: Volume) -> None:
    """Its earlier turns come along, in both files, and are dropped with it again."""
    earlier = list(EARLIER)
    [shown] = desk.page(FIRST, ReviewQuery(reason=RejectReason.OFF_STYLE)).rows
    assert shown.history == earlier
    decide(desk, "accept", reason="off_style")
    made = publish(desk)
    [row] = [row for row in rows_of(volume, made) if "refused" in row.id]
    assert row.history == earlier
    files = [lf_rows(volume.dataset(made), name) for name in ("train", "eval")]
    turns = [one["history"] for rows in files for one in rows if one["response"] == row.reply]
    assert turns == [[[earlier[0].user, earlier[0].assistant]]]
    desk.open(made)
    again = ReviewChange(revision=0, action="reject", filter=ReviewFilter(text=row.question))
    desk.change(made, again)
    desk_made = publish_review(desk, made, ReviewPublication(revision=1)).id
    dropped = [one for one in read_rejected(volume.dataset(desk_made)) if one.history]
    assert [one.history for one in dropped if one.reply == row.reply] == [earlier]


def test_what_was_held_out_stays_held_out(desk: ReviewDesk, volume: Volume) -> None:
    """No question of the parent's evaluation split is ever trained on."""
    held = held_questions(volume.dataset(FIRST))
    assert held
    decide(desk, "reject", style="gentle")
    decide(desk, "accept", origin="rejected")
    made = volume.dataset(publish(desk))
    assert held.isdisjoint(letters(row["prompt"]) for row in lf_rows(made, "train"))
    assert {letters(row["prompt"]) for row in lf_rows(made, "eval")} <= held


def test_what_any_version_held_out_is_never_trained_on(desk: ReviewDesk, volume: Volume) -> None:
    """Rejected in one version and brought back in the next, a question is held out as before."""
    held = held_questions(volume.dataset(FIRST))
    page = desk.page(FIRST, ReviewQuery(origin="accepted", limit=500))
    away = [row.number for row in page.rows if letters(row.question) in held]
    decide(desk, "reject", rows=away)
    second = publish(desk)
    assert not held_questions(volume.dataset(second))
    desk.open(second)
    back = ReviewChange(revision=0, action="accept", filter=ReviewFilter(origin="rejected"))
    assert desk.change(second, back).changed >= len(away)
    made = publish_review(desk, second, ReviewPublication(revision=1))
    rows = lf_rows(volume.dataset(made.id), "train")
    assert held.isdisjoint(letters(row["prompt"]) for row in rows)
    assert made.rows["eval"] == len(away)


def test_edit_becomes_a_preference_pair(desk: ReviewDesk, volume: Volume) -> None:
    """The person's reply is chosen, the one before rejected; also in later versions."""
    held = held_questions(volume.dataset(FIRST))
    rows = desk.page(FIRST, ReviewQuery(style="tsundere", origin="accepted")).rows
    row = next(row for row in rows if letters(row.question) not in held)
    desk.edit(FIRST, row.number, ReviewEdit(revision=0, reply=FRESH))
    made = publish(desk)
    pairs = lf_rows(volume.dataset(made), "preference")
    edits = [pair for pair in pairs if pair["source"] == "edits"]
    assert [(pair["chosen"], pair["rejected"]) for pair in edits] == [(FRESH, row.reply)]
    assert edits[0]["match"] == "question"
    desk.open(made)
    again = publish_review(desk, made, ReviewPublication(revision=0)).id
    assert lf_rows(volume.dataset(again), "preference") == pairs


def test_only_accepted_leaves_out_what_nobody_decided(desk: ReviewDesk, volume: Volume) -> None:
    """The rows left out are counted, not called rejected."""
    decide(desk, "accept", style="gentle")
    made = volume.dataset_manifest(publish(desk, only_accepted=True))
    assert made.lineage is not None
    assert made.lineage.review is not None
    assert made.lineage.review.left_out == 30
    assert made.counts.failed == {"left_out": 30}
    assert {row.style for row in rows_of(volume, made.id)} == {"gentle"}


def test_balance_keeps_as_many_rows_of_each_style(desk: ReviewDesk, volume: Volume) -> None:
    """In either split; the same seed draws the same rows, and people's own rows stay."""
    rows = desk.page(FIRST, ReviewQuery(style="gentle", limit=500)).rows
    decide(desk, "reject", rows=[row.number for row in rows[:6]])
    number = desk.page(FIRST, ReviewQuery(style="tsundere", origin="accepted")).rows[0].number
    revision = desk.show(FIRST).revision
    desk.edit(FIRST, number, ReviewEdit(revision=revision, reply=FRESH))
    made = publish(desk, balance=True)
    for split in ("train", "eval"):
        prompts = lf_rows(volume.dataset(made), split)
        sizes = Counter(row["system"] for row in prompts)
        assert len(set(sizes.values())) == 1, sizes
    assert FRESH in [row.reply for row in rows_of(volume, made)]
    again = publish(desk, balance=True)
    assert rows_of(volume, again) == rows_of(volume, made)


def test_review_that_went_on_is_not_published(desk: ReviewDesk) -> None:
    """Who publishes has seen the last decision."""
    decide(desk, "reject", style="gentle")
    with pytest.raises(ConflictError, match="at revision 1, you saw 0"):
        publish_review(desk, FIRST, ReviewPublication(revision=0))


def test_versions_made_at_once_have_numbers_of_their_own(desk: ReviewDesk, volume: Volume) -> None:
    """Whoever comes second comes after the first."""
    request = ReviewPublication(revision=0)
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: publish_review(desk, FIRST, request), range(3)))
    assert sorted(one.lineage.version for one in made if one.lineage) == [2, 3, 4]


def test_nothing_left_is_nothing_to_publish(desk: ReviewDesk, volume: Volume) -> None:
    """No dataset appears, and no half of one."""
    decide(desk, "reject")
    with pytest.raises(NothingAcceptedError):
        publish(desk)
    assert [path.name for path in (volume.root / "datasets").iterdir()] == [FIRST]


def test_full_volume_leaves_nothing_behind(
    desk: ReviewDesk, volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says that the volume is full."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(review_publish, "publish_dataset", full)
    with pytest.raises(StorageFullError):
        publish(desk)
    assert [path.name for path in (volume.root / "datasets").iterdir()] == [FIRST]


def test_dialogues_keep_their_history_in_the_next_version(
    volume: Volume, banks: dict[Language, Bank]
) -> None:
    """Each turn is in the file that the trainer reads."""
    rows = samples(6)
    turn = Turn(user="早上好呀", assistant="哼，早啦。")
    publish_first(volume, rows=[rows[0].model_copy(update={"history": [turn]}), *rows[1:]])
    store = ReviewStore(volume.root.parent / "state")
    desk = ReviewDesk(volume, banks, store)
    desk.open(FIRST)
    made = volume.dataset(publish(desk))
    store.close()
    histories = [row["history"] for row in lf_rows(made, "train", "eval") if row["history"]]
    assert histories == [[["早上好呀", "哼，早啦。"]]]
