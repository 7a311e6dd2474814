"""vLLM's command line and environment follow from settings and base, and from nothing else."""

import json
from pathlib import Path

import pytest

from serving.argv import absolute, engine_env, vllm_argv
from serving.bases import Base
from serving.config import ServingSettings

BASE = Base("starter", Path("/models/starter"), 512, (), "0" * 64, "")


def option(argv: list[str], name: str) -> str:
    """Return the value of an option that must occur once."""
    assert argv.count(name) == 1
    return argv[argv.index(name) + 1]


def test_command_serves_the_base_behind_the_gate() -> None:
    """Model, template, gate, thinking, queue and shutdown are what the design asks for."""
    argv = vllm_argv(ServingSettings(max_running=8, max_waiting=4), BASE)
    assert argv[1:4] == ["-P", "-m", "serving.engine.entry"]
    assert option(argv, "--model") == "/models/starter"
    assert option(argv, "--served-model-name") == "base"
    assert option(argv, "--chat-template") == "/models/starter/chat_template.jinja"
    assert option(argv, "--middleware") == "serving.engine.gate.Gate"
    assert option(argv, "--shutdown-timeout") == "45"
    assert option(argv, "--max-lora-rank") == "64"
    assert int(option(argv, "--max-num-queued-reqs")) > 12
    assert json.loads(option(argv, "--default-chat-template-kwargs")) == {"enable_thinking": False}
    assert {"--enable-lora", "--disable-fastapi-docs"} <= set(argv)


def test_length_is_the_base_s_where_that_is_less() -> None:
    """vLLM refuses to start with more positions than the base has."""
    assert option(vllm_argv(ServingSettings(max_model_len=2048), BASE), "--max-model-len") == "512"
    assert option(vllm_argv(ServingSettings(max_model_len=128), BASE), "--max-model-len") == "128"


def test_cpu_and_gpu_differ_in_what_depends_on_the_device() -> None:
    """On a CPU eager float32 in one process, on a GPU vLLM's own choice."""
    cpu = vllm_argv(ServingSettings(device="cpu"), BASE)
    gpu = vllm_argv(ServingSettings(device="gpu"), BASE)
    assert option(cpu, "--dtype") == "float32"
    assert option(cpu, "--distributed-executor-backend") == "uni"
    assert "--enforce-eager" in cpu
    assert option(gpu, "--gpu-memory-utilization") == "0.9"
    assert "--enforce-eager" not in gpu


@pytest.mark.parametrize("switch", ["--api-key", "--trust-remote-code", "--enable-sleep-mode"])
def test_dangerous_switches_are_absent(switch: str) -> None:
    """No key on the command line, where everybody sees it, and no code of a model's own."""
    assert switch not in vllm_argv(ServingSettings(), BASE)


def test_environment_passes_little_on(tmp_path: Path) -> None:
    """No secret, no switch of vLLM's, and no module path of ours reaches the engine."""
    ours = {
        "PATH": "/bin",
        "SERVING_API_KEY_FILE": "/x",
        "TEACHER_API_KEY_FILE": "/y",
        "VLLM_SERVER_DEV_MODE": "1",
        "VLLM_ALLOW_INSECURE_SERIALIZATION": "1",
        "VLLM_API_KEY": "k",
        "PYTHONPATH": "/ours",
        "PYTHONOPTIMIZE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PROMETHEUS_MULTIPROC_DIR": "/tmp",
    }
    settings = ServingSettings(threads=3)
    env = engine_env(settings, ours, modules=tmp_path, gate_file=tmp_path / "gate.json")
    assert set(env) & set(ours) == {"PATH", "PYTHONPATH"}
    assert env["PYTHONPATH"] == str(tmp_path)
    assert env["OMP_NUM_THREADS"] == "3"
    assert env["HF_HUB_OFFLINE"] == env["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "1"
    assert env["VLLM_PLUGINS"] == ""


def test_relative_interpreter_is_made_absolute_without_following_links(tmp_path: Path) -> None:
    """A venv's python is a link; its target would be another environment."""
    link = tmp_path / "python"
    link.symlink_to("/usr/bin/env")
    assert absolute(link) == link
    assert absolute(Path("x/python")) == Path.cwd() / "x/python"
