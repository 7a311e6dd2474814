"""What a generation will take, against what it takes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from contracts.dataset import DatasetRequest
from contracts.style import Language, StyleVersion
from datagen.app import create_app
from datagen.asking import Teacher
from datagen.config import Settings
from datagen.errors import TeacherSetupError
from datagen.estimate import Estimator
from datagen.generate import Generation, Plan
from datagen.metrics import Metrics
from datagen.prompts import Prompts
from datagen.questions import Bank
from datagen.scripted import ScriptedTeacher, scripted_app
from datagen.teacher import open_teacher
from fakes.teacher import FakeTeacher

REQUEST = DatasetRequest(per_style=40, multi_turn_ratio=0.5, turns=3)
PRICED = {"TEACHER_INPUT_DOLLARS": "2", "TEACHER_OUTPUT_DOLLARS": "8"}


@pytest.fixture
def teacher(tmp_path: Path, versions: list[StyleVersion], banks: dict[Language, Bank]) -> Teacher:
    """A teacher that reports characters as tokens and errs now and then."""
    scripted = ScriptedTeacher(lambda: [version.style for version in versions], banks, 0.1)
    settings = Settings.from_environ(PRICED | {"DATAGEN_STATE_DIR": str(tmp_path / "state")})
    return open_teacher(settings, Metrics(), scripted_app(scripted))


async def test_estimate_is_near_what_the_generation_takes(
    tmp_path: Path,
    versions: list[StyleVersion],
    banks: dict[Language, Bank],
    shipped: Path,
    teacher: Teacher,
) -> None:
    """Within a third, from twelve calls; they are paid like all others."""
    prompts = Prompts(shipped / "prompts")
    said = await Estimator(banks, prompts, teacher).estimate(REQUEST, versions, 12)
    before = teacher.ledger.total
    assert before > 0
    generation = Generation(
        tmp_path,
        Plan(request=REQUEST, styles=versions),
        banks=banks,
        prompts=prompts,
        teacher=teacher,
        metrics=teacher.metrics,
    )
    board = await generation.run(8)
    assert (said.rows, said.measured_calls) == (80, 12)
    assert said.calls == pytest.approx(board.calls, rel=0.33)
    assert said.dollars == pytest.approx(teacher.ledger.total - before, rel=0.33)
    assert len(said.assumptions) == 5
    await teacher.close()


async def test_teacher_without_usage_cannot_be_estimated(
    versions: list[StyleVersion], banks: dict[Language, Bank], shipped: Path
) -> None:
    """Nothing is made up."""

    class Silent(FakeTeacher):
        def respond(self, *_: object) -> tuple[int, str, bytes, list[tuple[bytes, bytes]]]:
            return 200, "application/json", b'{"choices": [{"message": {"content": "hi"}}]}', []

    silent = open_teacher(Settings(), Metrics(), Silent(lambda _: ""))
    with pytest.raises(TeacherSetupError, match="reports its tokens"):
        await Estimator(banks, Prompts(shipped / "prompts"), silent).estimate(REQUEST, versions, 2)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """A running service with the scripted teacher."""
    with TestClient(create_app(settings)) as client:
        yield client


def test_estimate_is_asked_over_http(client: TestClient) -> None:
    """Without prices there are no dollars; an unknown style is refused as by a generation."""
    body = {"styles": ["tsundere"], "per_style": 5, "multi_turn_ratio": 0}
    said = client.post("/datasets/estimate", params={"calls": 3}, json=body).json()
    assert said["rows"] == 5
    assert (said["dollars"], said["budget_left"]) == (None, None)
    assert said["input_tokens"] > 0
    assert client.post("/datasets/estimate", json={"styles": ["nobody"]}).status_code == 404
    assert client.post("/datasets/estimate", params={"calls": 99}, json=body).status_code == 422
