"""Tests of the job that writes question sets."""

import asyncio
import json

import pytest

from contracts.dataset import Counts, DatasetManifest
from contracts.job import JobState
from contracts.lineage import Lineage
from contracts.question_set import QuestionSetRequest
from contracts.style import Language
from contracts.volume import MANIFEST, Volume
from datagen.app import handlers
from datagen.question_board import WRITTEN
from datagen.question_jobs import KIND, grid
from datagen.question_sets import (
    QUESTIONS,
    REJECTED,
    question_set_of,
    read_questions,
    set_manifest,
)
from datagen.questions import Bank
from datagen.scripted_questions import QuestionWriter, question_task
from datagen.services import Services
from fakes.question_bench import QuestionBench
from kit.worker import Worker

REQUEST = {"emotions": ["anxious"], "areas": ["work", "pets"], "per_cell": 2}


async def run(services: Services, name: str) -> JobState:
    """Run the queued job `name` to its final state; return it."""
    job = services.store.claim()
    assert job is not None
    await Worker(services.store, handlers(services)).run_job(job)
    return services.store.get(name).state


async def test_job_killed_after_publication_is_done_at_once(services: Services) -> None:
    """The published folder decides, not the table."""
    services.store.submit(KIND, "first", REQUEST)
    assert await run(services, "first") is JobState.DONE
    services.store._set("first", state=JobState.QUEUED)
    assert await run(services, "first") is JobState.DONE
    assert services.store.get("first").result["question_set_id"] == "first"
    rows = list(read_questions(services.volume.question_set("first")))
    assert len(rows) == 8
    assert all(row.persona and row.teacher == "scripted" for row in rows)
    await services.teacher.close()


async def test_full_volume_fails_the_job_with_the_way_out(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """507's code in the job, and a resume finishes it."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    services.store.submit(KIND, "third", REQUEST)
    monkeypatch.setattr("contracts.durable.os.fsync", full)
    assert await run(services, "third") is JobState.FAILED
    failed = services.store.get("third").error
    assert failed is not None
    assert failed.code == "storage_full"
    monkeypatch.undo()
    services.store.resume("third")
    assert await run(services, "third") is JobState.DONE
    await services.teacher.close()


@pytest.mark.parametrize("step", ["now", "write_document", "drop_leftovers", "publish_folder"])
async def test_set_that_is_cut_short_at_publication_asks_nothing_twice(
    services: Services, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """What was written outlives a kill at each step of the publication."""

    class KilledError(Exception):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    services.store.submit(KIND, "fifth", REQUEST)
    monkeypatch.setattr(f"datagen.question_publish.{step}", killed)
    assert await run(services, "fifth") is JobState.FAILED
    monkeypatch.undo()
    calls = services.metrics.teacher_requests.labels("scripted", "ok")._value.get()
    services.store.resume("fifth")
    assert await run(services, "fifth") is JobState.DONE
    assert services.metrics.teacher_requests.labels("scripted", "ok")._value.get() == calls
    folder = services.volume.question_set("fifth")
    assert {path.name for path in folder.iterdir()} == {QUESTIONS, REJECTED, MANIFEST}
    assert len(list(read_questions(folder))) == 8
    await services.teacher.close()


async def test_cancelled_job_keeps_what_it_has_and_can_be_resumed(services: Services) -> None:
    """Nothing is published; the journal stays, and the rest is asked for later."""
    services.store.submit(KIND, "second", REQUEST | {"per_cell": 20})
    job = services.store.claim()
    assert job is not None
    services.store.request_cancel("second")
    await Worker(services.store, handlers(services)).run_job(job)
    assert services.store.get("second").state is JobState.CANCELLED
    assert not (services.volume.question_set("second") / MANIFEST).exists()
    assert (services.volume.root / "questions" / ".tmp-second" / WRITTEN).exists()
    services.store.resume("second")
    assert await run(services, "second") is JobState.DONE
    assert set_manifest(services.volume, "second").counts.accepted == 80
    await services.teacher.close()


async def test_quota_that_the_tries_do_not_reach_ends_as_incomplete(services: Services) -> None:
    """With a dumb teacher the set is what there is, and the manifest names the short cells."""
    writer = services.authors.teacher

    class Halting:
        model, most = "halting", 2

        async def ask(self, messages: list[dict[str, str]], **options: object) -> object:
            task = json.loads(messages[-1]["content"])
            wanted = [{"role": "user", "content": messages[-1]["content"]}]
            if task["area"]["id"] == "pets":
                wanted = [{"role": "user", "content": json.dumps(task | {"people": []})}]
            return await writer.ask(messages[:1] + wanted, temperature=1.0, seed=1)

    object.__setattr__(services.authors, "teacher", Halting())
    services.store.submit(KIND, "fourth", REQUEST | {"max_attempts": 2})
    assert await run(services, "fourth") is JobState.INCOMPLETE
    manifest = set_manifest(services.volume, "fourth")
    assert manifest.status == "incomplete"
    assert manifest.short_cells == {"zh/pets/anxious": 2, "en/pets/anxious": 2}
    assert (manifest.counts.accepted, manifest.counts.given_up, manifest.counts.open) == (4, 4, 0)
    await writer.close()


def test_grid_is_the_request_in_an_even_order(banks: dict[Language, Bank]) -> None:
    """All cells of both languages by default; each once."""
    cells = grid(QuestionSetRequest(), banks)
    assert len({cell.id for cell in cells}) == len(cells) == 768
    some = grid(QuestionSetRequest(languages=["en"], emotions=["sad"]), banks)
    assert {cell.situation.emotion.id for cell in some} == {"sad"}
    assert len(some) == 16


def test_later_versions_know_the_set_of_the_first(volume: Volume) -> None:
    """A reviewed dataset has a request of its own: the root's one names the set."""

    def manifest(**fields: object) -> DatasetManifest:
        return DatasetManifest.model_validate(
            {
                "id": "root",
                "created_at": "2026-01-02T03:04:05Z",
                "source": "generated",
                "status": "complete",
                "conditioning": "system",
                "styles": [],
                "counts": Counts(),
                "rows": {},
                "files": {},
            }
            | fields
        )

    root = manifest(request={"questions": "mine"})
    volume.staging(volume.dataset("root"))
    volume.publish(volume.dataset("root"), root)
    later = manifest(id="next", lineage=Lineage(version=2, parent="root", root="root"))
    assert question_set_of(volume, root) == question_set_of(volume, later) == "mine"
    orphan = manifest(id="next", lineage=Lineage(version=2, parent="gone", root="gone"))
    assert question_set_of(volume, orphan) == "bank"
    assert question_set_of(volume, manifest()) == "bank"


def test_scripted_teacher_tells_a_task_from_a_chat(
    banks: dict[Language, Bank], tmp_path_factory: pytest.TempPathFactory, services: Services
) -> None:
    """What is no task is none; a task that it cannot write is refused."""
    for text in ("今天好累。", "{", "[]", '{"task": "other"}'):
        assert question_task(text) is None
    writer = QuestionWriter(banks, services.authors.personas)
    for task in ({}, {"language": "fr"}, {"language": "zh", "area": 7}):
        with pytest.raises(ValueError, match="no task"):
            writer.reply(task, 1)
    bench = QuestionBench(tmp_path_factory.mktemp("work"), services.shipped, banks)
    request = QuestionSetRequest(languages=["zh"], emotions=["sad"], areas=["work"])
    board = asyncio.run(bench.run(request))
    assert board.counts().accepted == 2
