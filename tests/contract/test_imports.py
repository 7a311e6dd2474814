"""The boundaries of ARCHITECTURE.md: who may import whom."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

from repository import ROOT, python_files

PACKAGES = {
    "contracts": "libs/contracts",
    "kit": "libs/kit",
    "client": "libs/client",
    "tonesmith": "cli",
    "datagen": "services/datagen",
    "trainer": "services/trainer",
    "serving": "services/serving",
    "ui": "services/ui",
}
# The host-side command imports a data file's rows without any service running.
CLI_MAY_IMPORT = {"datagen"}
# Distribution names whose import name differs.
IMPORT_NAMES = {
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
    "prometheus-client": "prometheus_client",
    "python-multipart": "multipart",
    "nvidia-ml-py": "pynvml",
}
# The page's tabs, and what they share.
TABS = ("styles", "data", "train", "prove", "chat", "compare", "monitor")
SHARED_BY_TABS = ("tab", "clock", "plot", "talking")
ONLY_IN = {
    "openai": ["services/datagen/src/datagen/teacher.py", "benchmarks/contenders/"],
    "pynvml": ["services/trainer/src/trainer/gpu/nvml.py"],
    "docker": ["cli/"],
    "llamafactory": ["services/trainer/src/trainer/engine/", "benchmarks/"],
    "vllm": ["services/serving/src/serving/engine/", "benchmarks/"],
    "torch": ["services/trainer/src/trainer/engine/", "benchmarks/"],
    "transformers": ["services/trainer/src/trainer/engine/", "benchmarks/"],
}


def imported(path: Path) -> set[str]:
    """Return the top-level names that the file at `path` imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def is_engine(path: Path) -> bool:
    """Return whether the file runs in an engine's environment."""
    return "engine" in path.relative_to(ROOT).parts


def declared(package: str) -> set[str]:
    """Return the import names of what the package's pyproject declares."""
    project = tomllib.loads((ROOT / PACKAGES[package] / "pyproject.toml").read_text())["project"]
    names = [re.split(r"[\[<>=!~; ]", need)[0].lower() for need in project["dependencies"]]
    ours = {f"tonesmith-{name}": name for name in PACKAGES}
    return {ours.get(name, IMPORT_NAMES.get(name, name.replace("-", "_"))) for name in names}


@pytest.mark.parametrize("package", PACKAGES)
def test_package_imports_only_what_it_declares(package: str) -> None:
    """What a package imports is in its pyproject, so its image will have it."""
    allowed = declared(package) | set(sys.stdlib_module_names) | {package}
    for path in python_files(f"{PACKAGES[package]}/src"):
        if not is_engine(path):
            assert imported(path) <= allowed, f"{path.relative_to(ROOT)}"


def test_no_service_imports_another() -> None:
    """Services meet over HTTP and on the volume, never in Python."""
    services = {"datagen", "trainer", "serving", "ui"}
    for package, folder in PACKAGES.items():
        others = services - {package} - (CLI_MAY_IMPORT if package == "tonesmith" else set())
        for path in python_files(f"{folder}/src"):
            assert not imported(path) & others, f"{path.relative_to(ROOT)}"


def test_engine_code_imports_nothing_of_ours_but_the_engine() -> None:
    """It runs in an environment that has neither our libraries nor their requirements."""
    for service in ("trainer", "serving"):
        for path in python_files(f"services/{service}/src/{service}/engine"):
            foreign = imported(path) & set(PACKAGES) - {service}
            assert not foreign, f"{path.relative_to(ROOT)}"


@pytest.mark.parametrize("library", ONLY_IN)
def test_library_is_imported_in_its_one_place(library: str) -> None:
    """Each heavy or dangerous library has one door."""
    users = [
        path.relative_to(ROOT).as_posix()
        for path in python_files("libs", "cli", "services", "benchmarks")
        if library in imported(path)
    ]
    assert all(user.startswith(tuple(ONLY_IN[library])) for user in users), users


def test_contracts_need_only_pydantic() -> None:
    """The contracts stay light enough for every environment."""
    assert declared("contracts") == {"pydantic"}


def test_page_is_built_in_layers() -> None:
    """Tabs use the packages below them; no package knows of a tab, and no tab of another."""
    page = ROOT / "services/ui/src/ui"
    below = [path.name for path in page.iterdir() if (path / "__init__.py").exists()]
    for path in python_files("services/ui/src/ui"):
        first, *rest = path.relative_to(page).with_suffix("").parts
        tabs = {name.split(".")[2] for name in modules(path) if name.startswith("ui.tabs.")}
        if first in set(below) - {"tabs"}:
            assert not tabs, path
        if first == "tabs" and rest[0] in TABS:
            assert tabs <= {rest[0], *SHARED_BY_TABS}, path


def modules(path: Path) -> set[str]:
    """Return the full names of the modules that the file at `path` imports from."""
    found = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.module for node in found if isinstance(node, ast.ImportFrom) and node.module}
