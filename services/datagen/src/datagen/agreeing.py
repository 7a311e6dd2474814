"""The job "agreement": a judge rates what people rated, and how far they agree is written down."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from contracts.durable import write_atomic
from contracts.identity import now
from contracts.job import Job, JobState, Progress
from contracts.judge import (
    Agreement,
    AgreementReport,
    AgreementRequest,
    HumanRow,
    PairVerdict,
    Rating,
)
from contracts.style import Style
from datagen.agreement import choice_agreement, score_agreement
from datagen.library import StyleLibrary
from datagen.llm_judge import LlmJudge
from kit.errors import InvalidInputError, TonesmithError
from kit.worker import JobContext, Outcome

KIND = "agreement"
FILE = "agreement.json"
# A person's one figure for a reply is held against the mean of the judge's, rounded.
OVERALL = "overall"
Judged = tuple[HumanRow, Rating | PairVerdict]


def read_human_rows(content: bytes) -> list[HumanRow]:
    """Return the rows of a JSONL file. Raises InvalidInputError that names line and field."""
    rows = []
    for number, line in enumerate(content.decode("utf-8", "replace").split("\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(HumanRow.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InvalidInputError(
                f"line {number}: {place + ': ' if place else ''}{first['msg']}",
                field=place or "row",
                hint='a line is {"style", "question", "reply", "ratings": {"empathy": 4}} or '
                '{"style", "question", "first", "second", "preferred": "first"}',
            ) from error
    if not rows:
        raise InvalidInputError("the file holds no rows", field="rows", hint="one JSON a line")
    return rows


def refuse_unknown(rows: Sequence[HumanRow], cards: Mapping[str, Style], judge: LlmJudge) -> None:
    """Raise InvalidInputError for a style or a criterion that nobody knows."""
    for number, row in enumerate(rows, 1):
        if row.style not in cards:
            raise InvalidInputError(
                f"row {number}: there is no style {row.style!r}",
                field="style",
                hint="GET /styles lists them",
            )
        known = [one.id for one in judge.rubrics[cards[row.style].language].criteria]
        for name in row.ratings:
            if name not in known:
                raise InvalidInputError(
                    f"row {number}: there is no criterion {name!r}",
                    field="ratings",
                    hint=f"known: {', '.join(known)}; `rating` is the overall one",
                )


class AgreementHandler:
    """Measures agreements for `kit.worker.Worker`.

    Args:
        library: holds the cards.
        judge: None: the job fails, saying so.
        teacher: what writes the replies, as the report names it.
        state_dir: where the last report is kept.
    """

    def __init__(
        self,
        library: StyleLibrary,
        judge: Callable[[], LlmJudge],
        teacher: str,
        state_dir: Path,
    ) -> None:
        self.library = library
        self.judge = judge
        self.teacher = teacher
        self.path = state_dir / FILE

    async def __call__(self, job: Job, context: JobContext) -> Outcome:
        """Rate every row and write the report. Raises TonesmithError."""
        request = AgreementRequest.model_validate(job.request)
        judge = self.judge()
        cards = {version.style.id: version.style for version in self.library.all(archived=None)}
        refuse_unknown(request.rows, cards, judge)
        found: list[Judged] = []
        for at in range(0, len(request.rows), judge.most):
            if context.cancelled:
                return Outcome(JobState.CANCELLED)
            part = request.rows[at : at + judge.most]
            found += zip(part, await verdicts(judge, cards, part), strict=True)
            context.progress(Progress(stage="judge", done=len(found), total=len(request.rows)))
        report = self.report(job.id, judge, found, request.seed)
        content = report.model_dump_json(indent=2).encode()
        await asyncio.to_thread(write_atomic, self.path, content)
        return Outcome(JobState.DONE, result=report.model_dump(mode="json"))

    def report(
        self, report_id: str, judge: LlmJudge, found: Sequence[Judged], seed: int
    ) -> AgreementReport:
        """Return the report on judged rows."""
        pairs = [one for _, one in found if isinstance(one, PairVerdict)]
        problems = Counter(one.problem for _, one in found if one.problem)
        return AgreementReport(
            id=report_id,
            created_at=now(),
            judge=judge.model,
            teacher=self.teacher,
            same_model=judge.same_as_teacher,
            rows=len(found),
            unjudged=problems.total(),
            problems=dict(problems.most_common(10)),
            flips=sum(pair.flipped for pair in pairs),
            criteria=agreements(found, seed),
        )


async def verdicts(
    judge: LlmJudge, cards: Mapping[str, Style], rows: Sequence[HumanRow]
) -> list[Rating | PairVerdict]:
    """Return what the judge says of some rows, asked at once. Raises what the judge raises."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(verdict(judge, cards, row)) for row in rows]
    except* TonesmithError as errors:
        failure = errors.exceptions[0]
    else:
        return [task.result() for task in tasks]
    raise failure


async def verdict(
    judge: LlmJudge, cards: Mapping[str, Style], row: HumanRow
) -> Rating | PairVerdict:
    """Return what the judge says of one row."""
    style = cards[row.style]
    if row.reply is not None:
        return await judge.rate(style, row.question, row.reply)
    return await judge.compare(style, row.question, row.first or "", row.second or "")


def agreements(found: Sequence[Judged], seed: int) -> list[Agreement]:
    """Return the agreement by criterion, overall, and on pairs; what nobody rated is left out."""
    scores: dict[str, list[tuple[int, int]]] = defaultdict(list)
    choices: list[tuple[str, str]] = []
    for row, one in found:
        if isinstance(one, PairVerdict):
            if row.preferred and one.outcome != "unjudged":
                choices.append((row.preferred, one.outcome))
            continue
        for name, person in row.ratings.items():
            if name in one.scores:
                scores[name].append((person, one.scores[name]))
        if row.rating is not None and one.mean is not None:
            scores[OVERALL].append((row.rating, int(one.mean + 0.5)))
    result = [score_agreement(name, pairs, seed=seed) for name, pairs in scores.items()]
    return result + ([choice_agreement(choices, seed=seed)] if choices else [])


def latest_agreement(state_dir: Path) -> AgreementReport | None:
    """Return the report that was written last, None where there is none or it cannot be read."""
    try:
        content = (state_dir / FILE).read_text(encoding="utf-8")
        return AgreementReport.model_validate_json(content)
    except (FileNotFoundError, ValidationError):
        return None
