"""The model that the stand-in of the trainer has live, and what it wants served."""

from contracts.artefact import BaseModelRef, CurrentModel, GateResult, ModelManifest, ServedVersion
from contracts.dataset import Conditioning
from contracts.identity import now
from contracts.run import EngineVersions
from contracts.style import StyleVersion

SHA = "0" * 64
MODEL_ID = "tonesmith-20250101-abc123"


def manifest(styles: list[StyleVersion], conditioning: Conditioning) -> ModelManifest:
    """Return the manifest of the live model."""
    return ModelManifest(
        id=MODEL_ID,
        name="tonesmith",
        kind="adapter",
        created_at=now(),
        base=BaseModelRef(name="starter", weights_sha256=SHA),
        run_id="run-20250101-abc123",
        dataset_id="styled-20250101-abc123",
        styles=styles,
        conditioning=conditioning,
        recipe={},
        lora_rank=16,
        eos_token="<|im_end|>",
        chat_template_sha256=SHA,
        files={},
        golden=[],
        gate=GateResult(checks=[]),
        engine=EngineVersions(),
    )


def current(*, promoted: bool) -> CurrentModel:
    """Return what the trainer wants served."""
    live = ServedVersion(name="tonesmith", version=1, model_id=MODEL_ID)
    return CurrentModel(
        generation=1 if promoted else 0,
        base="starter",
        versions=[live] if promoted else [],
        aliases={"tonesmith": 1} if promoted else {},
        updated_at=now(),
    )
