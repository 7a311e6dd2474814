"""The GPU series alone, for a host where no trainer runs: `python -m trainer.gpu_exporter`.

    GPU_EXPORTER_HOST=0.0.0.0 python -m trainer.gpu_exporter     # :9835/metrics

On a host where a trainer runs, that exports the same GPUs already. Without a driver it lives on and
says `gpu_nvml_available 0`. By pid (`GPU_EXPORTER_TOP_PROCESSES`) only where somebody asks for it:
each new process is a new series.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from prometheus_client import CollectorRegistry, generate_latest
from pydantic import Field

from kit.config import Settings as KitSettings
from kit.config import SettingsError
from kit.exposition import add_standard
from kit.logs import configure_logs
from trainer.gpu import watching
from trainer.gpu.nvml import Nvml, load
from trainer.gpu.page import serving

VERSION = "0.1.0"
logger = logging.getLogger(__name__)


class Settings(KitSettings):
    """What the operator may set."""

    prefix: ClassVar[str] = "GPU_EXPORTER_"
    shared: ClassVar[frozenset[str]] = frozenset({"log_level"})

    host: str = "127.0.0.1"
    port: int = Field(default=9835, ge=0, le=65535)
    seconds: float = Field(default=2, gt=0, le=300, description="between two samples")
    top_processes: int = Field(default=0, ge=0, le=100, description="of each GPU, told by pid")
    log_level: str = "INFO"


@contextmanager
def exporting(settings: Settings, nvml: Nvml, environ: Mapping[str, str]) -> Iterator[int]:
    """Sample and serve until the end of the block; yield the port.

    Args:
        settings: of the exporter.
        nvml: the library, the real one or a fake.
        environ: its TONESMITH_REVISION goes into `build_info`.

    Raises OSError where the address is taken or not ours.
    """
    standard = CollectorRegistry()
    add_standard(standard, "gpu", VERSION, environ)
    with watching(nvml, settings.seconds, top_processes=settings.top_processes) as watch:

        def page() -> bytes:
            return watch.collector.exposition() + generate_latest(standard)

        with serving(settings.host, settings.port, page) as port:
            yield port


def run(settings: Settings, nvml: Nvml) -> int:
    """Serve until SIGTERM or SIGINT; a driver that hangs does not hold the end up."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        with exporting(settings, nvml, os.environ) as port:
            logger.info("GPU series at http://%s:%d/metrics", settings.host, port)
            ended.wait()
    except OSError as error:
        sys.stderr.write(f"gpu_exporter: {settings.host}:{settings.port}: {error.strerror}\n")
        return 2
    return 0


def main() -> int:
    """Read the settings and run on the real library."""
    try:
        settings = Settings.from_environ(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"gpu_exporter: {error}\n")
        return 2
    configure_logs("gpu", settings.log_level)
    return run(settings, load())


if __name__ == "__main__":
    sys.exit(main())
