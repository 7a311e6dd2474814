"""The engines of the embedded stack: LLaMA-Factory and vLLM, each in its environment."""

import json
import subprocess
from pathlib import Path

from tonesmith.doctor.finding import Finding
from tonesmith.doctor.programs import Run

# Reading metadata takes a second; importing torch would take ten. The distribution differs
# between CPU and GPU, the import name does not.
PROBE = """
import importlib.metadata as m, importlib.util as u, json, sys
found = {}
for module in sys.argv[1:]:
    if u.find_spec(module) is None:
        continue
    names = m.packages_distributions().get(module, [module])
    found[module] = m.version(names[0])
print(json.dumps(found))
"""


def engine(name: str, python: Path | None, modules: tuple[str, ...], run: Run) -> Finding:
    """Say whether an engine's environment is there and has its modules."""
    remedy = (
        "install it: `make engines`; then call through make, or set TRAINER_ENGINE_PYTHON and "
        "SERVING_ENGINE_PYTHON to what `scripts/environment.sh path trainer` (serving) prints"
    )
    if python is None or not python.is_file():
        detail = f"no interpreter at {python}" if python else "its variable is not set"
        return Finding(name=name, level="error", detail=detail, remedy=remedy)
    try:
        versions: dict[str, str] = json.loads(run([str(python), "-c", PROBE, *modules]))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return Finding(name=name, level="error", detail=f"{python}: {error}"[:300], remedy=remedy)
    detail = ", ".join(f"{module} {version}" for module, version in versions.items())
    if missing := [module for module in modules if module not in versions]:
        detail = f"without {', '.join(missing)}" + (f" ({detail})" if detail else "")
        return Finding(name=name, level="error", detail=detail, remedy=remedy)
    return Finding(name=name, level="ok", detail=detail)
