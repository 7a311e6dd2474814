"""Build datagen's app: routes, the worker that runs its jobs, and what both work with."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from datagen import __version__
from datagen.agreeing import KIND as AGREEMENT
from datagen.agreeing import AgreementHandler
from datagen.api import dataset_router, style_router
from datagen.config import Settings
from datagen.coverage_api import coverage_router
from datagen.datasets import KIND as DATASET
from datagen.datasets import DatasetHandler, show_newest
from datagen.estimate_api import estimate_router
from datagen.evaluations import KIND as EVALUATION
from datagen.evaluations import EvaluationHandler
from datagen.evaluations_api import evaluation_router
from datagen.feedback_api import feedback_router
from datagen.judge_api import judge_router
from datagen.judged_pairs import judge_of_pairs
from datagen.judged_rows import KIND as JUDGING
from datagen.judged_rows import JudgingHandler
from datagen.judges import needed
from datagen.quality_api import quality_router
from datagen.question_jobs import KIND as QUESTIONS
from datagen.question_jobs import QuestionSetHandler
from datagen.questions_api import question_router
from datagen.regenerating import KIND as REGENERATION
from datagen.regenerating import RegenerationHandler
from datagen.review import ReviewDesk
from datagen.review_api import review_router
from datagen.services import Services, open_services
from datagen.studio_api import studio_router
from datagen.versions_api import versions_router
from kit.app import create_service_app
from kit.config import read_secret
from kit.worker import Handler, Worker


def create_app(settings: Settings) -> FastAPI:
    """Return the service; its worker runs between start-up and shutdown.

    Raises ConflictError where another process holds the state folder.
    """
    services = open_services(settings)
    app = create_service_app(
        "datagen",
        registry=services.metrics.registry,
        version=__version__,
        ready=lambda: not_ready(services),
        api_token=read_secret(settings.api_token_file),
        max_body_bytes=settings.max_body_bytes,
        lifespan=lambda _: running(services),
    )
    app.include_router(style_router(services))
    app.include_router(studio_router(services))
    app.include_router(dataset_router(services))
    app.include_router(estimate_router(services))
    judge = services.judge is not None
    app.include_router(evaluation_router(services.store, services.volume, judge=judge))
    app.include_router(review_router(services))
    app.include_router(versions_router(services))
    app.include_router(feedback_router(services))
    app.include_router(quality_router(services))
    app.include_router(question_router(services))
    app.include_router(coverage_router(services))
    app.include_router(judge_router(services))
    return app


@asynccontextmanager
async def running(services: Services) -> AsyncIterator[None]:
    """Run the jobs; on leaving, stop the current one, which goes on at the next start."""
    await asyncio.to_thread(show_newest, services.volume, services.metrics)
    try:
        async with Worker(services.store, handlers(services)).running():
            yield
    finally:
        if services.judge:
            await services.judge.asked.close()
        await services.teacher.close()
        await services.vectors.close()
        for store in (services.reviews, services.votes, services.store):
            await asyncio.to_thread(store.close)


def handlers(services: Services) -> dict[str, Handler]:
    """Return what runs each kind of job."""
    return {
        DATASET: DatasetHandler(
            services.volume,
            services.library,
            services.banks,
            services.prompts,
            services.teacher,
            services.metrics,
            services.screens,
        ),
        QUESTIONS: QuestionSetHandler(
            services.volume, services.banks, services.authors, services.screens
        ),
        EVALUATION: EvaluationHandler(
            services.volume,
            services.banks,
            services.settings.serving_url,
            probe=services.probe,
            judge=judge_of_pairs(services.judge, services.volume, services.settings.state_dir)
            if services.judge
            else None,
            api_key=read_secret(services.settings.serving_api_key_file),
        ),
        AGREEMENT: AgreementHandler(
            services.library,
            lambda: needed(services.judge),
            services.teacher.model,
            services.settings.state_dir,
        ),
        JUDGING: JudgingHandler(
            services.volume, lambda: needed(services.judge), services.settings.state_dir
        ),
        REGENERATION: RegenerationHandler(
            ReviewDesk(services.volume, services.banks, services.reviews, services.screens),
            services.prompts,
            services.teacher,
        ),
    }


def not_ready(services: Services) -> list[str]:
    """Return why the service cannot work now: the volume, or an unreachable teacher."""
    reasons = []
    if not os.access(services.volume.root, os.W_OK):
        reasons.append("the data folder is not writable")
    if services.teacher.is_down:
        reasons.append("the teacher does not answer")
    return reasons
