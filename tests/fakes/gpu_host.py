"""Our exporter on a host with fake GPUs, as a program:

    PYTHONPATH=tests python -m fakes.gpu_host --scenario lost --port 9835 [--seconds 0.1]

For tests of the whole path (driver, sampler, HTTP, Prometheus) on a machine without a GPU.
"""

import argparse
import sys

from fakes.nvml import FakeNvml
from kit.logs import configure_logs
from trainer.gpu_exporter import Settings, run


def main() -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description="The GPU exporter on fake GPUs")
    parser.add_argument("--scenario", default="healthy", help="a file of nvml_scenarios/")
    parser.add_argument("--port", type=int, default=9835)
    parser.add_argument("--seconds", type=float, default=0.1, help="between two samples")
    options = parser.parse_args()
    configure_logs("gpu")
    settings = Settings(port=options.port, seconds=options.seconds)
    return run(settings, FakeNvml.of(options.scenario))


if __name__ == "__main__":
    sys.exit(main())
