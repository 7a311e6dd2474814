"""The shipped starter model is what its recipes and its corpus say, and small enough to ship.

No torch here: the weights' header is read by hand. `make starter` mends what these tests find.
"""

import hashlib
import json
import math
import struct
from itertools import pairwise
from typing import Any

import jinja2
import pytest
import yaml

from datagen.corpus import SEED, load_styles, shipped_chats, shipped_scenes, shipped_texts
from repository import ROOT
from trainer.engine import starter

TRAINER = ROOT / "services" / "trainer"
STARTER = TRAINER / "bases" / "starter"
LARGEST = 16_000_000


def document(name: str) -> Any:
    """Return a JSON file of the shipped model."""
    return json.loads((STARTER / name).read_text(encoding="utf-8"))


def weights_header() -> dict[str, Any]:
    """Return the header of the weights: name -> type, shape, place."""
    with (STARTER / "model.safetensors").open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header: dict[str, Any] = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return header


@pytest.fixture(scope="module")
def provenance() -> Any:
    """What the model says of itself."""
    return document("provenance.json")


def test_the_folder_holds_what_the_engines_load():
    """No file is missing, none is left over, and the weights are small enough to ship."""
    names = {path.name for path in STARTER.iterdir()}
    assert names == {
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "provenance.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert sum(path.stat().st_size for path in STARTER.iterdir()) < LARGEST


def test_each_file_is_the_one_that_was_published(provenance):
    """The hash of every file equals the recorded one."""
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in STARTER.iterdir()
        if path.name != "provenance.json"
    }
    assert found == provenance["files"]


@pytest.mark.parametrize("stage", sorted(starter.STAGES))
def test_each_stage_followed_its_recipe(provenance, stage):
    """The recipe is the one that trained, and it ran to its last step."""
    made = provenance["stages"][stage]
    recipe = TRAINER / "recipes" / starter.STAGES[stage][0]
    assert made["recipe"] == recipe.name
    assert made["recipe_sha256"] == hashlib.sha256(recipe.read_bytes()).hexdigest()
    assert made["steps"] == yaml.safe_load(recipe.read_text(encoding="utf-8"))["max_steps"]
    assert 0 < made["final_loss"] < 1


def test_the_corpus_is_the_one_that_was_read(provenance):
    """Banks, cards and the code that writes the corpus still give the rows that trained it."""
    texts = list(shipped_texts(starter.HEAD_ROWS, SEED))
    chats = list(shipped_chats(starter.HEAD_ROWS, SEED))
    scenes = list(shipped_scenes(starter.HEAD_ROWS, SEED))
    for name, rows in (("texts.json", texts), ("chats.json", chats), ("scenes.json", scenes)):
        assert starter.head_digest(rows) == provenance["corpus_head"][name], name


def test_the_shape_is_the_one_that_the_code_builds(provenance):
    """Config, provenance and code agree on the shape."""
    config = document("config.json")
    assert provenance["shape"] == starter.SHAPE
    assert {name: config[name] for name in starter.SHAPE} == starter.SHAPE
    assert config["architectures"] == ["Qwen3ForCausalLM"]


def test_the_weights_have_the_shape_of_the_config():
    """Embeddings are tied, every layer is there, and all is float32 and contiguous."""
    header = weights_header()
    shape = starter.SHAPE
    assert header["model.embed_tokens.weight"]["shape"] == [4096, shape["hidden_size"]]
    assert "lm_head.weight" not in header
    layers = {name.split(".")[2] for name in header if name.startswith("model.layers.")}
    assert layers == {str(number) for number in range(shape["num_hidden_layers"])}
    assert {entry["dtype"] for entry in header.values()} == {"F32"}
    places = sorted(entry["data_offsets"] for entry in header.values())
    assert all(left[1] == right[0] for left, right in pairwise(places))
    size = 8 + struct.unpack("<Q", (STARTER / "model.safetensors").read_bytes()[:8])[0]
    assert size + places[-1][1] == (STARTER / "model.safetensors").stat().st_size


