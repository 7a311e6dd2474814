"""datagen as the Data tab sees it: what was made, and the jobs that make more."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Header, Query, Request
from starlette.responses import JSONResponse

from contracts.dataset import Conditioning, Counts, DatasetManifest, DatasetRequest, ImportRequest
from contracts.errors import ErrorBody
from contracts.estimate import CostEstimate
from contracts.identity import new_id, now
from contracts.job import Job, Progress
from contracts.question_set import QuestionImport
from contracts.sample import Rejected, RejectReason
from contracts.style import StyleVersion
from contracts.volume import Volume
from datagen.import_preview import preview_questions, preview_rows
from datagen.importing import import_file
from datagen.question_import import import_questions
from fakes.library import shipped_styles
from fakes.page_answers import error
from fakes.page_jobs import add_jobs, job
from fakes.styled_dataset import BANKS, SHIPPED
from kit.errors import TonesmithError

if TYPE_CHECKING:
    from fakes.stack import Stack

EVAL_SHARE = 20
HOUR = 3600


def dataset(
    dataset_id: str,
    accepted: int = 400,
    age: float = 0,
    styles: Sequence[StyleVersion] = (),
    **values: Any,
) -> DatasetManifest:
    """Return a dataset that was published `age` seconds ago."""
    held = accepted // EVAL_SHARE
    known: dict[str, Any] = {
        "created_at": now() - timedelta(seconds=age),
        "source": "generated",
        "status": "complete",
        "conditioning": Conditioning.SYSTEM,
        "styles": list(styles) or shipped_styles()[:4],
        "counts": Counts(asked=accepted, accepted=accepted, rejected={"too_short": 3, "echo": 1}),
        "rows": {"train": accepted - held, "eval": held},
        "files": {},
        "teacher": "scripted",
    }
    return DatasetManifest(id=dataset_id, **known | values)


def shipped_datasets() -> list[DatasetManifest]:
    """Return what a stack has that was used for a day, the newest first."""
    return [
        dataset("four-tones-20261122-a1b2c3", age=20 * HOUR),
        dataset("brought-20261121-0d0d0d", 120, age=50 * HOUR, source="imported"),
    ]


def shipped_estimate() -> CostEstimate:
    """Return what a generation would take with a teacher that has prices."""
    return CostEstimate(
        rows=400,
        calls=520,
        input_tokens=412_000,
        output_tokens=61_000,
        dollars=0.42,
        budget_left=12.5,
        seconds=1500,
        measured_calls=6,
        teacher="teacher-large",
        assumptions=["tokens and seconds of a call: the mean of 6 first exchanges"],
    )


def generating(job_id: str, accepted: dict[str, int], age: float = 90, **values: Any) -> Job:
    """Return a generation of fifty rows of each style that goes on, with what was refused."""
    rejected = {style: count // 4 for style, count in accepted.items()}
    figures = {"rejected_near_duplicate": sum(rejected.values()) * 0.6}
    figures |= {"rejected_assistant_voice": sum(rejected.values()) * 0.3}
    figures |= {"rejected_too_short": sum(rejected.values()) * 0.1}
    figures = {name: float(round(count)) for name, count in figures.items()}
    figures |= {f"accepted/{style}": float(count) for style, count in accepted.items()}
    figures |= {f"rejected/{style}": float(count) for style, count in rejected.items()}
    calls = sum(accepted.values()) + sum(rejected.values())
    figures |= {"teacher_calls": float(calls), "dollars": calls * 0.0008, "budget_left": 12.3}
    progress = Progress(
        stage="generate", done=sum(accepted.values()), total=50 * len(accepted), figures=figures
    )
    request = {"name": "bedtime", "styles": list(accepted), "per_style": 50}
    known: dict[str, Any] = {"progress": progress, "request": request, "attempts": 1}
    known["updated_at"] = now()
    return job(job_id, age=age, **known | values)


def refused_rows(reason: RejectReason, count: int = 3) -> list[Rejected]:
    """Return rows that a gate refused."""
    return [
        Rejected(
            slot=f"gentle/{number:05d}",
            style="gentle",
            attempt=1,
            question="今天又被主管说了，怎么办？",
            reply=f"作为一个 AI 助手，我建议你 <b>{number}</b>",
            reason=reason,
            detail="said: AI",
        )
        for number in range(count)
    ]


def add_data(app: FastAPI, stack: "Stack") -> None:
    """Add what the tab asks."""
    add_jobs(app, "/datasets", lambda: stack.dataset_jobs)
    add_starting(app, stack)
    add_imports(app, stack)
    add_reading(app, stack)


def refusal(body: ErrorBody) -> JSONResponse:
    """Return why something is not done, as every service says it."""
    return JSONResponse({"error": body.model_dump()}, status_code=422)


def add_starting(app: FastAPI, stack: "Stack") -> None:
    """Add the estimate, and the start of a generation."""

    @app.post("/datasets/estimate")
    def estimate(request: DatasetRequest) -> Any:
        if stack.dataset_refusal:
            return refusal(stack.dataset_refusal)
        return stack.estimate

    @app.post("/datasets", status_code=202)
    def start(request: DatasetRequest, idempotency_key: Annotated[str, Header()]) -> Any:
        if stack.dataset_refusal:
            return refusal(stack.dataset_refusal)
        if idempotency_key not in stack.dataset_keys:
            styles = request.styles or [one.style.id for one in stack.styles]
            made = generating(
                new_id(request.name),
                dict.fromkeys(styles, 0),
                age=0,
                request=request.model_dump(mode="json"),
                progress=Progress(),
            )
            stack.dataset_keys[idempotency_key] = made.id
            stack.dataset_jobs.insert(0, made)
        known = stack.dataset_keys[idempotency_key]
        return next(one for one in stack.dataset_jobs if one.id == known)


def add_imports(app: FastAPI, stack: "Stack") -> None:
    """Add the imports: they are the real ones, in a folder that is gone afterwards."""

    @app.post("/datasets/import-preview")
    async def preview(request: Request) -> Any:
        with TemporaryDirectory() as folder:
            return preview_rows(Path(folder), await request.body(), SHIPPED)

    @app.post("/datasets/import")
    async def import_rows(request: Request, options: Annotated[ImportRequest, Query()]) -> Any:
        with TemporaryDirectory() as folder:
            result = import_file(Path(folder), await request.body(), options, shipped=SHIPPED)
            if result.dataset_id:
                made = Volume(Path(folder)).dataset_manifest(result.dataset_id)
                stack.datasets.insert(0, made)
        return result

    @app.get("/questions")
    def question_sets() -> Any:
        return stack.question_sets

    @app.post("/questions/import-preview")
    async def preview_set(request: Request, options: Annotated[QuestionImport, Query()]) -> Any:
        return preview_questions(await request.body(), options.form, BANKS, {})

    @app.post("/questions/import")
    async def import_set(request: Request, options: Annotated[QuestionImport, Query()]) -> Any:
        with TemporaryDirectory() as folder:
            content = await request.body()
            made = import_questions(Volume(Path(folder)), content, options, BANKS, {})
        stack.question_sets.insert(0, made)
        return made

    @app.exception_handler(TonesmithError)
    async def refuse(request: Request, error: TonesmithError) -> Any:
        return JSONResponse({"error": error.body.model_dump()}, status_code=error.status)


def add_reading(app: FastAPI, stack: "Stack") -> None:
    """Add what is there to look at."""

    @app.get("/datasets")
    def datasets() -> Any:
        return stack.datasets

    @app.get("/datasets/{dataset_id}")
    def one(dataset_id: str) -> Any:
        found = [each for each in stack.datasets if each.id == dataset_id]
        return found[0] if found else error(404, "there is no such dataset", "not_found")

    @app.get("/datasets/{dataset_id}/samples")
    def samples(
        dataset_id: str,
        state: str = "accepted",
        style: str | None = None,
        offset: int = 0,
        limit: int = 100,
    ) -> Any:
        known = stack.samples if state == "accepted" else stack.rejected
        rows = [row for row in known.get(dataset_id, []) if style in (None, row.style)]
        return rows[offset : offset + limit]
