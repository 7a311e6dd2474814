"""Build the trainer's app: `create_app(settings)` is the only constructor."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from kit.app import create_service_app
from kit.config import read_secret
from kit.worker import Worker, job_routes
from trainer.api import export_routes, library_routes, model_routes, run_routes
from trainer.config import Settings
from trainer.exports import KIND as EXPORT
from trainer.exports import ExportJob
from trainer.gpu.nvml import Nvml, load
from trainer.metrics import make_registry
from trainer.promote import PromotionJob
from trainer.runs import RunJob
from trainer.workshop import Workshop, open_workshop

VERSION = "0.1.0"


def create_app(
    settings: Settings, environ: Mapping[str, str] = os.environ, nvml: Nvml | None = None
) -> FastAPI:
    """Return the trainer's app.

    Args:
        settings: as the README explains them.
        environ: what an engine inherits a listed part of.
        nvml: the library that tells of the GPUs; None: NVIDIA's own.
    """
    shop = open_workshop(settings, environ)
    registry = make_registry(shop)
    app = create_service_app(
        "trainer",
        registry=registry,
        version=VERSION,
        ready=lambda: not_ready(shop),
        api_token=read_secret(settings.api_token_file),
        lifespan=lambda _: working(shop, registry, nvml),
        environ=environ,
    )
    app.include_router(library_routes(shop))
    app.include_router(job_routes(shop.store, "/runs", "run"))
    app.include_router(run_routes(shop))
    app.include_router(model_routes(shop))
    app.include_router(job_routes(shop.promotions, "/promotions", "promotion"))
    app.include_router(job_routes(shop.exports, "/exports", EXPORT))
    app.include_router(export_routes(shop))
    return app


@asynccontextmanager
async def working(
    shop: Workshop, registry: CollectorRegistry, nvml: Nvml | None
) -> AsyncIterator[None]:
    """Say what must be served, watch the GPUs, and run jobs: a run, a promotion, an export."""
    shop.board.show()
    seconds = shop.settings.gpu_seconds
    watched = shop.gpus.watched(nvml or load(), seconds, registry) if seconds else nullcontext()
    runs = Worker(shop.store, {"run": RunJob(shop)})
    promotions = Worker(shop.promotions, {"promotion": PromotionJob(shop)})
    exports = Worker(shop.exports, {EXPORT: ExportJob(shop)})
    try:
        with watched:
            async with runs.running(), promotions.running(), exports.running():
                yield
    finally:
        for store in (shop.store, shop.promotions, shop.exports):
            await asyncio.to_thread(store.close)


def not_ready(shop: Workshop) -> list[str]:
    """Return why no run could start now."""
    reasons = [shop.engine.missing()]
    if not shop.bases.names():
        reasons.append("MODELS_DIR holds no base model")
    if shop.volume.root.exists() and not os.access(shop.volume.root, os.W_OK):
        reasons.append("DATA_DIR cannot be written")
    return [reason for reason in reasons if reason]
