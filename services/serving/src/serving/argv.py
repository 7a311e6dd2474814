"""vLLM's command line and environment: pure functions of the settings and the base."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from serving.bases import TEMPLATE, Base
from serving.config import ServingSettings
from serving.engine.limits import GATE_FILE

SERVED_BASE = "base"
MIDDLEWARE = "serving.engine.gate.Gate"
ENTRY = "serving.engine.entry"
# vLLM's own limit is the backstop behind the gate's: a little higher, since the launcher's
# requests pass the gate uncounted.
LAUNCHER_REQUESTS = 8
CPU_BATCHED_TOKENS = 1024  # the first step of a batch stays below a second on two cores
QUIET_ROUTES = "/health,/metrics,/internal/inflight,/internal/aliases"
# What the engine may see of our environment. Nothing else: no secret, no switch of vLLM's that
# opens a route (dev mode, pickled messages), no folder of ours on its module path.
PASSED_ON = frozenset(
    [
        *("HOME", "PATH", "LANG", "LC_ALL", "TZ", "TMPDIR"),
        *("LD_LIBRARY_PATH", "LD_PRELOAD", "OMP_NUM_THREADS", "CUDA_HOME"),
        *("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"),
        *(
            "HF_HOME",
            "VLLM_CACHE_ROOT",
            "VLLM_CONFIG_ROOT",
            "TRITON_CACHE_DIR",
            "TORCHINDUCTOR_CACHE_DIR",
        ),
        *("XDG_CACHE_HOME", "XDG_CONFIG_HOME"),
    ]
)


def vllm_argv(settings: ServingSettings, base: Base) -> list[str]:
    """Return the command that starts vLLM on `base`.

    Adapters are not on it: they are loaded into the running engine, at a restart too, so that
    each passes the same checks and a broken one cannot keep the engine from starting.
    """
    return [
        *(str(absolute(settings.engine_python)), "-P", "-m", ENTRY),
        *model_options(settings, base),
        *server_options(settings),
        *device_options(settings),
    ]


def model_options(settings: ServingSettings, base: Base) -> list[str]:
    """Return what vLLM serves: the base, its chat template, room for adapters, the limits."""
    length = model_length(settings, base)
    reply_cap = json.dumps({"max_new_tokens": min(settings.max_tokens, length)})
    options = {
        "--model": str(base.path),
        "--served-model-name": SERVED_BASE,
        "--chat-template": str(base.path / TEMPLATE),
        "--default-chat-template-kwargs": '{"enable_thinking": false}',
        "--override-generation-config": reply_cap,
        "--max-model-len": str(length),
        "--max-num-seqs": str(settings.max_running),
        "--max-lora-rank": str(settings.max_lora_rank),
        "--max-loras": str(settings.max_loras),
        "--max-cpu-loras": str(max(settings.max_adapters, settings.max_loras)),
    }
    return ["--enable-lora", *(word for option in options.items() for word in option)]


def server_options(settings: ServingSettings) -> list[str]:
    """Return where vLLM listens, through which gate, and how it stops."""
    options = {
        "--host": settings.host,
        "--port": str(settings.port),
        "--middleware": MIDDLEWARE,
        "--max-num-queued-reqs": str(max_inflight(settings) + LAUNCHER_REQUESTS),
        "--shutdown-timeout": str(settings.shutdown_seconds),
        "--disable-access-log-for-endpoints": QUIET_ROUTES,
    }
    return ["--disable-fastapi-docs", *(word for option in options.items() for word in option)]


def device_options(settings: ServingSettings) -> list[str]:
    """Return what depends on the device.

    On a CPU the worker lives in the engine's process: one interpreter less, 10 s and 1 GiB less.
    """
    if settings.device == "gpu":
        return ["--dtype", "auto", "--gpu-memory-utilization", str(settings.gpu_memory_ratio)]
    return [
        "--enforce-eager",
        "--no-enable-prefix-caching",
        *("--dtype", "float32"),
        *("--max-num-batched-tokens", str(CPU_BATCHED_TOKENS)),
        *("--kv-cache-memory-bytes", str(settings.kv_cache_mebibytes << 20)),
        *("--distributed-executor-backend", "uni"),
    ]


def engine_env(
    settings: ServingSettings, environ: Mapping[str, str], *, modules: Path, gate_file: Path
) -> dict[str, str]:
    """Return the engine's environment.

    Args:
        settings: of the service.
        environ: ours, of which little passes.
        modules: a folder with nothing but `serving` in it, for the engine's module path.
        gate_file: holds the gate's secrets and limits.
    """
    env = {name: value for name, value in environ.items() if name in PASSED_ON}
    env |= {
        "PYTHONPATH": str(absolute(modules)),
        GATE_FILE: str(absolute(gate_file)),
        "HF_HUB_OFFLINE": "1",
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_MAX_N_SEQUENCES": "1",
        "VLLM_PLUGINS": "",
    }
    if settings.device == "cpu":
        env |= {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "OMP_WAIT_POLICY": "PASSIVE"}
        env["OMP_NUM_THREADS"] = str(settings.threads or default_threads(os.cpu_count() or 1))
    return env


def default_threads(cores: int) -> int:
    """Return the engine's threads on a machine with `cores`: all but one.

    The API server needs the last one, and every step of a batch waits for its slowest thread: one
    that shares a core with other work stalls them all.
    """
    return max(1, cores - 1)


def max_inflight(settings: ServingSettings) -> int:
    """Return how many requests may run or wait at the same time."""
    return settings.max_running + settings.max_waiting


def model_length(settings: ServingSettings, base: Base) -> int:
    """Return the tokens of prompt and reply together: the setting, or less if the base has less."""
    return min(settings.max_model_len, base.max_positions or settings.max_model_len)


def absolute(path: Path) -> Path:
    """Return the absolute path without following links: a venv's python is one."""
    return Path.cwd() / path
