"""Tests of preference pairs from votes, edits and contrast."""

from pathlib import Path

from contracts.sample import Sample
from contracts.style import StyleVersion
from contracts.votes import Vote
from datagen.feedback import Feedback
from datagen.preferences import Pair, distinct
from fakes.styled_dataset import STYLES, samples
from fakes.voted import compared, vote
from kit.crisis import load_screens

CARDS = {name: StyleVersion(version=1, style=style) for name, style in STYLES.items()}


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
