"""The demo as the real Prometheus saw it: every target, every series, every panel.

What a machine without a GPU cannot have comes from a host and a trainer with fake GPUs. What is
left out is named here, with its reason.
"""

import subprocess
from collections import Counter

import pytest
import yaml

from demo_process import Shown
from metric_names import FOLDER
from monitoring_tools import tool

pytestmark = pytest.mark.engines
JOBS = {"datagen": 1, "trainer": 2, "serving": 1, "vllm": 1, "ui": 1, "gpu": 1, "prometheus": 1}
# Its first series comes with the first retry, and the scripted teacher always answers.
OF_A_TEACHER_THAT_FAILS = {"datagen_retries_total"}
# By process: only where it is asked for.
ON_DEMAND = {"gpu_process_memory_bytes"}
SILENT = {
    "tonesmith-datagen: Retries by reason A": OF_A_TEACHER_THAT_FAILS,
    # serving/argv.py switches prefix caching off on a CPU: nothing was ever looked up.
    "tonesmith-serving: Prefix hits A": {"vllm:prefix_cache_queries_total"},
    "tonesmith-serving: Caches B": {"vllm:prefix_cache_queries_total"},
}


def test_every_target_is_up(shown: Shown) -> None:
    """Each service, vLLM behind its launcher, the two with GPUs, Prometheus itself."""
    assert Counter(shown.watched.targets) == {(job, "up"): n for job, n in JOBS.items()}


def test_every_metric_of_the_list_is_there(shown: Shown) -> None:
    """Of the committed list, after one demo."""
    listed = {
        name
        for path in (FOLDER / "metrics").glob("*.yaml")
        for name in yaml.safe_load(path.read_text(encoding="utf-8"))
    }
    seen = {name.removesuffix("_count") for name in shown.watched.names} | shown.watched.names
    assert listed - seen == OF_A_TEACHER_THAT_FAILS | ON_DEMAND


def test_every_page_of_metrics_is_clean(shown: Shown) -> None:
    """By promtool; vLLM's names and Prometheus' are not ours to mend."""
    ours = {
        url: text
        for url, text in shown.watched.pages.items()
        if "/engine/" not in url and "prometheus_build_info" not in text
    }
    assert len(ours) == 6
    for url, text in ours.items():
        checked = subprocess.run(
            [tool("promtool"), "check", "metrics"],
            input=text,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert checked.returncode == 0, f"{url}: {checked.stdout}"


def test_every_query_of_every_dashboard_returns_data(shown: Shown) -> None:
    """At some moment of the demo, for one of the runs; the exceptions have their reasons."""
    silent = {str(query) for query, found in shown.watched.answers.items() if not found}
    assert silent == set(SILENT)
