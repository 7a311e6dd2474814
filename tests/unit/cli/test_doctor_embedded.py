"""All findings about the embedded stack."""

from tonesmith.config import CliSettings
from tonesmith.doctor.embedded import examine


def test_everything_is_looked_at() -> None:
    """Interpreter, engines, base, folders, room, memory, ports, browser."""
    names = [found.name for found in examine(CliSettings(), {}, run=lambda _: "{}")]
    assert names[:7] == [
        "python",
        "LLaMA-Factory",
        "vLLM",
        "base model",
        "data folder",
        "disk",
        "memory",
    ]
    assert len([name for name in names if name.startswith("port ")]) == 6
    assert names[-1] == "chromium"
