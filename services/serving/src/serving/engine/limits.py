"""What the launcher tells the gate: its secrets and limits, in a file that only both can read."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

GATE_FILE = "TONESMITH_GATE_FILE"  # the environment variable that names the file


@dataclass(frozen=True)
class Limits:
    """The gate's secrets and limits.

    Args:
        token: proves that a request comes from the launcher; new at every start.
        base: served name of the base model.
        api_key: what clients must send as bearer token; empty asks for none.
        max_inflight: requests that run or wait in vLLM at the same time; more get 429.
        max_tokens: the most tokens that one reply may have.
        max_body_bytes: larger bodies are refused with 413.
        max_model_len: tokens of prompt and reply together, as `/v1/models` shows it.
        control_tokens: strings that only the chat template may write.
    """

    token: str
    base: str = "base"
    api_key: str = ""
    max_inflight: int = 64
    max_tokens: int = 1024
    max_body_bytes: int = 1 << 18
    max_model_len: int = 0
    control_tokens: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file that `write` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, path: Path) -> None:
        """Write the file so that only its owner can read it."""
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(vars(self), file)
