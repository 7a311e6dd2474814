"""A real Prometheus with a prepared history: no scrapes, our rules, a free port of this host."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import yaml

from dashboard_queries import get
from metric_names import RULES
from monitoring_tools import run_tool, running, wait_for
from sample_series import exposition

HOURS = 2
STEP = 15.0
PATIENCE = 30.0  # seconds
PATH = "/api/v1/query"
RECORDED = "count_over_time(gpu:memory_used:ratio[1m]) > 1"


def fill(folder: Path, end: float) -> Path:
    """Write hours of every metric as blocks of a TSDB; return its folder.

    Args:
        folder: an empty one to work in.
        end: the newest moment, in Unix time.
    """
    source, target = folder / "series.txt", folder / "tsdb"
    with source.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in exposition(end - HOURS * 3600, end, STEP))
    made = run_tool("promtool", "tsdb", "create-blocks-from", "openmetrics", "-q", source, target)
    assert made.returncode == 0, made.stdout
    source.unlink()
    return target


@contextlib.contextmanager
def prometheus(folder: Path, tsdb: Path, *, recorded: bool = True) -> Iterator[str]:
    """Run a Prometheus on the blocks; yield its address.

    Args:
        folder: where its configuration and log go.
        tsdb: its blocks; may be empty.
        recorded: wait until our recordings have values.
    """
    settings = {
        "global": {"evaluation_interval": "1s"},
        "rule_files": [str(path) for path in RULES],
    }
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = [
        f"--config.file={config}",
        f"--storage.tsdb.path={tsdb}",
        "--storage.tsdb.retention.time=10y",
        f"--web.listen-address={address}",
        "--log.level=warn",
    ]
    url = f"http://{address}"
    with running("prometheus", options, f"{url}/-/ready", folder / "log"):
        if recorded:
            wait_for(lambda: get(url, PATH, {"query": RECORDED})["result"], PATIENCE, "recordings")
        yield url
