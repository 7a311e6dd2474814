"""The client and the real datagen agree: every route of quality, reviews, votes, the studio."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from client.datagen import DatagenClient
from client.errors import ServiceError
from contracts.job import JobState
from contracts.quality import Thresholds
from contracts.review import (
    ReviewChange,
    ReviewEdit,
    ReviewFilter,
    ReviewPublication,
    ReviewQuery,
    ReviewRegeneration,
    ReviewReplacement,
)
from contracts.studio import ConfusionRequest, PreviewRequest
from contracts.volume import Volume
from contracts.votes import PairRequest, Vote
from datagen.app import create_app
from datagen.config import Settings
from fakes.character_cards import card_v2, png, text_chunk
from fakes.recording import Recording
from fakes.reviewed import FIRST, publish_first
from fakes.running import running
from repository import ROOT

TAGS = {"reviews", "versions", "votes", "studio", "quality"}
REPLY = "哼，谁要特地帮你啊！早点睡就是了。"


def service_over(folder: Path) -> Recording:
    """Return the real app over a published dataset, recorded; its teacher never errs."""
    publish_first(Volume(folder / "data"))
    settings = Settings(
        data_dir=folder / "data",
        state_dir=folder / "state",
        shipped_dir=ROOT / "services" / "datagen",
        teacher_flaw_rate=0.0,
    )
    return Recording(create_app(settings))


@pytest.fixture
def service(tmp_path: Path) -> Recording:
    """A fresh service."""
    return service_over(tmp_path)


@pytest.fixture
def client(service: Recording) -> Iterator[DatagenClient]:
    """A client that reaches it over a real socket."""
    with running(service) as url, DatagenClient(url) as client:
        yield client


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatagenClient]:
    """A client of a service that is only asked for what it must refuse."""
    service = service_over(tmp_path_factory.mktemp("idle"))
    with running(service) as url, DatagenClient(url) as client:
        yield client


def test_every_route_is_reached_and_answers_a_contract(
    client: DatagenClient, service: Recording
) -> None:
    """One journey asks all of them; a new route without a client method fails here."""
    review_rows(client)
    made = review_ends(client)
    versions(client, made)
    votes(client)
    studio(client)
    quality(client)
    routes = {
        (method.upper(), path)
        for path, methods in service.app.openapi()["paths"].items()
        for method, about in methods.items()
        if TAGS.intersection(about.get("tags", ()))
    }
    assert routes
    assert routes <= service.asked


def review_rows(client: DatagenClient) -> None:
    """Look at rows, decide, edit, replace, undo."""
    review = client.review(FIRST)
    assert review.open() == review.show()
    page = review.rows(ReviewQuery(style="tsundere", rows=[0, 1, 2], order="number"))
    assert [row.number for row in page.rows] == [0, 1, 2]
    assert review.row(1) == page.rows[1]
    assert len(list(review.every_row(ReviewQuery(limit=7)))) == 43
    change = ReviewChange(revision=0, action="reject", filter=ReviewFilter(style="gentle"))
    assert review.decide(change).changed == 10
    assert review.edit(1, ReviewEdit(revision=1, reply=REPLY)).review.revision == 2
    text = ReviewReplacement(
        revision=2, filter=ReviewFilter(rows=[1]), find="早点", replacement="快去"
    )
    assert review.replace(text).changed == 1
    assert review.undo(3, steps=2).changed == 1
    assert [step.action for step in review.steps(limit=2)] == ["undo", "replace"]


def review_ends(client: DatagenClient) -> str:
    """Ask the teacher again, follow its job, publish; return the new version."""
    review = client.review(FIRST)
    before = review.row(2)
    wanted = ReviewRegeneration(revision=4, filter=ReviewFilter(rows=[2, 3]))
    job = review.jobs.wait(review.regenerate(wanted).id)
    assert job.state is JobState.DONE, job
    assert job.result == {"changed": 2, "refused": {}}
    # A quick job is over before `wait` needs its events: they are asked for here in any case.
    assert job.id in client.text(f"/reviews/jobs/{job.id}/events")
    fresh = review.row(2)
    assert (fresh.edit, fresh.decision, fresh.original) == ("teacher", "open", before.reply)
    assert review.jobs.newest()[0].id == review.jobs.get(job.id).id
    for call in (review.jobs.cancel, review.jobs.resume):
        with pytest.raises(ServiceError) as caught:
            call(job.id)
        assert caught.value.status == 409
    manifest = review.publish(ReviewPublication(revision=5))
    assert manifest.lineage is not None
    assert manifest.lineage.review is not None
    assert manifest.lineage.review.regenerated == 2
    return manifest.id


def versions(client: DatagenClient, made: str) -> None:
    """List, trace, compare, go back."""
    known = client.versions(FIRST)
    assert [one.id for one in known.all()] == [FIRST, made]
    assert client.versions(made).lineage() == known.all()
    diff = known.diff(made, change="changed", limit=1)
    assert (diff.counts.changed, diff.counts.removed, len(diff.rows)) == (2, 10, 1)
    restored = client.versions(made).roll_back(FIRST, name="back")
    assert restored.id.startswith("back-")
    assert known.diff(restored.id).counts.same == 40


def votes(client: DatagenClient) -> None:
    """Vote, count, make pairs, forget."""
    vote = Vote(
        question="好累呀", reply="睡吧。", style="tsundere", model="m.v1", value=-1,
        correction=REPLY, user="u1",
    )  # fmt: skip
    stored = client.votes.add(vote)
    assert client.votes.page(style="tsundere") == [stored]
    assert client.votes.counts().corrections == 1
    paired = client.votes.publish_pairs(PairRequest(dataset_id=FIRST, sources=["votes"]))
    assert paired.rows["preference"] == 1
    assert client.votes.forget("u1") == 1


def studio(client: DatagenClient) -> None:
    """Preview, compare, import."""
    card = client.style("tsundere").style
    preview = client.studio.preview(PreviewRequest(card=card, question="明天要考试，好紧张。"))
    assert (preview.accepted, preview.version) == (True, 1)
    found = client.studio.confusion(ConfusionRequest(styles=["tsundere", "gentle"], replies=4))
    assert found.replies == 8
    for content in (png(text_chunk("chara", card_v2())), json.dumps(card_v2()).encode()):
        assert client.studio.import_card(content).draft["id"] == "lady-ada"


def quality(client: DatagenClient) -> None:
    """Report card, its page, other thresholds, one row explained."""
    found = client.quality(FIRST)
    card = found.card()
    assert (card.dataset_id, card.rows) == (FIRST, 40)
    assert found.coverage() == card.coverage
    assert FIRST in client.text(found.card_url().removeprefix(client.url))
    limits = Thresholds(shortest=4000)
    preview = found.preview(limits)
    assert preview.kept_then == 0
    row = next(gate for gate in preview.gates if gate.refused).examples[0].row
    told = found.explain(row, limits)
    assert (told.row, told.refused_for, told.would_be_refused_for) == (row, None, "too_short")
    assert found.explain(row).would_be_refused_for != "too_short"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("GET", "/datasets/none/review", None, 404, "dataset_id"),
        ("GET", f"/datasets/{FIRST}/review", None, 404, "dataset_id"),
        ("POST", "/datasets/none/review", None, 404, "dataset_id"),
        ("POST", "/datasets/..%2fx/review", None, 404, None),
        ("POST", "/datasets/A/review", None, 404, "dataset_id"),
        ("GET", f"/datasets/{FIRST}/review/rows?limit=9999", None, 422, "query.limit"),
        ("GET", f"/datasets/{FIRST}/review/rows?colour=red", None, 422, "query.colour"),
        ("GET", f"/datasets/{FIRST}/review/rows?uncertain_from=2", None, 422,
         "query.uncertain_from"),
        ("POST", f"/datasets/{FIRST}/review/decisions", {"revision": 0}, 422, "action"),
        ("POST", f"/datasets/{FIRST}/review/decisions",
         {"revision": 0, "action": "note", "filter": {}}, 422, "note"),
        ("PUT", f"/datasets/{FIRST}/review/rows/1", {"revision": 0, "reply": " "}, 422, "reply"),
        ("POST", f"/datasets/{FIRST}/review/undo", {"revision": 0, "steps": 0}, 422, "steps"),
        ("POST", f"/datasets/{FIRST}/review/publish", {"revision": 0, "name": "../x"}, 422, "name"),
        ("GET", "/datasets/none/report-card", None, 404, "dataset_id"),
        ("POST", f"/datasets/{FIRST}/preview", {"echo": 7}, 422, "echo"),
        ("GET", f"/datasets/{FIRST}/explanation", None, 422, "query.row"),
        ("GET", f"/datasets/{FIRST}/explanation?row=nobody", None, 404, "row"),
        ("GET", f"/datasets/{FIRST}/diff?to=none", None, 404, "to"),
        ("GET", f"/datasets/{FIRST}/diff", None, 422, "query.to"),
        ("GET", "/datasets/none/versions", None, 404, "dataset_id"),
        ("GET", "/datasets/none/lineage", None, 404, "dataset_id"),
        ("POST", f"/datasets/{FIRST}/rollback", {"to": FIRST}, 409, "to"),
        ("POST", f"/datasets/{FIRST}/rollback", {"to": "none"}, 404, "to"),
        ("POST", "/votes", {"question": "q"}, 422, "reply"),
        ("POST", "/votes", {"question": "q", "reply": "r", "style": "nobody", "model": "m",
                            "value": 1}, 404, "style"),
        ("POST", "/votes", {"question": "q", "reply": "r", "style": "gentle", "model": "m",
                            "value": 1, "correction": "r"}, 422, "correction"),
        ("DELETE", "/votes/users/a%20b", None, 422, "path.user"),
        ("POST", "/datasets/preferences", {"dataset_id": "none"}, 404, "dataset_id"),
        ("POST", "/datasets/preferences", {"dataset_id": FIRST, "sources": ["votes"]}, 409,
         "sources"),
        ("POST", "/datasets/preferences", {"dataset_id": FIRST, "sources": []}, 422, "sources"),
        ("POST", "/styles/preview", {"question": "q"}, 422, "card"),
        ("POST", "/styles/confusion", {"styles": ["gentle"]}, 422, "styles"),
        ("POST", "/styles/confusion", {"styles": ["gentle", "nobody"]}, 404, "style"),
        ("POST", "/styles/import", {"profile": {}}, 422, "profile.name"),
    ],
)  # fmt: skip
def test_bad_request_names_the_field(
    idle: DatagenClient, method: str, path: str, body: Any, status: int, field: str | None
) -> None:
    """4xx with our body; nothing is published and no review is opened by it."""
    with pytest.raises(ServiceError) as caught:
        idle.send(method, path, dict[str, Any], json=body)
    assert (caught.value.status, caught.value.body.field) == (status, field)
    assert caught.value.body.message
    assert [one.id for one in idle.datasets()] == [FIRST]
    with pytest.raises(ServiceError):
        idle.review(FIRST).show()


def test_stale_revision_and_refusing_gate_are_told_apart(client: DatagenClient) -> None:
    """Both are 409; the code says which, the hint what to do."""
    review = client.review(FIRST)
    review.open()
    change = ReviewChange(revision=0, action="reject", filter=ReviewFilter(rows=[0]))
    review.decide(change)
    with pytest.raises(ServiceError) as stale:
        review.edit(0, ReviewEdit(revision=0, reply=REPLY))
    assert (stale.value.status, stale.value.body.code) == (409, "conflict")
    assert stale.value.body.field == "revision"
    with pytest.raises(ServiceError) as gate:
        review.edit(0, ReviewEdit(revision=1, reply="作为一个AI，很高兴为您服务啦！"))
    assert (gate.value.status, gate.value.body.code) == (409, "gate_refused")
    assert "force=true" in str(gate.value.body.hint)
    with pytest.raises(ServiceError) as late:
        review.publish(ReviewPublication(revision=0))
    assert (late.value.status, late.value.body.field) == (409, "revision")
