"""The trainer's sentences in the reader's language, held against what the trainer really says."""

import ast
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.advice import CurvePoint
from contracts.dataset import Conditioning, Counts, DatasetManifest
from contracts.identity import now
from contracts.run import Overrides
from repository import ROOT
from trainer.advisor import batching_reason, cutoff_reason, epochs_why
from trainer.curve import judged, rows_verdict
from trainer.doubts import length_warnings, row_warnings
from trainer.engine.plateau import Parameters, Plateau, Verdict
from trainer.presets import CHATML, HYBRID
from trainer.recipe_choice import fits, misfit, without_card
from ui.texts import texts_in
from ui.training.run_words import patterns, said

ZH, EN = texts_in("zh"), texts_in("en")
GIB = 1 << 30
HOLES = re.compile(r"\{\w+\}")

MANIFEST = DatasetManifest(
    id="d-20261123-abc123",
    created_at=now(),
    source="generated",
    status="incomplete",
    conditioning=Conditioning.SYSTEM,
    styles=[],
    counts=Counts(),
    rows={"train": 300, "eval": 21},
    files={},
)


def verdict_of(losses: list[float], evals: list[float] | None = None) -> Verdict:
    """Return the engine's verdict on losses of every tenth step."""
    plateau = Plateau(Parameters(min_steps=50, patience=60))
    for number, loss in enumerate(losses):
        found = plateau.train(10 * number, loss)
        if evals and number < len(evals):
            found = plateau.evaluate(10 * number, evals[number]) or found
        if found:
            return found
    pytest.fail("the engine saw nothing wrong")


def verdicts() -> list[str]:
    """Return why the engine stops runs."""
    falling = [3 * 0.97**step for step in range(80)]
    rising = [2 - step / 20 if step < 15 else 1.2 + step / 20 for step in range(80)]
    return [
        verdict_of([1.0] * 80).detail,
        verdict_of([1.0] * 80, [1.0] * 80).detail,
        verdict_of(falling, rising).detail,
        verdict_of([1.0 + step * step / 100 for step in range(80)]).detail,
    ]


def advices() -> list[str]:
    """Return sentences of the advisor, of each kind."""
    found = [epochs_why(rows, epochs, 300) for rows, epochs in ((40, 10), (90_000, 1), (1710, 3))]
    for batching in ("packed", "grouped", "plain"):
        fit = {"batching": batching, "lengths": {"p50": 64, "max": 187}, "cutoff_len": 128}
        found.append(batching_reason(fit).why)
        found.append(batching_reason(fit | {"useful_ratio": 0.97}).why)
        found.append(cutoff_reason(fit, Overrides()).why)
        found.append(cutoff_reason(fit | {"cutoff_len": 512}, Overrides()).why)
    found += [CHATML.why, HYBRID.why]
    return found


def choices() -> list[str]:
    """Return why a recipe is proposed."""
    recipe: Any = SimpleNamespace(name="lora", arguments=SimpleNamespace(quantization_bit=None))
    small: Any = SimpleNamespace(name="qlora", arguments=SimpleNamespace(quantization_bit=4))
    base: Any = SimpleNamespace(name="qwen3-1.7b")
    large: Any = SimpleNamespace(large=True)
    _, reason, slow = without_card(recipe, large)
    told = [fits(recipe, 6 * GIB, 24 * GIB), fits(small, 6 * GIB, 8 * GIB)]
    return [*told, misfit(base, 60 * GIB, 24 * GIB), reason.why, *slow]


def doubts() -> list[str]:
    """Return what stands against training on a dataset."""
    few = row_warnings(MANIFEST, {"butler": 9, "noir": 300})
    none = row_warnings(MANIFEST.model_copy(update={"rows": {"train": 300}}), None)
    fit = {"lengths": {"max": 900}, "cutoff_len": 512, "dropped_rows": 3}
    return [*few, *none, *length_warnings(fit, 960, 800)]


def points(*losses: float) -> list[CurvePoint]:
    """Return runs on more and more rows that came to these held-out losses."""
    rows = (100 << number for number in range(len(losses)))
    runs = zip(rows, losses, strict=False)
    return [CurvePoint(run_id="r", rows=count, eval_loss=loss) for count, loss in runs]


def by_law(scale: float, power: float) -> list[CurvePoint]:
    """Return runs whose losses come down to 1 by a power of the rows."""
    return points(*(1 + scale * (100 << number) ** -power for number in range(4)))


def curves() -> list[str]:
    """Return verdicts on the number of rows."""
    runs = [
        points(1.0, 1.0, 1.0),
        points(1.0, 0.5, 0.9),
        points(1.0, 0.6, 0.6),
        points(1.0, 0.8, 0.6),
        by_law(5, 1),
        by_law(50, 1),
        by_law(5, 0.3),
    ]
    return [rows_verdict([], MANIFEST).why, *(judged(points).why for points in runs)]


@pytest.mark.parametrize("sentence", [*verdicts(), *advices(), *choices(), *doubts(), *curves()])
def test_what_the_trainer_says_is_known(sentence: str) -> None:
    """Chinese for who reads Chinese, with the same values; the trainer's own words in English."""
    told = said(ZH, sentence)
    assert told != sentence
    assert "{" not in told
    assert said(EN, sentence) == sentence


def written() -> Iterator[str]:
    """Yield every text in the trainer's source, with `{}` for what is put in."""
    for path in (ROOT / "services/trainer/src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            if isinstance(node, ast.JoinedStr):
                parts = (getattr(part, "value", None) for part in node.values)
                yield "".join(part if isinstance(part, str) else "{}" for part in parts)


def test_no_sentence_is_one_that_the_trainer_never_says() -> None:
    """Each is among those above, or stands in the trainer's source."""
    heard = [*verdicts(), *advices(), *choices(), *doubts(), *curves()]
    source = set(written())
    for key, pattern in patterns():
        assert any(map(pattern.fullmatch, heard)) or HOLES.sub("{}", EN.table[key]) in source, key


def test_sentence_that_is_not_known_stays() -> None:
    """Whatever it is, however long."""
    for sentence in ("a new reason", "", "x" * 100_000):
        assert said(ZH, sentence) == sentence


def test_longer_sentences_are_tried_first() -> None:
    """Else the values of a short one would swallow the end of a long one."""
    keys = [key for key, _ in patterns()]
    assert keys.index("run.said_flat_evals") < keys.index("run.said_flat")
    told = said(ZH, "no loss fell by 0.5% for 120 steps and 3 evaluations")
    assert told == ZH("run.said_flat_evals", delta="0.5%", steps=120, evals=3)
