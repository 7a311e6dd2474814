"""Tests of preference pairs from votes, edits and contrast."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.dataset import Conditioning
from contracts.sample import Sample, Turn
from contracts.style import StyleVersion
from contracts.volume import Volume
from contracts.votes import PairRequest, Vote
from datagen import feedback
from datagen.errors import NothingAcceptedError
from datagen.feedback import Feedback, publish_pairs
from datagen.journals import read_samples
from datagen.preferences import Pair, distinct
from datagen.review_publish import held_questions
from datagen.text import letters
from datagen.votes import VoteStore
from fakes.reviewed import FIRST, lf_rows, publish_first
from fakes.styled_dataset import STYLES, samples
from kit.crisis import load_screens
from kit.errors import NotFoundError, StorageFullError

CARDS = {name: StyleVersion(version=1, style=style) for name, style in STYLES.items()}


def vote(reply: str, value: int, **given: Any) -> Vote:
    """Return a vote on a reply to one question in one style."""
    usual = {"question": "今天好累呀怎么办", "style": "tsundere", "model": "tuned.v1"}
    return Vote.model_validate(usual | {"reply": reply, "value": value} | given)


def made(votes: list[Vote], rows: list[Sample] | None = None) -> list[tuple[str, str, str]]:
    """Return (chosen, rejected, match) of the pairs of votes."""
    pairs = Feedback(rows or [], CARDS, 7).pairs(votes)
    return [(pair.chosen.reply, pair.rejected.reply, pair.match) for pair in distinct(pairs)]


def test_liked_reply_beats_the_disliked_one() -> None:
    """Both answer the same question in the same style, whoever voted."""
    votes = [vote("哼，快去睡啦。", 1, user="a"), vote("睡吧。", -1, user="b", model="base")]
    assert made(votes) == [("哼，快去睡啦。", "睡吧。", "question")]


def test_replies_to_different_questions_or_styles_make_no_pair() -> None:
    """Nothing says that one is better than the other."""
    votes = [vote("哼，快去睡啦。", 1, question="别的问题"), vote("睡吧。", -1)]
    assert made(votes) == []
    assert made([vote("哼，快去睡啦。", 1, style="gentle"), vote("睡吧。", -1)]) == []
    turn = [{"user": "在吗", "assistant": "在。"}]
    assert made([vote("哼，快去睡啦。", 1, history=turn), vote("睡吧。", -1)]) == []


def test_correction_beats_the_reply_that_it_corrects() -> None:
    """Also where the vote itself was not a bad one."""
    votes = [vote("睡吧。", 0, correction="哼，快去睡啦。")]
    assert made(votes) == [("哼，快去睡啦。", "睡吧。", "question")]


def test_opinions_that_cancel_out_make_no_pair() -> None:
    """One likes it, one does not."""
    votes = [
        vote("睡吧。", 1, user="a"),
        vote("睡吧！", -1, user="b"),
        vote("走开。", -1, user="c"),
    ]
    assert made(votes) == []


def test_pair_comes_once_and_never_the_other_way_round() -> None:
    """Of two corrections that contradict each other the first counts."""
    votes = [
        vote("睡吧。", -1, user="a", correction="哼，快去睡啦。"),
        vote("睡吧。", -1, user="b", correction="哼，快去睡啦！"),
        vote("哼，快去睡啦。", -1, user="c", correction="睡吧。"),
    ]
    assert made(votes) == [("哼，快去睡啦。", "睡吧。", "question")]


def test_disliked_reply_without_rival_loses_to_the_datasets_own() -> None:
    """Where the dataset has that question in that style."""
    row = next(row for row in samples(3) if row.style == "tsundere")
    votes = [vote("睡吧。", -1, question=f"{row.question}!")]
    assert made(votes, [row]) == [(row.reply, "睡吧。", "question")]
    assert made(votes, []) == []


def test_liked_reply_without_rival_beats_another_style() -> None:
    """The row says how near the other question is."""
    rows = samples(3)
    other = next(row for row in rows if row.style == "gentle")
    pairs = made([vote("哼，快去睡啦。", 1, question=other.question)], rows)
    assert pairs == [("哼，快去睡啦。", other.reply, "question")]
    pairs = made([vote("哼，快去睡啦。", 1)], rows)
    assert [match for *_, match in pairs] == ["nearest"]


def test_text_that_breaks_a_chat_template_is_left_out() -> None:
    """A vote comes from outside; its words go into training."""
    bad = [vote("睡吧。", -1, correction="<|im_end|>"), vote("<think>x</think>", 1)]
    assert made(bad) == []


def test_crisis_and_incitement_are_no_matter_of_taste(shipped: Path) -> None:
    """Such votes are not learnt from, however many like them."""
    screens = load_screens()
    votes = [
        vote("哼，谁管你。", 1, question="我不想活了，想自杀"),
        vote("睡吧。", -1, question="我不想活了，想自杀"),
    ]
    assert list(Feedback([], CARDS, 7, screens).pairs(votes)) == []
    assert len(list(Feedback([], CARDS, 7).pairs(votes))) == 1


def test_personal_data_of_a_chat_is_masked() -> None:
    """In question, replies and history."""
    bad = vote("打 13812345678 给我。", -1, correction="哼，写信到 ada@example.org 啦。")
    pair = next(Feedback([], CARDS, 7).pairs([bad]))
    for text in (pair.chosen.reply, pair.rejected.reply):
        assert "13812345678" not in text
        assert "example.org" not in text


def compared(value: int, **given: Any) -> Vote:
    """Return a vote between a tuned and a prompted reply."""
    rival = {"reply": "睡吧。", "model": "base", "contestant": "prompted"}
    return vote("哼，快去睡啦。", value, **{"contestant": "tuned", "against": rival} | given)


def test_compared_replies_are_a_pair_with_both_contestants() -> None:
    """The better one is chosen; who made which is in the row."""
    for value, said, by in [
        (1, ("哼，快去睡啦。", "睡吧。"), ("tuned: tuned.v1", "prompted: base")),
        (-1, ("睡吧。", "哼，快去睡啦。"), ("prompted: base", "tuned: tuned.v1")),
    ]:
        (pair,) = Feedback([], CARDS, 7).pairs([compared(value)])
        assert (pair.chosen.reply, pair.rejected.reply) == said
        assert (pair.chosen.teacher, pair.rejected.teacher) == by
        assert (pair.match, pair.source) == ("question", "votes")


def test_majority_decides_a_comparison_and_a_tie_is_no_pair() -> None:
    """Also where the same two replies were seated, and so sent, the other way round."""
    other = {"reply": "哼，快去睡啦。", "model": "tuned.v1", "contestant": "tuned"}
    turned = vote("睡吧。", -1, contestant="prompted", model="base", against=other, user="b")
    assert made([compared(0)]) == []
    assert made([compared(-1), turned]) == []
    assert made([compared(-1), turned, compared(1, user="c")]) == [
        ("哼，快去睡啦。", "睡吧。", "question")
    ]


def test_two_bad_replies_lose_to_a_liked_one() -> None:
    """They are no pair of their own, and each is a disliked reply."""
    bad = compared(0, both_bad=True)
    assert made([bad]) == []
    liked = vote("才不是担心你，去睡！", 1, user="b")
    assert made([bad, liked]) == [
        ("才不是担心你，去睡！", "哼，快去睡啦。", "question"),
        ("才不是担心你，去睡！", "睡吧。", "question"),
    ]


def test_comparison_with_a_reply_that_breaks_a_template_is_left_out() -> None:
    """Both replies go into training."""
    rival = {"reply": "<|im_end|>", "model": "base"}
    assert made([compared(1, against=rival)]) == []


def test_edit_and_its_twin_are_one_pair() -> None:
    """The letters decide, not the punctuation."""
    row = samples(1)[0]
    worse = row.model_copy(update={"reply": "nothing"})
    twin = row.model_copy(update={"reply": f"{row.reply}!"})
    pairs = [Pair(row, worse, "question", "edits"), Pair(twin, worse, "question", "votes")]
    assert list(distinct(pairs)) == pairs[:1]


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
