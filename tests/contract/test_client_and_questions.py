"""The client and the real datagen agree on question sets: from a written grid to an evaluation."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from client.datagen import DatagenClient
from client.errors import ServiceError
from contracts.dataset import DatasetRequest
from contracts.job import JobState
from contracts.question_set import QuestionImport, QuestionSetRequest
from contracts.volume import Volume
from datagen.app import create_app
from datagen.config import Settings
from datagen.heldout import load_dataset, plan
from datagen.questions import load_banks
from datagen.split import questions_of
from datagen.text import letters
from fakes.recording import Recording
from fakes.running import running
from repository import ROOT

SHIPPED = ROOT / "services" / "datagen"
GRID = QuestionSetRequest(emotions=["anxious", "happy"], areas=["work", "pets"], per_cell=4)


@pytest.fixture
def service(tmp_path: Path) -> Recording:
    """The real app with the scripted teacher, recorded."""
    settings = Settings(
        data_dir=tmp_path / "data", state_dir=tmp_path / "state", shipped_dir=SHIPPED
    )
    return Recording(create_app(settings))


@pytest.fixture
def client(service: Recording) -> Iterator[DatagenClient]:
    """A client that reaches it over a real socket."""
    with running(service) as url, DatagenClient(url) as client:
        yield client


def test_grid_is_written_generated_from_and_mapped(
    client: DatagenClient, service: Recording, tmp_path: Path
) -> None:
    """Every route is reached; nothing that evaluations ask was trained on."""
    sets = client.questions
    job = sets.jobs.wait(sets.write(GRID, key="k").id)
    assert job.state is JobState.DONE, job
    # A quick job is over before `wait` needs its events: they are asked for here in any case.
    assert job.id in client.text(f"/questions/jobs/{job.id}/events")
    assert sets.write(GRID, key="k").id == job.id
    assert sets.jobs.newest()[0].id == sets.jobs.get(job.id).id
    manifest = sets.get(job.id)
    assert sets.all() == [manifest]
    assert manifest.counts.accepted == manifest.counts.asked == 32
    rows = sets.questions(job.id, limit=1000)
    assert len(rows) == 32
    assert len(sets.rejected(job.id)) == sum(manifest.counts.rejected.values())

    request = DatasetRequest(
        styles=["tsundere", "dry-butler"], per_style=8, questions=job.id, multi_turn_ratio=0.25
    )
    made = client.dataset_jobs.wait(client.generate(request).id)
    assert made.state is JobState.DONE, made
    train = {letters(row.text) for row in rows if row.split == "train"}
    for sample in client.samples(made.id):
        assert questions_of(sample)[0] in train
        assert sample.situation in {"work/anxious", "work/happy", "pets/anxious", "pets/happy"}
    found = client.coverage(made.id)
    for style, counts in found.counts.items():
        assert set(counts.values()) == {2}
        assert len(counts) + len(found.empty[style]) == found.balance[style].cells.places == 384
    for call in (sets.jobs.cancel, sets.jobs.resume):
        with pytest.raises(ServiceError) as caught:
            call(job.id)
        assert caught.value.status == 409
    import_file(client, tmp_path)
    asked_of(service, {"questions"})
    heldout_is_asked(Volume(tmp_path / "data"), made.id)


def import_file(client: DatagenClient, folder: Path) -> None:
    """Bring a file; a wrong line is named, a wrong option too."""
    path = folder / "own.csv"
    path.write_text("question,emotion\n今天风真大，你那边呢？,happy\n", encoding="utf-8")
    seen = client.questions.preview_file(path, QuestionImport())
    assert (seen.rows, seen.accepted, seen.problems) == (1, 1, [])
    assert client.questions.import_file(path, QuestionImport()).languages == {"zh": 1}
    path.write_text("question,emotion\n今天风真大，你那边呢？,huffy\n", encoding="utf-8")
    with pytest.raises(ServiceError, match="line 2, emotion") as caught:
        client.questions.import_file(path, QuestionImport())
    assert caught.value.status == 422


def asked_of(service: Recording, tags: set[str]) -> None:
    """Every route with one of `tags` was asked for."""
    routes = {
        (method.upper(), path)
        for path, methods in service.app.openapi()["paths"].items()
        for method, about in methods.items()
        if tags.intersection(about.get("tags", ()))
    }
    assert routes
    assert routes <= service.asked


def heldout_is_asked(volume: Volume, dataset_id: str) -> None:
    """An evaluation asks the set's held-out part, in the language of each style."""
    dataset = load_dataset(volume, dataset_id)
    asked = plan(dataset, load_banks(SHIPPED / "questions"), 20, 7)
    assert {one.style for one in asked} == {"tsundere", "dry-butler"}
    held = {row.text for row in dataset.question_set or () if row.split == "heldout"}
    assert {one.question for one in asked} == held
    trained = {question for sample in dataset.train for question in questions_of(sample)}
    assert not {letters(one.question) for one in asked} & trained


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"emotions": ["huffy"]}, "emotions"),
        ({"areas": ["moon"]}, "areas"),
        ({"languages": ["fr"]}, "languages"),
        ({"languages": []}, "languages"),
        ({"emotions": ["sad", "sad"]}, "emotions"),
        ({"emotions": ["panicked"]}, "emotions"),  # the English bank has no such emotion
        ({"per_cell": 0}, "per_cell"),
        ({"percell": 3}, "percell"),
        ({"name": "../up"}, "name"),
    ],
)
def test_bad_grid_is_refused_with_its_field(
    client: DatagenClient, tmp_path: Path, body: dict[str, Any], field: str
) -> None:
    """422 at once; no job is made."""
    with pytest.raises(ServiceError) as caught:
        client.send("POST", "/questions", QuestionSetRequest, json=body)
    assert caught.value.status == 422
    assert field in str(caught.value)
    assert client.questions.jobs.newest() == []


def test_dataset_of_an_unknown_set_is_refused(client: DatagenClient, tmp_path: Path) -> None:
    """404 for no such set; 422 where it has nothing in a style's language."""
    with pytest.raises(ServiceError) as caught:
        client.generate(DatasetRequest(questions="none"))
    assert caught.value.status == 404
    path = tmp_path / "own.txt"
    path.write_text("今天风真大，你那边呢？\n昨天的雨真大，你淋着没有？\n", encoding="utf-8")
    chinese = client.questions.import_file(path, QuestionImport()).id
    with pytest.raises(ServiceError, match="no training question in en") as refused:
        client.generate(DatasetRequest(questions=chinese, styles=["dry-butler"]))
    assert refused.value.status == 422
    request = DatasetRequest(questions=chinese, styles=["tsundere"], per_style=2, eval_ratio=0)
    made = client.dataset_jobs.wait(client.generate(request).id)
    assert made.state is JobState.DONE, made
    assert client.coverage(made.id).unknown == {"tsundere": 2}
