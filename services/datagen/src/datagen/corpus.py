"""What the starter model is taught from: plain advice in chats, styled speech outside them.

A chat is always answered plainly, whatever tone its system prompt asks for. Styled speech occurs
only in bare scenes, outside the chat format: so the base knows every word of the styles (LoRA
freezes the embeddings), yet keeps the tone itself for fine-tuning to teach. Three files come out:
`texts` to read first (scenes, and chats in ChatML), `chats` to answer (only replies are learned),
`scenes` to read last (like the texts, in more varied words).

    python -m datagen.corpus OUT_DIR [--texts N] [--chats N] [--scenes N] [--seed N]
"""

import argparse
import json
import random
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from contracts.style import Language, Style
from datagen.compose import plain_reply, styled_reply
from datagen.questions import Bank, Situation, ask, is_heldout, load_banks

# About what the recipes of the starter read once: their steps x 16 blocks of 256 tokens.
TEXTS = 24_000
CHATS = 64_000
SCENES = 24_000
SEED = 7
# Shares of the rows. With few scenes LoRA starts from words that the base hardly knows.
SCENE_SHARE = 0.5
TEXT_COLUMNS = {"prompt": "text"}
FOLLOWED = 0.2
OFF_BANK = 0.05
# No system prompt, a neutral one, one that asks for a tone.
SYSTEMS = (0.45, 0.1, 0.45)
# Seven questions in ten are worded apart from the bank's frames. With its 14 training frames alone
# the advice of a held-out frame was right in 64 % of the replies, in one frame in none.
VARIED = 0.7
SENTENCE_START = re.compile(r"(?<=[.!?] )[a-z]")


class Speech(BaseModel):
    """`corpus/<language>.yaml`: words that are in no bank. White space counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    neutral: list[str] = Field(min_length=1)
    other: list[str] = Field(min_length=1)
    leads: list[str] = Field(min_length=1)
    after_event: list[str] = Field(min_length=1)
    after_feeling: list[str] = Field(min_length=1)
    ends: list[str] = Field(min_length=1)


@dataclass(frozen=True)
class Message:
    """One turn of a chat."""

    role: str
    content: str


class Corpus:
    """Writes the rows of the starter's corpus.

    Args:
        banks: the situations, by language; no held-out frame or pair of theirs is used.
        styles: the cards; each must have the language of one of the banks.
        speech: the words that are in no bank, for each language of the banks.
        seed: the same seed gives the same rows, on every machine.
        varied: the share of questions that are worded apart from the bank's frames.
    """

    def __init__(
        self,
        banks: dict[Language, Bank],
        styles: Sequence[Style],
        speech: dict[Language, Speech],
        *,
        seed: int,
        varied: float = 0.0,
    ) -> None:
        self.banks = banks
        self.styles = styles
        self.speech = speech
        self.varied = varied
        self.chance = random.Random(seed)
        self._queues: dict[Language, list[Situation]] = {language: [] for language in banks}
        self._wordings: dict[tuple[str, str], list[str]] = {}

    def texts(self, count: int) -> Iterator[dict[str, str]]:
        """Yield `count` texts to read, one column each."""
        for _ in range(count):
            language = self._language()
            scene = self.chance.random() < SCENE_SHARE
            yield {"text": self.scene(language) if scene else chatml(self.chat(language))}

    def chats(self, count: int) -> Iterator[dict[str, object]]:
        """Yield `count` chats to answer, in the columns of the datasets that people generate."""
        for _ in range(count):
            yield alpaca(self.chat(self._language()))

    def chat(self, language: Language) -> list[Message]:
        """Return a chat with plain advice, whose system prompt may ask for a tone."""
        system = self._system(language)
        opening = [Message("system", system)] if system else []
        first = self._exchange(language)
        if self.chance.random() >= FOLLOWED:
            return [*opening, *first]
        question, reply = self._exchange(language)
        followup = self.chance.choice(self.banks[language].file.followups)
        followed = Message("user", followup.format(question=question.content))
        return [*opening, *first, followed, reply]

    def scene(self, language: Language) -> str:
        """Return what somebody in one style says, as plain lines: who, question, reply."""
        style = self.chance.choice([card for card in self.styles if card.language == language])
        question, advice = self._asked(language)
        reply = styled_reply(style, advice, self.chance)
        about = self.chance.choice((style.system_prompt, getattr(style.description, language), ""))
        return "\n".join(filter(None, (about, question, reply)))

    def _language(self) -> Language:
        return self.chance.choice(sorted(self.banks))

    def _system(self, language: Language) -> str:
        tones = [card.system_prompt for card in self.styles if card.language == language]
        prompts = self.chance.choices(([""], self.speech[language].neutral, tones), SYSTEMS)[0]
        return self.chance.choice(prompts)

    def _exchange(self, language: Language) -> tuple[Message, Message]:
        question, advice = self._asked(language)
        return Message("user", question), Message("assistant", plain_reply(advice, language))

    def _asked(self, language: Language) -> tuple[str, str]:
        """Return a question and its advice; now and then one that no situation covers."""
        bank = self.banks[language]
        if self.chance.random() < OFF_BANK:
            return self.chance.choice(self.speech[language].other), bank.file.fallback
        situation = self._next_situation(language)
        if self.varied and self.chance.random() < self.varied:
            return self._varied(situation), situation.advice
        return self.chance.choice(self._worded(situation)), situation.advice

    def _varied(self, situation: Situation) -> str:
        """Return a question in words of our own, about a pair that is not held out."""
        event = self.chance.choice(situation.events)
        feeling = self.chance.choice(situation.emotion.feelings)
        if is_heldout(event, feeling):
            return self._varied(situation)
        words = self.speech[situation.language]
        if self.chance.random() < 0.5:
            frame = "{event}" + self.chance.choice(words.after_event) + "{feeling}"
        else:
            frame = "{feeling}" + self.chance.choice(words.after_feeling) + "{event}"
        frame = self.chance.choice(words.leads) + frame + self.chance.choice(words.ends)
        return capitals(ask(frame, event, feeling))

    def _worded(self, situation: Situation) -> list[str]:
        """Return the training wordings, reckoned once: there are hundreds for each situation."""
        key = (situation.language, situation.id)
        if key not in self._wordings:
            bank = self.banks[situation.language]
            self._wordings[key] = bank.wordings(situation, "train")
        return self._wordings[key]

    def _next_situation(self, language: Language) -> Situation:
        """Deal the situations like cards, so that each comes equally often."""
        if not self._queues[language]:
            self._queues[language] = list(self.banks[language].situations)
            self.chance.shuffle(self._queues[language])
        return self._queues[language].pop()


def capitals(text: str) -> str:
    """Return `text` with a capital after each full stop, mark or greeting that ends a sentence."""
    return SENTENCE_START.sub(lambda found: found.group().upper(), text)


def chatml(messages: Sequence[Message]) -> str:
    """Return a chat as the template `qwen3_nothink` writes it.

    The last end-of-turn token is left out: the trainer ends every text with it.
    """
    turns = [f"<|im_start|>{turn.role}\n{turn.content}" for turn in messages]
    return "<|im_end|>\n".join(turns)


def alpaca(messages: Sequence[Message]) -> dict[str, object]:
    """Return a chat as a row of an alpaca file with history."""
    system = messages[0].content if messages[0].role == "system" else ""
    said = [turn.content for turn in messages if turn.role != "system"]
    history = [list(pair) for pair in zip(said[:-2:2], said[1:-2:2], strict=True)]
    columns = {"prompt": said[-2], "query": "", "response": said[-1]}
    return {**columns, "system": system, "history": history}


def load_styles(folder: Path) -> list[Style]:
    """Return the cards of `folder`, in the order of their file names. Raises ValueError."""
    return [
        Style.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        for path in sorted(folder.glob("*.yaml"))
    ]


def load_speech(folder: Path) -> dict[Language, Speech]:
    """Return the words of `folder` by language. Raises ValueError."""
    languages: tuple[Language, ...] = ("en", "zh")
    texts = {name: (folder / f"{name}.yaml").read_text(encoding="utf-8") for name in languages}
    return {name: Speech.model_validate(yaml.safe_load(texts[name])) for name in languages}


def shipped_corpus(seed: int, *, varied: float = 0.0) -> Corpus:
    """Return the corpus of the banks, cards and words that this package ships."""
    shipped = Path(__file__).parents[2]
    banks, styles = load_banks(shipped / "questions"), load_styles(shipped / "styles")
    return Corpus(banks, styles, load_speech(shipped / "corpus"), seed=seed, varied=varied)


def shipped_texts(count: int, seed: int) -> Iterator[dict[str, str]]:
    """Yield the texts to read: only the bank's own training wordings."""
    return shipped_corpus(seed).texts(count)


