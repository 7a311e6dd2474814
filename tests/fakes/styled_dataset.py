"""Small datasets, models and reports that the evaluation tests share."""

import json
import random
from pathlib import Path

import yaml

from contracts.dataset import Conditioning, Counts, DatasetManifest, FileDigest
from contracts.identity import now
from contracts.sample import Sample, Turn
from contracts.style import Style, StyleVersion
from contracts.volume import Volume
from datagen.compose import plain_reply, styled_reply
from datagen.questions import Bank, load_banks
from fakes.openai_server import Messages, Model

SHIPPED = Path(__file__).parents[2] / "services/datagen"
BANKS = load_banks(SHIPPED / "questions")
STYLE_IDS = ("tsundere", "gentle", "dry-butler", "pep-coach")
STYLES = {
    name: Style.model_validate(
        yaml.safe_load((SHIPPED / f"styles/{name}.yaml").read_text(encoding="utf-8"))
    )
    for name in STYLE_IDS
}
DATASET = "styled-20260101-00000a"
NO_FILES: dict[str, FileDigest] = {}


def sample(style: Style, number: int, chance: random.Random, *, bank: Bank | None = None) -> Sample:
    """Return a generated row of `style`."""
    bank = bank or BANKS[style.language]
    situation = chance.choice(bank.situations)
    return Sample(
        id=f"{style.id}-{number}",
        slot=f"{style.id}/{number:05d}",
        style=style.id,
        style_version=1,
        language=style.language,
        question=bank.draw(situation, "train", chance).text,
        reply=styled_reply(style, situation.advice, chance),
        system=style.system_prompt,
        situation=situation.id,
    )


def samples(per_style: int = 30, seed: int = 1) -> list[Sample]:
    """Return generated rows of the four styles."""
    chance = random.Random(seed)
    return [sample(style, n, chance) for style in STYLES.values() for n in range(per_style)]


def publish_dataset(
    volume: Volume,
    rows: list[Sample],
    *,
    eval_rows: int = 4,
    conditioning: Conditioning = Conditioning.SYSTEM,
) -> None:
    """Publish `rows` as a dataset; every `eval_rows`-th question is its evaluation split."""
    target = volume.dataset(DATASET)
    folder = volume.staging(target)
    lines = "".join(f"{row.model_dump_json()}\n" for row in rows)
    (folder / "samples.jsonl").write_text(lines, encoding="utf-8")
    held = sorted({row.question for row in rows})[::eval_rows] if eval_rows else []
    evaluation = [{"instruction": question, "input": "", "output": ""} for question in held]
    (folder / "eval.json").write_text(json.dumps(evaluation), encoding="utf-8")
    manifest = DatasetManifest(
        id=DATASET,
        created_at=now(),
        source="generated",
        status="complete",
        conditioning=conditioning,
        styles=[StyleVersion(version=1, style=style) for style in STYLES.values()],
        counts=Counts(),
        rows={"train": len(rows) - len(held), "eval": len(held)},
        files=NO_FILES,
    )
    volume.publish(target, manifest)


def imported(rows: list[Sample]) -> list[Sample]:
    """Return `rows` as an import has them: no situation, and an earlier exchange."""
    before = [Turn(user="Hello.", assistant="Good day.")]
    return [row.model_copy(update={"situation": None, "history": before}) for row in rows]


def plain_model(messages: Messages) -> str:
    """Answer as a base model does: the right advice, in no style."""
    text = messages[-1]["content"]
    for language, bank in BANKS.items():
        if situation := bank.recognise(text):
            return plain_reply(situation.advice, language)
    return "…"


def styled_model(shown: dict[str, str] | None = None) -> Model:
    """Return a model that answers in the style of its system prompt, or in `shown` of it."""
    by_prompt = {style.system_prompt: style for style in STYLES.values()}

    def reply(messages: Messages) -> str:
        asked = by_prompt.get(messages[0]["content"])
        if asked is None:  # no style prompt: an item of the probe
            return plain_model(messages)
        style = STYLES[(shown or {}).get(asked.id, asked.id)]
        situation = BANKS[asked.language].recognise(messages[-1]["content"])
        advice = situation.advice if situation else "…"
        return styled_reply(style, advice, random.Random(messages[-1]["content"]))

    return reply


def led_model(messages: Messages) -> str:
    """Answer as the starter does: plainly in a chat, in the style of a script every other time."""
    script = messages[0]["content"]
    if messages[0]["role"] != "text" or len(script) % 2:
        return plain_model([{"role": "user", "content": script.rstrip().splitlines()[-1]}])
    style = next(one for one in STYLES.values() if getattr(one.description, one.language) in script)
    situation = BANKS[style.language].recognise(script)
    return styled_reply(style, situation.advice if situation else "…", random.Random(script))


def echoing_model(messages: Messages) -> str:
    """Answer with the question itself."""
    return messages[-1]["content"]
