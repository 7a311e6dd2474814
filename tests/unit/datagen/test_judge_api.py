"""Tests of the judge over HTTP: agreement with people, ratings of a dataset, and their gate."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from contracts.dataset import ImportRequest
from datagen.app import create_app
from datagen.config import Settings
from datagen.importing import import_file
from datagen.judges import open_judge
from datagen.services import open_services
from fakes.judge import WORD, FakeJudge
from fakes.running import running
from fakes.teacher import FakeTeacher
from kit.config import SettingsError

ROW = {"style": "gentle", "question": "好累。"}
PEOPLE = [
    *(ROW | {"reply": f"{WORD} 抱抱你 {n}", "ratings": {"empathy": 5}} for n in range(3)),
    *(ROW | {"reply": f"哦 {n}", "rating": 2, "ratings": {"empathy": 1}} for n in range(3)),
    ROW | {"first": f"{WORD}。", "second": "普通的话。", "preferred": "first"},
]


def with_judge(settings: Settings, address: str, **more: Any) -> Settings:
    """Return settings that name a judge."""
    return settings.model_copy(update={"judge_base_url": f"{address}/v1", **more})


@pytest.fixture
def judge() -> FakeTeacher:
    """An honest judge that records what it is asked."""
    return FakeTeacher(FakeJudge("honest"))


@pytest.fixture
def client(settings: Settings, judge: FakeTeacher) -> Iterator[TestClient]:
    """The whole service, with that judge behind the real network."""
    with running(judge) as address, TestClient(create_app(with_judge(settings, address))) as client:
        yield client


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as a file."""
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def finished(client: TestClient, prefix: str, job: dict[str, Any]) -> dict[str, Any]:
    """Return a job once it has ended."""
    deadline = time.monotonic() + 60
    while True:
        found: dict[str, Any] = client.get(f"{prefix}/jobs/{job['id']}").json()
        if found["state"] not in ("queued", "running"):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def imported(root: Path) -> str:
    """Publish six good rows and six that the honest judge thinks little of; return the id."""
    rows = [
        {
            "user": f"{n}怎么办呢？",
            "assistant": f"别怕，先{n}，{word}慢慢来就好。",
            "style": "gentle",
        }
        for word in (WORD, "")
        for n in ("喝口水", "睡一觉", "出门走走", "写下来", "给朋友打电话", "把桌子收拾好")
    ]
    dataset = import_file(root, json.dumps(rows).encode(), ImportRequest()).dataset_id
    assert dataset
    return dataset


def test_agreement_is_measured_stored_and_shown(client: TestClient) -> None:
    """By criterion, overall and on pairs; the report stays."""
    assert client.get("/judge/agreement").status_code == 404
    job = client.post("/judge/agreement", content=jsonl(PEOPLE))
    assert job.status_code == 202
    assert finished(client, "/judge", job.json())["state"] == "done"
    report = client.get("/judge/agreement").json()
    found = {one["criterion"]: one for one in report["criteria"]}
    assert set(found) == {"empathy", "overall", "preference"}
    assert (found["empathy"]["rows"], found["empathy"]["near"]["value"]) == (6, 1.0)
    assert found["empathy"]["kappa"]["low"] < found["empathy"]["kappa"]["value"] < 1
    assert found["preference"]["equal"]["value"] == 1.0
    assert (report["rows"], report["unjudged"], report["judge"]) == (7, 0, "judge")


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"style": "gentle", "question": "好累。", "reply": "嗯", "rating": 6}, "rating"),
        ({"style": "gentle", "question": "好累。", "reply": "嗯"}, "row"),
        ({"style": "pirate", "question": "好累。", "reply": "嗯", "rating": 3}, "style"),
        (
            {"style": "gentle", "question": "好累。", "reply": "嗯", "ratings": {"charm": 3}},
            "ratings",
        ),
    ],
)
def test_a_bad_row_is_refused_with_its_field(
    client: TestClient, judge: FakeTeacher, row: dict[str, Any], field: str
) -> None:
    """Before anything is asked, or paid."""
    found = client.post("/judge/agreement", content=jsonl([PEOPLE[0], row]))
    assert (found.status_code, found.json()["error"]["field"]) == (422, field)
    assert "2" in found.json()["error"]["message"]
    assert judge.calls == []


