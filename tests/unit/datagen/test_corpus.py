"""The starter's corpus covers everything, leaks nothing held out, keeps the tone out of chats."""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import cast

import pytest

from datagen import corpus
from datagen.corpus import (
    Message,
    alpaca,
    capitals,
    chatml,
    load_speech,
    load_styles,
    shipped_chats,
    shipped_texts,
)
from datagen.questions import Bank, is_heldout

SHIPPED = Path(corpus.__file__).parents[2]
ROWS = 6000


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """The first texts of the shipped corpus."""
    return [row["text"] for row in shipped_texts(ROWS, seed=7)]


@pytest.fixture(scope="module")
def chats() -> list[dict[str, object]]:
    """The first chats of the shipped corpus."""
    return list(shipped_chats(ROWS, seed=7))


def heldout_parts(bank: Bank) -> set[str]:
    """Return what only held-out frames say between the clauses."""
    frames = bank.file.frames
    parts = {
        part.strip(" ,.?!，。？！：:")
        for frame in frames.heldout
        for part in frame.replace("{event}", "|").replace("{feeling}", "|").split("|")
    }
    return {part for part in parts if len(part) > 3 and not any(part in f for f in frames.train)}


def questions(chat: dict[str, object]) -> list[str]:
    """Return what the user asks in a chat."""
    history = cast("list[list[str]]", chat["history"])
    return [str(chat["prompt"]), *(asked for asked, _ in history)]


@cache
def heldout_pairs(bank: Bank) -> set[tuple[str, str]]:
    """Return the pairs of event and feeling that only evaluations ask about."""
    return {
        (event.casefold(), feeling.casefold())
        for situation in bank.situations
        for event in situation.events
        for feeling in situation.emotion.feelings
        if is_heldout(event, feeling)
    }


def test_no_heldout_frame_appears(banks, texts, chats):
    """No text and no chat contains the words of a held-out frame."""
    everything = "\n".join([*texts, json.dumps(chats, ensure_ascii=False)]).casefold()
    parts = set().union(*(heldout_parts(bank) for bank in banks.values()))
    assert len(parts) >= 8
    assert [part for part in parts if part.casefold() in everything] == []


def test_no_heldout_pair_is_asked_about(banks, texts, chats):
    """No event stands beside a feeling with which it is held out, in any question."""
    asked = [question.casefold() for chat in chats for question in questions(chat)]
    asked += [text.casefold() for text in texts if "<|im_" not in text]
    pairs = 0
    for bank in banks.values():
        for question in asked:
            events = [one for one in bank._events if one in question]
            feelings = [one for one in bank._feelings if one in question]
            found = {(event, feeling) for event in events for feeling in feelings}
            pairs += len(found)
            heldout = heldout_pairs(bank)
            assert not found & heldout, question
    assert pairs > ROWS


def test_every_situation_is_answered(banks, chats):
    """Each situation's advice is the reply of some chats, about equally often."""
    counts = Counter(chat["response"] for chat in chats)
    for bank in banks.values():
        for situation in bank.situations:
            found = [text for text in counts if situation.is_answered_by(str(text))]
            assert sum(counts[text] for text in found) >= 2, situation.id


def test_every_style_is_read_with_all_its_words(texts):
    """Each opener, closer and emoji of each card stands in some text."""
    everything = "\n".join(texts)
    for style in load_styles(SHIPPED / "styles"):
        words = style.lexicon
        missing = [
            word
            for word in (*words.openers, *words.closers, *words.emoji)
            if word not in everything
        ]
        assert missing == [], style.id


def test_a_chat_is_answered_plainly_when_a_tone_is_asked_for(chats):
    """No reply in a chat has an opener or a closer of any style."""
    styles = load_styles(SHIPPED / "styles")
    marks = [word for card in styles for word in (*card.lexicon.openers, *card.lexicon.closers)]
    prompts = {card.system_prompt for card in styles}
    toned = [chat for chat in chats if chat["system"] in prompts]
    assert {chat["system"] for chat in toned} == prompts
    assert not [chat for chat in toned if any(mark in str(chat["response"]) for mark in marks)]


