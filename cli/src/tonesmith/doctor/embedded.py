"""Everything that the embedded stack needs, in the order of the installation."""

import sys
from collections.abc import Mapping

import psutil

from tonesmith.config import CliSettings
from tonesmith.doctor.engines import engine
from tonesmith.doctor.finding import Finding
from tonesmith.doctor.machine import (
    base_model,
    chromium,
    data_folder,
    disk,
    memory,
    port,
    python_version,
)
from tonesmith.doctor.programs import Run, run_program
from tonesmith.stack.ports import wanted


def examine(
    settings: CliSettings, environ: Mapping[str, str], run: Run = run_program
) -> list[Finding]:
    """Return what was found about this machine, in the order of the installation.

    Args:
        settings: folders and engines.
        environ: ports.
        run: runs a program and returns what it prints.
    """
    return [
        python_version(sys.version_info[:3]),
        engine("LLaMA-Factory", settings.trainer_engine_python, ("llamafactory", "torch"), run),
        engine("vLLM", settings.serving_engine_python, ("vllm", "torch"), run),
        base_model(settings.models_dir / settings.base_model),
        data_folder(settings.data_dir),
        disk(settings.data_dir),
        memory(psutil.virtual_memory().available),
        *(port(name, number) for name, number in wanted(environ).items()),
        chromium(),
    ]