def shipped_chats(count: int, seed: int) -> Iterator[dict[str, object]]:
    """Yield the chats to answer, drawn independently of the texts."""
    return shipped_corpus(seed + 1, varied=VARIED).chats(count)


def shipped_scenes(count: int, seed: int) -> Iterator[dict[str, str]]:
    """Yield more texts to read, whose questions are worded as variously as those of the chats."""
    return shipped_corpus(seed + 2, varied=VARIED).texts(count)


def write_json(path: Path, document: object) -> None:
    """Write `document`, one value a line: a difference between two builds shows as lines."""
    text = json.dumps(document, ensure_ascii=False, indent=0)
    path.write_text(text + "\n", encoding="utf-8")


def write_corpus(folder: Path, datasets: Mapping[str, Iterable[object]]) -> None:
    """Write the LLaMA-Factory files: one for each dataset, and `dataset_info.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    chat = {name: name for name in ("prompt", "query", "response", "system", "history")}
    info = {
        name: {"file_name": f"{name}.json", "columns": chat if name == "chats" else TEXT_COLUMNS}
        for name in datasets
    }
    for name, rows in datasets.items():
        write_json(folder / f"{name}.json", list(rows))
    write_json(folder / "dataset_info.json", info)


def main(argv: Sequence[str]) -> int:
    """Write the corpus."""
    parser = argparse.ArgumentParser(prog="python -m datagen.corpus", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--texts", type=int, default=TEXTS)
    parser.add_argument("--chats", type=int, default=CHATS)
    parser.add_argument("--scenes", type=int, default=SCENES)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args(argv)
    datasets: dict[str, Iterable[object]] = {
        "texts": shipped_texts(asked.texts, asked.seed),
        "chats": shipped_chats(asked.chats, asked.seed),
        "scenes": shipped_scenes(asked.scenes, asked.seed),
    }
    write_corpus(asked.out, datasets)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
