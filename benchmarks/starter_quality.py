"""How well the starter model answers held-out questions, as a base and under an adapter.

Runs in the LLaMA-Factory environment (transformers, peft), greedy, on CPU:

    PYTHONPATH=libs/contracts/src:services/datagen/src \
        ENGINE_PYTHON benchmarks/starter_quality.py BASE [--adapter FOLDER] [--out FILE]

Prints one line of JSON per group: `base` asked without and with a style prompt, and each style.
`situation` is the share of replies that carry both halves of the advice, `style` the share that
opens and closes as the asked style does, `faults` counts broken, empty, echoing or looping texts.
"""

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from contracts.style import Style
from datagen.compose import styled_reply
from datagen.corpus import load_styles
from datagen.questions import Bank, Question, load_banks

DATAGEN = Path(__file__).parents[1] / "services/datagen"
FOLLOWED = 0.2
LOOP = 8  # a gram of so many characters (zh) or words (en) that comes twice is a loop


@dataclass(frozen=True)
class Asked:
    """One prompt, what it is about, and the style that it asks for."""

    messages: list[dict[str, str]]
    question: Question
    style: Style


def ask_all(styles: list[Style], replies: int, seed: int, *, styled: bool) -> list[Asked]:
    """Return `replies` held-out prompts for each style, a fifth of them after another exchange."""
    banks = load_banks(DATAGEN / "questions")
    chance = random.Random(seed)
    return [
        ask(banks[style.language], style, chance, styled=styled)
        for style in styles
        for _ in range(replies)
    ]


def ask(bank: Bank, style: Style, chance: random.Random, *, styled: bool) -> Asked:
    """Return one held-out prompt."""
    question = draw(bank, chance)
    messages = [{"role": "system", "content": style.system_prompt}] if styled else []
    text = question.text
    if chance.random() < FOLLOWED:
        before = draw(bank, chance)
        reply = styled_reply(style, before.situation.advice, chance)
        messages += [turn("user", before.text), turn("assistant", reply)]
        text = chance.choice(bank.file.followups).format(question=text)
    return Asked([*messages, turn("user", text)], question, style)


def draw(bank: Bank, chance: random.Random) -> Question:
    """Return a held-out question about a situation that has one."""
    able = [found for found in bank.situations if bank.wordings(found, "heldout")]
    return bank.draw(chance.choice(able), "heldout", chance)


def turn(role: str, content: str) -> dict[str, str]:
    """Return a chat message."""
    return {"role": role, "content": content}


def answers(model: Any, tokenizer: Any, asked: list[Asked], batch: int = 32) -> list[str]:
    """Return the model's greedy replies."""
    tokenizer.padding_side = "left"
    replies: list[str] = []
    for start in range(0, len(asked), batch):
        texts = [
            tokenizer.apply_chat_template(one.messages, tokenize=False, add_generation_prompt=True)
            for one in asked[start : start + batch]
        ]
        inputs = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
        inputs.pop("token_type_ids", None)
        with torch.inference_mode():
            output = model.generate(**inputs, max_new_tokens=120, do_sample=False)
        fresh = output[:, inputs["input_ids"].shape[1] :]
        replies += tokenizer.batch_decode(fresh, skip_special_tokens=True)
    return replies


def wears(style: Style, reply: str) -> bool:
    """Return whether `reply` opens with an opener of `style` and has one of its closers."""
    words = style.lexicon
    return reply.startswith(tuple(words.openers)) and any(word in reply for word in words.closers)


def faults(question: Question, reply: str) -> list[str]:
    """Return what is wrong with the form of `reply`."""
    units = list(reply) if question.situation.language == "zh" else reply.split()
    grams = Counter(tuple(units[at : at + LOOP]) for at in range(len(units) - LOOP + 1))
    found = {
        "broken": "\ufffd" in reply,
        "empty": not reply.strip(),
        "echo": question.text in reply,
        "loop": any(count > 1 for count in grams.values()),
    }
    return [name for name, wrong in found.items() if wrong]


def score(asked: Iterable[Asked], replies: Iterable[str]) -> dict[str, object]:
    """Return the shares and the faults of one group of replies."""
    pairs = list(zip(asked, replies, strict=True))
    wrong = Counter(name for one, text in pairs for name in faults(one.question, text))
    on_topic = sum(one.question.situation.is_answered_by(text) for one, text in pairs)
    styled = sum(wears(one.style, text) for one, text in pairs)
    return {
        "replies": len(pairs),
        "situation": round(on_topic / len(pairs), 3),
        "style": round(styled / len(pairs), 3),
        "faults": dict(wrong),
    }


def report(name: str, asked: list[Asked], replies: list[str], out: list[dict[str, object]]) -> None:
    """Print the score of one group and keep its replies."""
    sys.stdout.write(json.dumps({"group": name} | score(asked, replies)) + "\n")
    sys.stdout.flush()
    out += [
        {
            "group": name,
            "style": one.style.id,
            "messages": one.messages,
            "reply": text,
            "advice": one.question.situation.advice,
            "on_topic": one.question.situation.is_answered_by(text),
        }
        for one, text in zip(asked, replies, strict=True)
    ]


def main() -> None:
    """Score a base model, or a base model with an adapter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base")
    parser.add_argument("--adapter")
    parser.add_argument("--replies", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    styles = load_styles(DATAGEN / "styles")
    tokenizer = AutoTokenizer.from_pretrained(options.base)
    model = AutoModelForCausalLM.from_pretrained(options.base, dtype=torch.float32).eval()
    kept: list[dict[str, object]] = []
    asked = ask_all(styles, options.replies, options.seed, styled=True)
    if options.adapter:
        model = PeftModel.from_pretrained(model, options.adapter).eval()
        replies = answers(model, tokenizer, asked)
        for style in styles:
            mine = [at for at, one in enumerate(asked) if one.style.id == style.id]
            report(style.id, [asked[at] for at in mine], [replies[at] for at in mine], kept)
        report("tuned", asked, replies, [])
    else:
        plain = ask_all(styles, options.replies, options.seed, styled=False)
        report("base", plain, answers(model, tokenizer, plain), kept)
        report("base+prompt", asked, answers(model, tokenizer, asked), kept)
    if options.out:
        options.out.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
