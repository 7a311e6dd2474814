"""Typed HTTP clients of Tonesmith's services, for the command line and the chat page.

    from client import DatagenClient
    with DatagenClient("http://127.0.0.1:8001") as datagen:
        styles = datagen.styles()

Every method returns a model of `contracts`, or raises `ServiceError` (the service refused) or
`ServiceDownError` (nobody answers).
"""

from client.datagen import DatagenClient
from client.errors import ArchiveError, ServiceDownError, ServiceError
from client.jobs import Jobs
from client.serving import LauncherClient, ServingClient
from client.trainer import TrainerClient

__all__ = [
    "ArchiveError",
    "DatagenClient",
    "Jobs",
    "LauncherClient",
    "ServiceDownError",
    "ServiceError",
    "ServingClient",
    "TrainerClient",
]
