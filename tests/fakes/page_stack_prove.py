"""datagen as the Prove tab sees it: evaluations with their replies, votes, and pairs of them."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Header
from starlette.responses import HTMLResponse, JSONResponse

from contracts.dataset import Conditioning, DatasetManifest
from contracts.evaluation import EvaluationReport, EvaluationRequest, Reply
from contracts.identity import now
from contracts.job import Job, JobState, Progress
from contracts.proof import Reason, Verdict
from contracts.style import StyleVersion
from contracts.votes import PairRequest, Vote, VoteCounts
from datagen.feedback import Feedback
from datagen.preferences import ranking_rows, usable_pairs
from fakes.page_answers import error
from fakes.page_jobs import add_jobs, job
from fakes.proof_report import STRENGTHS, proof_report, replies_of

if TYPE_CHECKING:
    from fakes.stack import Stack

SHOWN_STYLES = 6
NO_JUDGE = {
    "error": {
        "code": "invalid_input",
        "message": "judge: there is no language model to judge with",
        "field": "judge",
        "hint": "set JUDGE_BASE_URL and JUDGE_MODEL, or leave judge out",
    }
}
NAMES = ("base", "prompted", "tuned")


def proven(
    styles: Sequence[StyleVersion],
    name: str = "eval-tonesmith-20261123-0a1b2c",
    *,
    dataset: str = "demo-20261123-0a1b2c",
    verdict: Verdict = "took",
    reasons: Sequence[Reason] = (),
    strengths: dict[str, float] | None = None,
) -> EvaluationReport:
    """Return a report on the first styles."""
    cards = [version.style for version in styles[:SHOWN_STYLES]]
    found = proof_report(cards, verdict=verdict, reasons=reasons, strengths=strengths)
    request = EvaluationRequest(dataset_id=dataset, tuned="tonesmith.v1")
    return found.model_copy(update={"id": name, "request": request})


def replies(styles: Sequence[StyleVersion]) -> list[Reply]:
    """Return replies of three contestants that all say something else."""
    cards = {version.style.id: version.style for version in styles[:SHOWN_STYLES]}
    found = []
    for reply in replies_of(list(cards.values()), NAMES):
        examples = cards[reply.style].examples
        other = examples[(reply.number + 1) % len(examples)].assistant
        text = other if reply.contestant == "prompted" else reply.reply
        strength = STRENGTHS[reply.contestant] * (0.1 if reply.predicted_style == "(plain)" else 1)
        more = {"reply": text, "strength": max(0.0, strength - 0.02 * reply.number)}
        found.append(reply.model_copy(update=more))
    return found


def add_prove(app: FastAPI, stack: "Stack") -> None:
    """Add what the tab asks."""
    add_jobs(app, "/evaluations", lambda: stack.evaluation_jobs)
    add_starting(app, stack)
    add_reading(app, stack)
    add_votes(app, stack)


def add_starting(app: FastAPI, stack: "Stack") -> None:
    """Add the start of an evaluation, which is one for each key."""

    @app.post("/evaluations", status_code=202)
    def start(request: EvaluationRequest, idempotency_key: Annotated[str, Header()] = "") -> Any:
        if request.judge:
            return JSONResponse(NO_JUDGE, status_code=422)
        known = {one.id: one for one in stack.evaluation_jobs}
        if idempotency_key in stack.evaluation_keys:
            return known[stack.evaluation_keys[idempotency_key]]
        name = f"eval-{request.tuned.replace('.', '-')}-{len(known)}"
        made = job(
            name,
            JobState.RUNNING,
            kind="evaluation",
            request=request.model_dump(mode="json"),
            progress=Progress(stage="ask", done=12, total=300),
        )
        stack.evaluation_jobs.insert(0, made)
        stack.evaluation_keys[idempotency_key] = made.id
        return made


def finish(stack: "Stack", name: str) -> None:
    """End an evaluation that goes on, with a report."""
    request = EvaluationRequest.model_validate(changed(stack, name, JobState.DONE).request)
    made = proven(stack.styles, name, dataset=request.dataset_id)
    stack.evaluations.insert(0, made.model_copy(update={"request": request}))


def changed(stack: "Stack", name: str, state: JobState, **progress: int) -> Job:
    """Change a job: its state, and how far it is."""
    at = next(at for at, one in enumerate(stack.evaluation_jobs) if one.id == name)
    old = stack.evaluation_jobs[at]
    far = Progress(**old.progress.model_dump() | progress)
    result: dict[str, object] = {"verdict": "took"} if state is JobState.DONE else {}
    new = {"state": state, "progress": far, "result": result, "updated_at": now()}
    stack.evaluation_jobs[at] = old.model_copy(update=new)
    return stack.evaluation_jobs[at]


def add_reading(app: FastAPI, stack: "Stack") -> None:
    """Add what is read of an evaluation."""

    @app.get("/evaluations")
    def listed(limit: int = 1000) -> list[EvaluationReport]:
        return stack.evaluations[:limit]

    @app.get("/evaluations/{name}/replies")
    def said(name: str, offset: int = 0, limit: int = 100) -> Any:
        if name not in {one.id for one in stack.evaluations}:
            return error(404, "there is no such evaluation", "not_found")
        return replies(stack.styles)[offset : offset + limit]

    @app.get("/evaluations/{name}/report.html")
    def page(name: str) -> Any:
        return HTMLResponse(f"<!doctype html><title>{name}</title><p>tonesmith</p>")


def add_votes(app: FastAPI, stack: "Stack") -> None:
    """Add votes, and the pairs that datagen makes of them."""

    @app.post("/votes", status_code=201)
    def vote(told: Vote) -> Vote:
        stack.votes.append(told)
        return told

    @app.get("/votes/counts")
    def counts() -> VoteCounts:
        single: dict[str, Counter[str]] = defaultdict(Counter)
        compared: dict[str, Counter[str]] = defaultdict(Counter)
        for one in stack.votes:
            if one.against:
                ended = "decided" if one.value else "both_bad" if one.both_bad else "tie"
                compared[one.style][ended] += 1
            else:
                single[one.style]["up" if one.value > 0 else "down"] += 1
        return VoteCounts(
            votes=len(stack.votes),
            corrections=sum(one.correction is not None for one in stack.votes),
            by_style={style: dict(found) for style, found in single.items()},
            compared={style: dict(found) for style, found in compared.items()},
        )

    @app.post("/datasets/preferences", status_code=201)
    def pairs(request: PairRequest) -> DatasetManifest:
        stack.paired = pair_rows(stack)
        parent = next(iter(stack.datasets))
        rows = parent.rows | {"preference": len(stack.paired)}
        update = {"id": f"{request.dataset_id}-v2", "source": "paired", "rows": rows}
        stack.datasets.insert(0, parent.model_copy(update=update))
        return stack.datasets[0]


def pair_rows(stack: "Stack") -> list[dict[str, Any]]:
    """Return the votes as rows of preference data, made by datagen's own code."""
    cards = {version.style.id: version for version in stack.styles}
    extra = tuple(Feedback([], cards, 7).pairs(stack.votes))
    found = usable_pairs([], Conditioning.SYSTEM, 7, extra, ["votes"])
    return ranking_rows(
        found, {name: one.style for name, one in cards.items()}, Conditioning.SYSTEM
    )
