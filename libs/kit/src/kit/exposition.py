"""What every service's metrics have in common, and a port of their own for who needs one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)

REVISION = "TONESMITH_REVISION"
UNKNOWN = "unknown"


def add_standard(
    registry: CollectorRegistry, service: str, version: str, environ: Mapping[str, str]
) -> None:
    """Add what all services say of themselves: `build_info`, `process_*` and `python_*`.

    Args:
        registry: of the service.
        service: the service's name, the same everywhere.
        version: of the service.
        environ: its TONESMITH_REVISION is the commit that the service was built from.
    """
    # A moment of creation for each counter doubles the series, and nothing of ours reads it.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    build = {"service": service, "version": version, "revision": environ.get(REVISION) or UNKNOWN}
    Info(
        "build", "Version of the service, and the commit it was built from.", registry=registry
    ).info(build)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)


@contextmanager
def exposing(registry: CollectorRegistry, host: str, port: int) -> Iterator[int]:
    """Serve `registry` on a port of its own, in threads of this process; yield the bound port.

    For a service whose own port is published, where metrics have no business.

    Args:
        registry: what is served, on every path.
        host: address to listen on.
        port: 0 takes a free one.

    Raises OSError, which names the address, where it is taken or not ours.
    """
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        said = f"metrics cannot be served on {host}:{port}: {error.strerror or error}"
        raise OSError(error.errno, said) from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