def test_the_judges_gate_explains_itself(
    client: TestClient, settings: Settings, judge: FakeTeacher
) -> None:
    """Rows below the threshold would go, with their scores; unrated rows stay."""
    dataset = imported(settings.data_dir)
    nothing = client.post(f"/datasets/{dataset}/preview", json={"judge": 3})
    assert (nothing.status_code, nothing.json()["error"]["field"]) == (422, "judge")
    job = client.post(f"/datasets/{dataset}/judge").json()
    assert finished(client, "/judgings", job)["result"] == {
        "rows": 12, "unjudged": 0, "judge": "judge",
    }  # fmt: skip
    preview = client.post(f"/datasets/{dataset}/preview", json={"judge": 3}).json()
    gate = next(one for one in preview["gates"] if one["reason"] == "judge")
    assert (gate["refused"], preview["kept_now"] - preview["kept_then"]) == (6, 6)
    assert gate["examples"][0]["detail"].startswith("judge 2.0: style_strength 2, empathy 2")
    assert all(WORD not in one["reply"] for one in gate["examples"])
    card = client.get(f"/datasets/{dataset}/report-card").json()
    assert card["clean"] == 12  # at 0 the gate is off


def test_rated_rows_are_not_paid_for_twice(
    client: TestClient, settings: Settings, judge: FakeTeacher
) -> None:
    """A part first, then the rest."""
    dataset = imported(settings.data_dir)
    finished(client, "/judgings", client.post(f"/datasets/{dataset}/judge?rows=5").json())
    assert len(judge.calls) == 5
    finished(client, "/judgings", client.post(f"/datasets/{dataset}/judge").json())
    assert len(judge.calls) == 12


def test_without_a_judge_it_is_said_how_to_name_one(settings: Settings) -> None:
    """409 and the settings that are missing; nothing starts."""
    with TestClient(create_app(settings)) as client:
        found = client.post("/judge/agreement", content=jsonl(PEOPLE))
        assert found.status_code == 409
        assert "JUDGE_BASE_URL" in found.json()["error"]["hint"]
        dataset = imported(settings.data_dir)
        assert client.post(f"/datasets/{dataset}/judge").status_code == 409


def test_a_judge_is_paid_from_the_teachers_budget(settings: Settings, shipped: Path) -> None:
    """One ledger for both; a budget without the judge's prices is refused at the start."""
    prices = {
        "teacher_base_url": "http://127.0.0.1:9/v1",
        "teacher_model": "one",
        "teacher_input_dollars": 1.0,
        "teacher_output_dollars": 1.0,
        "budget_dollars": 5.0,
    }
    dear = with_judge(settings, "http://127.0.0.1:9", **prices)
    with pytest.raises(SettingsError, match="JUDGE_INPUT_DOLLARS"):
        open_judge(dear, *opened(dear, judge=False), shipped)
    paid = {"judge_input_dollars": 1.0, "judge_output_dollars": 2.0, "judge_model": "one"}
    known = dear.model_copy(update=paid | {"state_dir": settings.state_dir / "other"})
    services = open_services(known)
    assert services.judge
    assert services.judge.asked.ledger is services.teacher.ledger  # type: ignore[attr-defined]
    assert services.judge.same_as_teacher
    services.store.close()


def opened(settings: Settings, *, judge: bool) -> tuple[Any, Any]:
    """Return the metrics and the teacher of a service."""
    services = open_services(
        settings if judge else settings.model_copy(update={"judge_base_url": None})
    )
    services.store.close()
    return services.metrics, services.teacher
