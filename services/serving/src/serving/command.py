"""What the engine gets at its start: the gate's secrets and limits, its modules, its command."""

from collections.abc import Mapping
from pathlib import Path

from kit.config import read_secret
from serving.argv import engine_env, max_inflight, model_length, vllm_argv
from serving.bases import Base
from serving.config import ServingSettings
from serving.engine.limits import Limits

PACKAGE = Path(__file__).parent


def gate_file(settings: ServingSettings) -> Path:
    """Return where the gate's secrets and limits lie while an engine runs."""
    return settings.state_dir / "gate.json"


def write_command(
    settings: ServingSettings, base: Base, token: str, environ: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Write what the engine reads at its start; return its command line and environment.

    Args:
        settings: of the service.
        base: what it serves.
        token: the launcher's, with which the gate knows it.
        environ: ours, of which little passes.
    """
    modules = settings.state_dir / "modules"
    modules.mkdir(parents=True, exist_ok=True)
    link = modules / "serving"
    link.unlink(missing_ok=True)
    link.symlink_to(PACKAGE)
    limits = Limits(
        token=token,
        api_key=read_secret(settings.api_key_file) or "",
        max_inflight=max_inflight(settings),
        max_tokens=settings.max_tokens,
        max_model_len=model_length(settings, base),
        control_tokens=list(base.control_tokens),
    )
    path = gate_file(settings)
    limits.write(path)
    return vllm_argv(settings, base), engine_env(settings, environ, modules=modules, gate_file=path)
