"""Write monitoring/vllm-metrics.txt: the metrics of the installed vLLM, read from its source.

python scripts/vllm_metrics.py [--check] [--site-packages FOLDER]

Nothing of vLLM is imported: its modules are parsed, and every call that constructs a Prometheus
metric is read. Names may be literals, constants, or values of a local variable; labels may be
literals, sums of lists, or a parameter, which stands for vLLM's own two. Where labels are known
only at run time the list says `*`. Metrics that are built from tables at run time (those of the
key-value connectors) are not found: nothing of ours reads them.
"""

import argparse
import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "monitoring" / "vllm-metrics.txt"
KINDS = {"counter": "counter", "gauge": "gauge", "histogram": "histogram", "summary": "summary"}
# What `labelnames` holds where a function receives it: see loggers.py, PrometheusStatLogger.
PARAMETER = ("model_name", "engine")
UNKNOWN = ("*",)
HTTP = "prometheus_fastapi_instrumentator/metrics.py"
HTTP_LABELS = {
    "total_label_names": ("method", "status", "handler"),
    "in_size_names": ("handler",),
    "out_size_names": ("handler",),
    "latency_lower_names": ("method", "handler"),
}


@dataclass(frozen=True, order=True)
class Metric:
    """One metric as it is exposed.

    Args:
        name: with `_total` for counters; a histogram's without suffix.
        kind: counter, gauge, histogram or summary.
        labels: without `le`; `*` where they are known at run time only.
    """

    name: str
    kind: str
    labels: tuple[str, ...]

    def line(self) -> str:
        """Return the line of the list."""
        return " ".join((self.name, self.kind, *self.labels))


def site_packages() -> Path:
    """Return the folder of the serving engine's packages.

    Raises:
        FileNotFoundError: the environment is not made: `make engines`.
    """
    command = ["bash", str(ROOT / "scripts" / "environment.sh"), "path", "serving"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    found = sorted(Path(answer).parent.parent.glob("lib/python*/site-packages"))
    if not found:
        raise FileNotFoundError(f"no engine environment at {answer}: make engines")
    return found[0]


def version(packages: Path) -> str:
    """Return vLLM's version from its metadata; the CPU build has a name of its own."""
    info = next(path for path in packages.glob("vllm*.dist-info") if (path / "METADATA").exists())
    return info.name.removesuffix(".dist-info").split("-")[1]


def sources(packages: Path) -> Iterator[Path]:
    """Yield the modules that construct metrics."""
    for path in sorted((packages / "vllm").rglob("*.py")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if '"vllm:' in text and ("_cls(" in text or "prometheus_client" in text):
            yield path
    yield packages / HTTP


def metrics(packages: Path) -> list[Metric]:
    """Return every metric that the modules construct by a call, sorted by name."""
    found = {metric for path in sources(packages) for metric in constructed(path)}
    return sorted(found)


def constructed(path: Path) -> Iterator[Metric]:
    """Yield the metrics of one module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = assigned(tree)
    for node in ast.walk(tree):
        kind = metric_kind(node)
        if not kind or not isinstance(node, ast.Call):
            continue
        given = {word.arg: word.value for word in node.keywords}
        title = given.get("name") or (node.args[0] if node.args else None)
        listed = given.get("labelnames") or (node.args[2] if len(node.args) > 2 else None)
        labels = label_names(listed, names)
        for name in texts(title, names):
            if name.startswith(("vllm:", "http_")):
                yield Metric(exposed(name, kind), kind, labels)


def metric_kind(node: ast.AST) -> str | None:
    """Return which kind of metric a call like `self._gauge_cls(...)` constructs, or None."""
    if not isinstance(node, ast.Call):
        return None
    called = (
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    )
    return KINDS.get(re.sub(r"^_|_cls$", "", called).lower())


def assigned(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """Return every value that is assigned to each name or attribute of a module."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=False))
                for left, right in pairs:
                    found.setdefault(ast.unparse(left), []).append(right)
        elif isinstance(node, ast.comprehension) and isinstance(node.target, ast.Tuple):
            for place, left in enumerate(node.target.elts):
                found.setdefault(ast.unparse(left), []).extend(column(tree, node.iter, place))
    return found


def column(tree: ast.Module, table: ast.expr, place: int) -> Iterator[ast.expr]:
    """Yield the values at `place` in the rows of a literal table that is looped over by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == ast.unparse(table):
            for row in getattr(node.value, "elts", []):
                yield row.elts[place]


def texts(node: ast.expr | None, names: dict[str, list[ast.expr]]) -> Iterator[str]:
    """Yield the texts that an expression can be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Name | ast.Attribute):
        for value in names.get(ast.unparse(node), []):
            if isinstance(value, ast.Constant):
                yield from texts(value, names)


def label_names(node: ast.expr | None, names: dict[str, list[ast.expr]]) -> tuple[str, ...]:
    """Return the labels that an expression names; `*` where only running it would tell."""
    if node is None:
        return ()
    if isinstance(node, ast.List | ast.Tuple):
        return tuple(text for each in node.elts for text in texts(each, names))
    if isinstance(node, ast.BinOp):
        left, right = label_names(node.left, names), label_names(node.right, names)
        return left if right == UNKNOWN else left + right
    if isinstance(node, ast.Name):
        if node.id in HTTP_LABELS:
            return HTTP_LABELS[node.id]
        values = [value for value in names.get(node.id, []) if not refers(value, node.id)]
        found = {label_names(value, names) for value in values}
        return found.pop() if len(found) == 1 else parameter(node.id)
    return UNKNOWN


def refers(value: ast.expr, name: str) -> bool:
    """Return whether an expression names itself, as in `labels = labels + [...]`."""
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(value))


def parameter(name: str) -> tuple[str, ...]:
    """Return the labels of a parameter: vLLM hands its own two on under this name."""
    return PARAMETER if name == "labelnames" else UNKNOWN


def exposed(name: str, kind: str) -> str:
    """Return the name as Prometheus sees it: the client adds `_total` to counters."""
    return f"{name.removesuffix('_total')}_total" if kind == "counter" else name


def text(packages: Path) -> str:
    """Return the list as it is committed."""
    header = [
        f"# vLLM {version(packages)}: name, type and labels of its metrics, as exposed; a",
        "# histogram without suffix. `*`: labels known at run time only.",
        "# Written by scripts/vllm_metrics.py from the source of the locked release.",
    ]
    return "\n".join([*header, *(metric.line() for metric in metrics(packages))]) + "\n"


def main(argv: Sequence[str]) -> int:
    """Write the list, or compare it; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail where stale")
    parser.add_argument("--site-packages", type=Path, help="default: the serving engine's")
    parser.add_argument("--target", type=Path, default=TARGET)
    options = parser.parse_args(argv)
    current = text(options.site_packages or site_packages())
    if not options.check:
        options.target.write_text(current, encoding="utf-8")
        return 0
    if options.target.read_text(encoding="utf-8") != current:
        sys.stderr.write("vllm-metrics.txt is stale: python scripts/vllm_metrics.py\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
