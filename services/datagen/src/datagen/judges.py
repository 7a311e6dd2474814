"""The judge that the operator named, opened with the teacher's means: pace, patience, budget."""

from pathlib import Path

from starlette.types import Receive, Scope, Send

from datagen.asking import Teacher
from datagen.budget import Ledger
from datagen.config import Settings
from datagen.llm_judge import LlmJudge
from datagen.metrics import Metrics
from datagen.roster import TeacherSpec, specs_of
from datagen.rubric import load_rubrics
from datagen.teacher import make_teacher
from datagen.teachers import Asked, Teachers
from kit.config import SettingsError
from kit.errors import ConflictError

# The judge's label in the teacher's metrics and in what they cost.
LABEL = "judge"


def judge_spec(settings: Settings) -> TeacherSpec | None:
    """Return the judge's endpoint, None where no judge is named."""
    if settings.judge_base_url is None:
        return None
    return TeacherSpec(
        id=LABEL,
        base_url=settings.judge_base_url,
        model=settings.judge_model,
        api_key_file=settings.judge_api_key_file,
        concurrency=settings.teacher_concurrency,
        least_concurrency=settings.teacher_least_concurrency,
        timeout_seconds=settings.teacher_timeout_seconds,
        input_dollars=settings.judge_input_dollars,
        output_dollars=settings.judge_output_dollars,
    )


def open_judge(
    settings: Settings, metrics: Metrics, teacher: Asked, shipped: Path
) -> LlmJudge | None:
    """Return the judge of the settings, None where there is none.

    It is paid from the teacher's budget. Raises SettingsError where that cannot be kept.
    """
    spec = judge_spec(settings)
    if spec is None:
        return None
    if settings.budget_dollars is not None and spec.prices is None:
        raise SettingsError(
            "DATAGEN_BUDGET_DOLLARS needs JUDGE_INPUT_DOLLARS and JUDGE_OUTPUT_DOLLARS too"
        )
    asked = make_teacher(
        spec, metrics, ledger_of(teacher), unreachable, settings.teacher_patience_seconds
    )
    written_by = {one.model for one in specs_of(settings)}
    return LlmJudge(
        asked,
        load_rubrics(shipped / "rubrics"),
        model=spec.model,
        same_as_teacher=spec.model in written_by,
    )


def ledger_of(teacher: Asked) -> Ledger:
    """Return what keeps the teachers' budget."""
    if isinstance(teacher, Teachers):
        return teacher.members[0].ledger
    return teacher.ledger if isinstance(teacher, Teacher) else Ledger()


async def unreachable(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer nothing: a judge always has an address."""
    raise AssertionError("the judge has an address")


def needed(judge: LlmJudge | None) -> LlmJudge:
    """Return the judge. Raises ConflictError where there is none."""
    if judge is None:
        raise ConflictError(
            "there is no judge",
            hint="set JUDGE_BASE_URL and JUDGE_MODEL (another family than the teacher), restart",
        )
    return judge