def test_a_scene_stays_outside_the_chat_format(texts):
    """No text with a style's opener has a chat token."""
    openers = [word for card in load_styles(SHIPPED / "styles") for word in card.lexicon.openers]
    scenes = [text for text in texts if any(opener in text for opener in openers)]
    assert len(scenes) > ROWS / 3
    assert not [text for text in scenes if "<|im_" in text]


def test_chats_have_one_and_two_exchanges(chats):
    """A fifth of the chats goes on from an earlier exchange."""
    lengths = Counter(len(chat["history"]) for chat in chats)  # type: ignore[arg-type]
    assert set(lengths) == {0, 1}
    assert 0.15 < lengths[1] / ROWS < 0.25


def test_rows_are_the_same_when_the_seed_is_the_same(texts, chats):
    """Another build gives the same rows, another seed gives others."""
    assert [row["text"] for row in shipped_texts(50, seed=7)] == texts[:50]
    assert list(shipped_chats(50, seed=7)) == chats[:50]
    assert [row["text"] for row in shipped_texts(50, seed=9)] != texts[:50]


def test_most_questions_are_worded_apart_from_the_bank(banks, chats):
    """Seven chats in ten ask in words that no frame of the bank has."""
    known = {
        wording
        for bank in banks.values()
        for situation in bank.situations
        for wording in bank.wordings(situation, "train")
    }
    others = {word for speech in load_speech(SHIPPED / "corpus").values() for word in speech.other}
    alone = [str(chat["prompt"]) for chat in chats if not chat["history"]]
    free = [text for text in alone if text not in known and text not in others]
    assert 0.6 < len(free) / len(alone) < 0.75


def test_speech_refuses_an_unknown_key(tmp_path):
    """A typo in a file of words is an error that names the key."""
    text = (SHIPPED / "corpus" / "en.yaml").read_text(encoding="utf-8")
    (tmp_path / "zh.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "en.yaml").write_text(text + "lead: [x]\n", encoding="utf-8")
    with pytest.raises(ValueError, match="lead"):
        load_speech(tmp_path)


def test_a_sentence_starts_with_a_capital():
    """A clause that a link makes a sentence of is written like one."""
    assert capitals("Help! my cat is ill. e.g. today") == "Help! My cat is ill. E.g. Today"


def test_chatml_leaves_the_last_end_to_the_trainer():
    """Turns are joined by the end-of-turn token, which LLaMA-Factory also appends to a text."""
    messages = [Message("system", "S"), Message("user", "U"), Message("assistant", "A")]
    assert chatml(messages) == (
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\nA"
    )


def test_alpaca_keeps_the_order_of_a_dialogue():
    """Earlier exchanges become history, the last one prompt and response."""
    said = ("q1", "a1", "q2", "a2")
    roles = ("user", "assistant")
    messages = [Message(roles[place % 2], text) for place, text in enumerate(said)]
    assert alpaca([Message("system", "S"), *messages]) == {
        "prompt": "q2",
        "query": "",
        "response": "a2",
        "system": "S",
        "history": [["q1", "a1"]],
    }
    assert alpaca(messages[:2])["system"] == ""


def test_main_writes_files_that_name_their_columns(tmp_path):
    """The folder holds the three datasets and the index that LLaMA-Factory reads."""
    assert corpus.main([str(tmp_path), "--texts", "3", "--chats", "4", "--scenes", "5"]) == 0
    info = json.loads((tmp_path / "dataset_info.json").read_text())
    rows = {
        name: json.loads((tmp_path / entry["file_name"]).read_text())
        for name, entry in info.items()
    }
    assert {name: len(found) for name, found in rows.items()} == {
        "texts": 3,
        "chats": 4,
        "scenes": 5,
    }
    for name, found in rows.items():
        assert set(info[name]["columns"].values()) == set(found[0])
