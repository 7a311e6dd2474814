"""What the stand-in of the trainer remembers of the Train tab, and what it answers at first."""

from dataclasses import dataclass, field

from contracts.advice import Advice, Reason, RowsVerdict
from contracts.artefact import BaseModelRef, CurrentModel, GateCheck, GateResult, ModelManifest
from contracts.export import ExportManifest
from contracts.job import Job
from contracts.run import Fit, Overrides
from contracts.style import StyleVersion

SHA = "0" * 64
GIB = 1 << 30
BASES = [BaseModelRef(name=name, weights_sha256=SHA) for name in ("qwen3-1.7b", "starter")]
OUTPUT = (
    "[INFO] loading model weights\n[INFO] 1710 rows, packed into 214\n"
    "  0%|   | 0/90\r 11%|#  | 10/90"
)
ADVICE = Advice(
    recipe="lora",
    overrides=Overrides(num_train_epochs=3, cutoff_len=512),
    reasons=[
        Reason(
            choice="recipe",
            value="lora",
            why="The base fits the card in 16 bits: a step takes 6.2 GiB at least, of 24.0 GiB; "
            "an adapter on it needs no more.",
        ),
        Reason(
            choice="num_train_epochs",
            value="3",
            why="About 320 updates teach a style, 321 with 1710 rows; the run ends before that "
            "where its loss goes flat or rises.",
        ),
        Reason(
            choice="cutoff_len",
            value="512",
            why="The longest row has 187 tokens: none is cut, and a pack of this size holds many "
            "rows.",
        ),
        Reason(
            choice="batching",
            value="packed",
            why="Half of the rows have 64 tokens or fewer, the longest 187: whole rows share a "
            "pack, and none sees another. 97% of the tokens are no padding.",
        ),
        Reason(choice="batch", value="6 x 2", why="About 16 rows an update."),
    ],
    rows=RowsVerdict(
        verdict="unknown",
        why="it takes runs on 25, 50 and 100 % of the rows that differ in nothing else "
        "(`tonesmith advise --curve`); there are runs on these many rows: none",
    ),
    warnings=["21 held-out rows are too few to tell a flat loss from chance"],
    fit=Fit(
        batching="packed",
        cutoff_len=512,
        micro_batch=6,
        accumulation=2,
        card_bytes=24 * GIB,
        predicted_bytes=int(22.1 * GIB),
    ),
)


@dataclass
class TrainState:
    """What the trainer has and was told.

    Args:
        keys: the runs by the key of idempotency that they were asked for with.
        advice: what the advisor says.
        output: what the engine of any run wrote.
        models: beside the one that is live.
        current: what serving must serve; None: as `Stack.promoted` says.
        promotions, exports: jobs, the newest first.
        exported: finished exports.
        refuse_promotion: what the parity gate says against every model.
    """

    keys: dict[str, str] = field(default_factory=dict)
    advice: Advice = ADVICE
    output: str = OUTPUT
    models: list[ModelManifest] = field(default_factory=list)
    current: CurrentModel | None = None
    promotions: list[Job] = field(default_factory=list)
    exports: list[Job] = field(default_factory=list)
    exported: list[ExportManifest] = field(default_factory=list)
    refuse_promotion: str = ""


def other_model(live: ModelManifest, styles: list[StyleVersion]) -> ModelManifest:
    """Return a model that nobody serves yet; one of its checks failed."""
    checks = [GateCheck(name="system prompt", passed=True), GateCheck(name="eos", passed=True)]
    return live.model_copy(
        update={
            "id": "tonesmith-20261122-3f9a1c",
            "run_id": "tonesmith-20261122-3f9a1c",
            "dataset_id": "styled-20261122-77ab01",
            "styles": styles,
            "metrics": {"eval_loss": 0.2507, "bleu-4": 41.7},
            "best_step": 380,
            "gate": GateResult(checks=checks),
        }
    )
