"""HTTP routes of styles, datasets and imports."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool

from contracts.dataset import (
    Conditioning,
    DatasetManifest,
    DatasetRequest,
    ImportPreview,
    ImportRequest,
    ImportResult,
)
from contracts.identity import new_id
from contracts.job import Job
from contracts.sample import Rejected, Sample
from contracts.style import StyleVersion
from contracts.volume import MANIFEST
from datagen.cards import MAX_BYTES, parse_card
from datagen.datasets import KIND, readable_manifests, show_newest
from datagen.import_preview import preview_rows
from datagen.importing import import_file
from datagen.journals import read_rejected, read_samples
from datagen.library import load_cards
from datagen.question_sets import asked_banks, check_languages
from datagen.services import Services
from datagen.shards import journal_folders
from kit.errors import InvalidInputError, NotFoundError, TooLargeError
from kit.worker import job_routes

State = Literal["accepted", "rejected"]


def style_router(services: Services) -> APIRouter:
    """Return the routes under `/styles`."""
    router = APIRouter(prefix="/styles", tags=["styles"])
    library = services.library

    @router.get("")
    def styles(archived: bool = False) -> list[StyleVersion]:
        return library.all(archived=archived)

    @router.get("/{style_id}")
    def style(style_id: str) -> StyleVersion:
        return library.get(style_id)

    @router.get("/{style_id}/versions")
    def versions(style_id: str) -> list[StyleVersion]:
        return library.versions(style_id)

    @router.put("/{style_id}")
    async def put(
        style_id: str, request: Request, after: Annotated[int | None, Query(ge=0)] = None
    ) -> StyleVersion:
        content = await bounded_body(request, MAX_BYTES)
        return await run_in_threadpool(put_card, services, style_id, content, after)

    @router.delete("/{style_id}")
    def archive(style_id: str) -> StyleVersion:
        shipped = {card.id for card in load_cards(services.shipped / "styles")}
        return library.archive(style_id, shipped)

    return router


def put_card(
    services: Services, style_id: str, content: bytes, after: int | None = None
) -> StyleVersion:
    """Store the card in `content`, whose id is that of the address; see `StyleLibrary.put`."""
    style = parse_card(content)
    if style.id != style_id:
        raise InvalidInputError(
            f"id: the card says {style.id!r}, the address says {style_id[:80]!r}", field="id"
        )
    return services.library.put(style, after)


async def bounded_body(request: Request, most: int) -> bytes:
    """Return the request's body. Raises TooLargeError as soon as it is over `most` bytes."""
    content = b""
    async for block in request.stream():
        content += block
        if len(content) > most:
            raise TooLargeError(f"the body is over {most} bytes")
    return content


def dataset_router(services: Services) -> APIRouter:
    """Return the routes under `/datasets`, with those of its jobs."""
    router = APIRouter(tags=["datasets"])
    # Before `/datasets/{id}`, which would match "jobs".
    router.include_router(job_routes(services.store, "/datasets", KIND))

    @router.post("/datasets", status_code=202)
    def start(
        request: DatasetRequest,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Job:
        check_request(services, request)
        document = request.model_dump(mode="json")
        return services.store.submit(KIND, new_id(request.name), document, idempotency_key)

    add_importing(router, services)
    add_reading(router, services)
    return router


def add_importing(router: APIRouter, services: Services) -> None:
    """Add the routes that read rows from a file, and that look at one first."""

    @router.post("/datasets/import")
    async def import_rows(
        request: Request,
        name: str = "imported",
        conditioning: Conditioning = Conditioning.SYSTEM,
        eval_ratio: Annotated[float, Query(ge=0, le=0.5)] = 0.05,
        seed: Annotated[int, Query(ge=0)] = 7,
    ) -> ImportResult:
        options = import_options(name, conditioning, eval_ratio, seed)
        result = await run_in_threadpool(
            import_file,
            services.volume.root,
            await request.body(),
            options,
            shipped=services.shipped,
            metrics=services.metrics,
        )
        await run_in_threadpool(show_newest, services.volume, services.metrics)
        return result

    @router.post("/datasets/import-preview")
    async def preview_import(request: Request) -> ImportPreview:
        root, content = services.volume.root, await request.body()
        return await run_in_threadpool(preview_rows, root, content, services.shipped)


def check_request(services: Services, request: DatasetRequest) -> list[StyleVersion]:
    """Return the styles of a request; refuse now, not later, what a generation could not do.

    Raises:
        NotFoundError: there is no such style, or no such question set.
        InvalidInputError: the set has no training question in the language of a style.
    """
    styles = services.library.choose(request.styles)
    asked = asked_banks(services.volume, request.questions, services.banks)
    check_languages(request.questions, asked, styles)
    return styles


def import_options(
    name: str, conditioning: Conditioning, eval_ratio: float, seed: int
) -> ImportRequest:
    """Return the options of an import. Raises InvalidInputError for a name that is not safe."""
    try:
        return ImportRequest(name=name, conditioning=conditioning, eval_ratio=eval_ratio, seed=seed)
    except ValueError as error:
        raise InvalidInputError(
            "name: lower-case letters, digits, '.', '_' and '-' only, at most 64", field="name"
        ) from error


def add_reading(router: APIRouter, services: Services) -> None:
    """Add the routes that read datasets."""
    volume = services.volume

    @router.get("/datasets")
    def datasets() -> list[DatasetManifest]:
        return readable_manifests(volume)

    @router.get("/datasets/{dataset_id}")
    def dataset(dataset_id: str) -> DatasetManifest:
        try:
            return volume.dataset_manifest(dataset_id)
        except (FileNotFoundError, ValueError) as error:
            raise no_dataset(dataset_id) from error

    @router.get("/datasets/{dataset_id}/samples")
    def samples(
        dataset_id: str,
        state: State = "accepted",
        style: Annotated[str | None, Query(max_length=64)] = None,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[Sample] | list[Rejected]:
        return rows_of(services, dataset_id, state, style)[offset : offset + limit]


def rows_of(
    services: Services, dataset_id: str, state: State, style: str | None
) -> list[Sample] | list[Rejected]:
    """Return the rows of a dataset, also of one that is being generated. Raises NotFoundError."""
    try:
        folder = services.volume.dataset(dataset_id)
    except ValueError as error:
        raise no_dataset(dataset_id) from error
    if not (folder / MANIFEST).is_file():
        folder = folder.with_name(f".tmp-{folder.name}")
    if not folder.is_dir():
        raise no_dataset(dataset_id)
    folders = journal_folders(folder)
    if state == "accepted":
        return [row for one in folders for row in read_samples(one) if style in (None, row.style)]
    return [row for one in folders for row in read_rejected(one) if style in (None, row.style)]


def no_dataset(dataset_id: str) -> NotFoundError:
    """Return the error for a dataset that does not exist."""
    return NotFoundError(
        f"there is no dataset {dataset_id[:80]!r}",
        field="dataset_id",
        hint="GET /datasets lists them",
    )
