"""Train the tokenizer of the starter model: byte-level BPE that never cuts a character in two.

So a wrong guess of the model is a wrong word and not a broken character.
"""

import json
from collections import Counter

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
THINKING = ("<think>", "</think>")
# One newline is always one token: so a chat tokenized turn by turn, as the trainer does, equals
# the same chat tokenized in one piece, as the server does. Han runs, punctuation, words, digits.
PIECES = (
    r"[\r\n]| ?\p{Han}+| ?[^\s\p{L}\p{N}]+| ?[^\s\p{Han}\P{L}]+|\p{N}|[^\S\r\n]+(?!\S)|[^\S\r\n]+"
)
# A longer run would be one clause of the bank: known by heart, unknown when worded otherwise.
LONGEST_HAN = 4
LONGEST = 16


def train_tokenizer(texts: list[str], size: int) -> Tokenizer:
    """Return a byte-level BPE of `size` tokens: bytes, whole characters, then merges of `texts`."""
    vocab, merges = byte_characters(texts)
    for pair in character_merges(texts, size):
        merged = "".join(pair)
        parts = (byte_text(pair[0]), byte_text(pair[1]))
        if len(vocab) + len(SPECIAL) + len(THINKING) >= size:
            break
        if keeps(merged) and all(part in vocab for part in parts):
            merges.append(parts)
            vocab.setdefault(byte_text(merged), len(vocab))
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    split = pre_tokenizers.Split(Regex(PIECES), "isolated")
    encode = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, encode])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in SPECIAL])
    tokenizer.add_tokens([AddedToken(name, normalized=False, special=False) for name in THINKING])
    return tokenizer


def byte_characters(texts: list[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return all bytes and the characters of `texts` as vocabulary, and how bytes become them."""
    vocab = {byte: number for number, byte in enumerate(sorted(byte_letters().values()))}
    merges = []
    counts = Counter("".join(texts))
    for character in sorted(counts, key=lambda found: (-counts[found], found)):
        letters = byte_text(character)
        for end in range(2, len(letters) + 1):
            if letters[:end] not in vocab:
                vocab[letters[:end]] = len(vocab)
                merges.append((letters[: end - 1], letters[end - 1]))
    return vocab, merges


def character_merges(texts: list[str], size: int) -> list[tuple[str, str]]:
    """Return the merges of a BPE over characters, most frequent first."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PIECES), "isolated")
    trainer = trainers.BpeTrainer(vocab_size=2 * size, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    pairs = json.loads(tokenizer.to_str())["model"]["merges"]
    return [(first, second) for first, second in pairs]


def keeps(piece: str) -> bool:
    """Return whether `piece` is short enough to be a token."""
    longest = LONGEST_HAN if any("\u4e00" <= letter <= "\u9fff" for letter in piece) else LONGEST
    return len(piece) <= longest


def byte_text(text: str) -> str:
    """Return `text` in the alphabet of byte-level BPE: one letter for each byte of UTF-8."""
    letters = byte_letters()
    return "".join(letters[byte] for byte in text.encode())


def byte_letters() -> dict[int, str]:
    """Return the letter of each byte: itself where it is printable, else one from U+0100 on."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    shifted = {byte: chr(0x100 + place) for place, byte in enumerate(others)}
    return {byte: chr(byte) for byte in printable} | shifted
