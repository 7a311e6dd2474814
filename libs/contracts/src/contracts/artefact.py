"""Models that a run publishes, the gate that they passed, and what serving must serve."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from contracts.dataset import Conditioning, FileDigest
from contracts.lease import Lease
from contracts.model import Name, Recorded, Sha256, Versioned
from contracts.run import EngineVersions
from contracts.sample import Message
from contracts.style import StyleVersion


class GoldenPrompt(Recorded):
    """A conversation of the parity gate with what the trainer makes of it."""

    name: str
    messages: list[Message]
    token_ids: list[int]
    reply_ids: list[int] = Field(default=[], description="greedy continuation, adapter on base")


class GateCheck(Recorded):
    """One comparison of the parity gate; `detail` shows the difference where it failed."""

    name: str
    passed: bool
    detail: str = ""


class GateResult(Recorded):
    """The parity gate's verdict: passed only if every check did."""

    checks: list[GateCheck]

    @property
    def passed(self) -> bool:
        """True if there are checks and all of them passed."""
        return bool(self.checks) and all(check.passed for check in self.checks)


class BaseModelRef(Recorded):
    """The base that an adapter sits on: its name, and the digest of its weights."""

    name: str
    weights_sha256: Sha256


class ModelManifest(Versioned):
    """`models/<id>/manifest.json`; without it the model does not exist."""

    id: Name
    name: Name
    kind: Literal["adapter", "base"]
    created_at: datetime
    base: BaseModelRef
    run_id: Name
    dataset_id: Name
    styles: list[StyleVersion]
    conditioning: Conditioning
    recipe: dict[str, object]
    lora_rank: int
    eos_token: str
    enable_thinking: bool = False
    chat_template_sha256: Sha256
    files: dict[str, FileDigest]
    golden: list[GoldenPrompt]
    gate: GateResult
    engine: EngineVersions
    continues: Name | None = Field(default=None, description="model whose adapter was trained on")
    best_step: int | None = None
    metrics: dict[str, float] = Field(default={}, description="of the weights, on held-out rows")


class ServedVersion(Recorded):
    """One adapter that serving keeps loaded, as `<name>.v<version>`."""

    name: Name
    version: int = Field(ge=1)
    model_id: Name

    @property
    def served_name(self) -> str:
        """The versioned name under which requests reach exactly this adapter."""
        return f"{self.name}.v{self.version}"


class CurrentModel(Versioned):
    """`models/current.json`: what serving must serve; replaced as a whole by rename.

    A version is staged when it is listed, promoted when an alias names it.
    """

    generation: int = Field(ge=0)
    base: str = Field(description="name of the base model")
    versions: list[ServedVersion] = []
    aliases: dict[Name, int] = Field(default={}, description="name -> version that answers to it")
    previous: dict[Name, int] = Field(default={}, description="name -> version of a rollback")
    updated_at: datetime


class ServingStatus(Recorded):
    """What serving's launcher answers on `GET /status`.

    `errors` says why a served name could not be loaded; the key `engine` is vLLM itself. In state
    `lent` there is no engine: `lease` says who has the GPU.
    """

    state: Literal["waiting", "starting", "ready", "draining", "failed", "lent"]
    base: str = ""
    generation: int = 0
    loaded: list[str] = []
    aliases: dict[str, str] = Field(default={}, description="name -> served name that answers")
    errors: dict[str, str] = {}
    engine: EngineVersions = EngineVersions()
    lease: Lease | None = Field(default=None, description="who has the GPU, or waits for it")
