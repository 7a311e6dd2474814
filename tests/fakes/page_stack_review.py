"""datagen as the sheets of review, coverage, report card and versions see it: the real thing.

The routes are datagen's own, over a volume in a temporary folder with the scripted teacher; a test
publishes its dataset there by `publish_reviewed`, and `stack.datasets` names it.
"""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from contracts.dataset import DatasetManifest
from contracts.identity import new_id
from contracts.sample import Sample
from datagen.app import running
from datagen.config import Settings
from datagen.coverage_api import coverage_router
from datagen.datasets import readable_manifests
from datagen.quality_api import quality_router
from datagen.review_api import review_router
from datagen.services import Services, open_services
from datagen.versions import root_of
from datagen.versions_api import versions_router
from fakes.reviewed import publish_first
from kit.app import add_error_handlers

if TYPE_CHECKING:
    from fakes.stack import Stack

# The datagen of each stack in this process: a test publishes into that.
OPENED: dict[int, Services] = {}


def services_of(stack: "Stack") -> Services:
    """Return the datagen of a stack."""
    return OPENED[id(stack)]


def opened() -> Services:
    """Return the parts of a datagen in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="tonesmith-review-"))
    return open_services(Settings(data_dir=folder / "data", state_dir=folder / "state"))


def add_review(app: FastAPI, stack: "Stack") -> None:
    """Add what the sheets ask, and the worker that regenerates."""
    real = OPENED[id(stack)] = opened()
    add_error_handlers(app)
    add_made(app, stack, real)
    for router in (review_router, versions_router, quality_router, coverage_router):
        app.include_router(router(real))

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        async with running(real):
            yield
        del OPENED[id(stack)]
        shutil.rmtree(real.volume.root.parent, ignore_errors=True)

    app.router.lifespan_context = lifespan


def add_made(app: FastAPI, stack: "Stack", real: Services) -> None:
    """List the versions that a review makes with the datasets that they come from."""

    def listed() -> list[DatasetManifest]:
        known = {one.id for one in stack.datasets}
        every = readable_manifests(real.volume)
        made = [one for one in every if root_of(one) in known and one.id not in known]
        return sorted(made, key=lambda one: one.created_at, reverse=True) + stack.datasets

    @app.get("/datasets")
    def datasets() -> Any:
        return listed()


def publish_reviewed(
    stack: "Stack", *, per_style: int = 30, rows: list[Sample] | None = None
) -> str:
    """Publish a dataset of four styles with three refused rows; return its id.

    It is the newest, so the page picks it by itself.
    """
    volume = services_of(stack).volume
    dataset = publish_first(volume, per_style=per_style, rows=rows, dataset=new_id("reviewed"))
    stack.datasets.insert(0, volume.dataset_manifest(dataset))
    return dataset
