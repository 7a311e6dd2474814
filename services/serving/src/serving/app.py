"""Build serving's control application."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import metadata
from os import environ as process_environ

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from kit.app import create_service_app
from kit.config import read_secret
from serving.api import lease_routes, routes
from serving.config import ServingSettings
from serving.launch import POLL_SECONDS, Launcher
from serving.metrics import ServingMetrics


def create_app(
    settings: ServingSettings,
    *,
    environ: Mapping[str, str] = process_environ,
    poll_seconds: float = POLL_SECONDS,
) -> FastAPI:
    """Return the control application; its life is the launcher's.

    `app.state.launcher` is the launcher, for who has to stop it before the application.
    Raises SettingsError: the API token cannot be read.
    """
    registry = CollectorRegistry()
    metrics = ServingMetrics(registry)
    launcher = Launcher(settings, metrics, environ=environ, poll_seconds=poll_seconds)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        launcher.start()
        try:
            yield
        finally:
            await launcher.drain()

    app = create_service_app(
        "serving",
        registry=registry,
        version=version(),
        ready=launcher.reasons,
        api_token=read_secret(settings.api_token_file),
        lifespan=lifespan,
        environ=environ,
    )
    app.include_router(routes(launcher))
    app.include_router(lease_routes(launcher))
    app.state.launcher = launcher
    return app


def version() -> str:
    """Return the installed version, or a placeholder in a bare source tree."""
    try:
        return metadata.version("tonesmith-serving")
    except metadata.PackageNotFoundError:
        return "0"
