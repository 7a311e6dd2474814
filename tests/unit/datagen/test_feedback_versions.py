"""Tests of the version of a dataset that votes become, with its preference pairs."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.dataset import Conditioning
from contracts.sample import Turn
from contracts.volume import Volume
from contracts.votes import PairRequest
from datagen import feedback
from datagen.errors import NothingAcceptedError
from datagen.feedback import publish_pairs
from datagen.journals import read_samples
from datagen.review_publish import held_questions
from datagen.text import letters
from datagen.votes import VoteStore
from fakes.reviewed import FIRST, lf_rows, publish_first
from fakes.voted import compared, vote
from kit.errors import NotFoundError, StorageFullError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[VoteStore]:
    """An empty table of votes."""
    store = VoteStore(tmp_path / "state")
    yield store
    store.close()


def request(**given: Any) -> PairRequest:
    """Return a request about the first dataset."""
    return PairRequest.model_validate({"dataset_id": FIRST} | given)


def test_votes_become_a_version_with_pairs(volume: Volume, store: VoteStore) -> None:
    """Rows and split are the parent's; the manifest counts the pairs by source and match."""
    publish_first(volume)
    store.add(vote("哼，快去睡啦。", 1))
    store.add(vote("睡吧。", -1))
    store.add(vote("Sleep.", 1, style="pep-coach", question="Tired, what now?"))
    manifest = publish_pairs(volume, store, request())
    parent, folder = volume.dataset_manifest(FIRST), volume.dataset(manifest.id)
    for name in ("samples.jsonl", "rejected.jsonl", "train.json", "eval.json"):
        assert manifest.files[name] == parent.files[name]
    pairs = lf_rows(folder, "preference", "preference-eval")
    assert manifest.lineage is not None
    assert manifest.lineage.parent == FIRST
    summary = manifest.lineage.pairs
    assert summary is not None
    assert summary.votes == 3
    assert summary.sources["votes"] == 2
    assert sum(summary.sources.values()) == sum(summary.matches.values()) == len(pairs)
    chosen = [row["chosen"] for row in pairs if row["source"] == "votes"]
    assert sorted(chosen) == ["Sleep.", "哼，快去睡啦。"]


def test_comparisons_become_rows_that_name_both_contestants(
    volume: Volume, store: VoteStore
) -> None:
    """Six votes, six rows, in the form that LLaMA-Factory reads."""
    publish_first(volume)
    for number in range(6):
        store.add(compared((-1, 1)[number % 2], question=f"第{'一二三四五六'[number]}个晚上睡不着"))
    made = publish_pairs(volume, store, request(sources=["votes"]))
    rows = lf_rows(volume.dataset(made.id), "preference")
    assert len(rows) == 6
    for row in rows:
        names = {row["chosen_by"], row["rejected_by"]}
        assert names == {"tuned: tuned.v1", "prompted: base"}
        assert {row["chosen"], row["rejected"]} == {"哼，快去睡啦。", "睡吧。"}


def test_held_out_question_gives_held_out_pairs(volume: Volume, store: VoteStore) -> None:
    """A vote on a question of the evaluation split is never trained on."""
    publish_first(volume)
    held = held_questions(volume.dataset(FIRST))
    rows = [row for row in read_samples(volume.dataset(FIRST)) if letters(row.question) in held]
    row = rows[0]
    store.add(vote("嗯。", -1, question=row.question, style=row.style, correction="哼，睡啦。"))
    folder = volume.dataset(publish_pairs(volume, store, request(sources=["votes"])).id)
    assert not (folder / "preference.json").exists()
    assert [pair["chosen"] for pair in lf_rows(folder, "preference-eval")] == ["哼，睡啦。"]


def test_held_out_reply_is_no_rival_in_training(volume: Volume, store: VoteStore) -> None:
    """Also where its question is the nearest one: a text of one split is never in the other."""
    publish_first(volume)
    held = held_questions(volume.dataset(FIRST))
    rows = list(read_samples(volume.dataset(FIRST)))
    away = {row.reply for row in rows if letters(row.question) in held}
    for row in rows:
        if letters(row.question) in held:
            question = f"{row.question}再说说吧"
            store.add(vote(f"哼，{question}睡啦。", 1, question=question, style=row.style))
    manifest = publish_pairs(volume, store, request(sources=["votes"]))
    found = lf_rows(volume.dataset(manifest.id), "preference")
    assert {row["match"] for row in found} == {"nearest"}
    assert away.isdisjoint(row["rejected"] for row in found)


def test_only_pairs_of_one_question_where_asked(volume: Volume, store: VoteStore) -> None:
    """Each row says how its two questions match."""
    publish_first(volume)
    store.add(vote("哼，快去睡啦。", 1))
    store.add(vote("睡吧。", -1))
    made = publish_pairs(volume, store, request(same_question=True))
    rows = lf_rows(volume.dataset(made.id), "preference")
    assert {row["match"] for row in rows} == {"question"}


def test_history_travels_into_the_pair(volume: Volume, store: VoteStore) -> None:
    """The pair is about the last reply of a dialogue."""
    publish_first(volume)
    history = [Turn(user="在吗", assistant="哼，在啦。")]
    store.add(vote("睡吧。", -1, correction="哼，快睡啦。", history=history))
    made = publish_pairs(volume, store, request(sources=["votes"]))
    assert lf_rows(volume.dataset(made.id), "preference")[0]["history"] == [["在吗", "哼，在啦。"]]


def test_pairs_of_one_style_need_no_style_in_the_prompt(volume: Volume, store: VoteStore) -> None:
    """Without conditioning a contrast of styles would teach nothing; a correction does."""
    publish_first(volume, conditioning=Conditioning.NONE)
    store.add(vote("睡吧。", -1, correction="哼，快睡啦。"))
    store.add(vote("哼，快去睡啦。", 1, question="另一个问题呀"))
    made = publish_pairs(volume, store, request())
    assert made.lineage is not None
    assert made.lineage.pairs is not None
    assert made.lineage.pairs.sources == {"votes": 1}


def test_no_pair_is_an_error_and_nothing_stays(volume: Volume, store: VoteStore) -> None:
    """The way out is named."""
    publish_first(volume)
    with pytest.raises(NothingAcceptedError, match="no pair can be made of edits, votes") as caught:
        publish_pairs(volume, store, request(sources=["votes", "edits"]))
    assert caught.value.body.hint
    assert [path.name for path in (volume.root / "datasets").iterdir()] == [FIRST]


def test_missing_dataset_is_not_found(volume: Volume, store: VoteStore) -> None:
    """The field is named."""
    with pytest.raises(NotFoundError, match="there is no dataset"):
        publish_pairs(volume, store, request())


def test_full_volume_leaves_nothing_behind(
    volume: Volume, store: VoteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says that the volume is full."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    publish_first(volume)
    monkeypatch.setattr(feedback, "publish_dataset", full)
    with pytest.raises(StorageFullError):
        publish_pairs(volume, store, request())
    assert [path.name for path in (volume.root / "datasets").iterdir()] == [FIRST]