def test_the_tokenizer_ends_turns_as_the_config_does():
    """The ids of the special tokens are the same wherever they are written."""
    added = {entry["content"]: entry for entry in document("tokenizer.json")["added_tokens"]}
    assert set(added) == {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"}
    assert not added["<think>"]["special"]
    for name in ("config.json", "generation_config.json"):
        assert document(name)["eos_token_id"] == added["<|im_end|>"]["id"]
        assert document(name)["pad_token_id"] == added["<|endoftext|>"]["id"]
    assert document("tokenizer_config.json")["eos_token"] == "<|im_end|>"


def test_the_vocabulary_writes_any_text():
    """All 256 bytes are tokens, and the ids are 0 to 4095 without a gap."""
    tokenizer = document("tokenizer.json")
    vocab = tokenizer["model"]["vocab"]
    numbers = {*vocab.values(), *(entry["id"] for entry in tokenizer["added_tokens"])}
    assert numbers == set(range(starter.SHAPE["vocab_size"]))
    assert set(byte_letters().values()) <= set(vocab)


def test_the_tokenizer_gives_a_text_back():
    """What a card says is cut into tokens and put together again, character by character."""
    vocab = document("tokenizer.json")["model"]["vocab"]
    merges = [tuple(pair) for pair in document("tokenizer.json")["model"]["merges"]]
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    letters = byte_letters()
    for card in load_styles(ROOT / "services/datagen/styles"):
        for word in (*card.lexicon.openers[:2], *card.lexicon.emoji, "\n  龘 ok"):
            tokens = merged([letters[byte] for byte in word.encode()], ranks)
            assert all(token in vocab for token in tokens)
            assert written(tokens) == word


def test_no_token_is_half_a_character_of_a_card():
    """Each character that a card uses is whole in every token: a slip never breaks one."""
    vocab = document("tokenizer.json")["model"]["vocab"]
    letters = byte_letters()
    used = {
        character
        for card in load_styles(ROOT / "services/datagen/styles")
        for phrase in (*card.lexicon.openers, *card.lexicon.closers, *card.lexicon.emoji)
        for character in phrase
    }
    assert not [one for one in used if "".join(letters[byte] for byte in one.encode()) not in vocab]


def test_the_chat_template_is_the_one_in_the_code():
    """The shipped template is the file that the engine code keeps."""
    shipped = (STARTER / "chat_template.jinja").read_bytes()
    assert shipped == starter.TEMPLATE.read_bytes()


def test_the_chat_template_writes_chatml():
    """System, history and generation prompt come out as LLaMA-Factory's template writes them."""
    template = jinja2.Environment(autoescape=False).from_string(
        (STARTER / "chat_template.jinja").read_text(encoding="utf-8")
    )
    messages = [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "{{ 1 }}"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": " x\n"},
    ]
    expected = (
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\n{{ 1 }}<|im_end|>\n"
        "<|im_start|>assistant\n<|im_end|>\n<|im_start|>user\n x\n<|im_end|>\n"
    )
    assert template.render(messages=messages) == expected
    asked = template.render(messages=messages, add_generation_prompt=True)
    assert asked == expected + "<|im_start|>assistant\n"
    assert template.render(messages=[{"role": "system", "content": ""}]) == ""


def byte_letters() -> dict[int, str]:
    """Return the alphabet of byte-level BPE, written down independently of the engine's code."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    shifted = [byte for byte in range(256) if byte not in kept]
    return {byte: chr(byte) for byte in kept} | {
        byte: chr(256 + place) for place, byte in enumerate(shifted)
    }


def merged(tokens: list[str], ranks: dict[tuple[str, ...], int]) -> list[str]:
    """Return `tokens` after every merge, the first learned first."""
    while True:
        best = min(pairwise(tokens), key=lambda pair: ranks.get(pair, math.inf), default=None)
        if best is None or best not in ranks:
            return tokens
        place = next(at for at, pair in enumerate(pairwise(tokens)) if pair == best)
        tokens = [*tokens[:place], "".join(best), *tokens[place + 2 :]]


def written(tokens: list[str]) -> str:
    """Return the text of `tokens`."""
    bytes_of = {letter: byte for byte, letter in byte_letters().items()}
    return bytes(bytes_of[letter] for letter in "".join(tokens)).decode()
