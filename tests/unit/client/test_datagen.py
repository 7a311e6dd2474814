"""The client of datagen."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from client.datagen import DatagenClient
from contracts.dataset import DatasetRequest, ImportRequest
from contracts.evaluation import EvaluationRequest
from contracts.review import ReviewQuery
from fakes.tonesmith_services import ESTIMATE, REPLIES, FakeServices


@pytest.fixture
def fake() -> FakeServices:
    return FakeServices()


@pytest.fixture
def datagen(fake: FakeServices) -> Iterator[DatagenClient]:
    with DatagenClient("http://127.0.0.1:8001", transport=fake.transport) as client:
        yield client


def test_styles_are_models(datagen: DatagenClient) -> None:
    """The library, one style and its versions come as contracts."""
    assert datagen.styles()[0] == datagen.style("calm") == datagen.style_versions("calm")[0]


def test_card_travels_as_written(fake: FakeServices, datagen: DatagenClient) -> None:
    """The author's bytes arrive unchanged."""
    assert datagen.put_style("calm", b"id: calm\n").version == 1
    assert fake.requests[0].content == b"id: calm\n"


def test_idempotency_key_travels(fake: FakeServices, datagen: DatagenClient) -> None:
    """A repeated submission can be recognised."""
    job = datagen.generate(DatasetRequest(per_style=3), key="abc")
    assert job.id == "demo-1"
    assert fake.requests[0].headers["Idempotency-Key"] == "abc"
    assert json.loads(fake.requests[0].content)["per_style"] == 3


def test_estimate_asks_for_so_many_calls(fake: FakeServices, datagen: DatagenClient) -> None:
    """The request is the body, the calls that may be paid for it the query."""
    fake.answers["POST /datasets/estimate"] = lambda _: httpx.Response(200, json=ESTIMATE)
    assert datagen.estimate(DatasetRequest(per_style=3), calls=2).dollars == 1.25
    assert json.loads(fake.requests[0].content)["per_style"] == 3
    assert fake.requests[0].url.params["calls"] == "2"


def test_import_sends_the_file(fake: FakeServices, datagen: DatagenClient, tmp_path: Path) -> None:
    """Rows are the body, options the query; open options are no text."""
    rows = tmp_path / "rows.json"
    rows.write_bytes(b"[]")
    answer = {"dataset_id": "imported-1", "accepted": 2, "rejected": {"echo": 1}}
    fake.answers["POST /datasets/import"] = lambda _: httpx.Response(200, json=answer)
    assert datagen.import_file(rows, ImportRequest(name="mine")).accepted == 2
    request = fake.requests[0]
    assert request.content == b"[]"
    assert request.url.params["name"] == "mine"
    assert request.url.params["conditioning"] == "system"


def test_rows_are_asked_for_by_state(fake: FakeServices, datagen: DatagenClient) -> None:
    """Accepted and rejected rows are different models of one route."""
    fake.answers["GET /datasets/demo-1/samples"] = lambda _: httpx.Response(200, json=[])
    assert datagen.samples("demo-1", style="calm") == []
    assert datagen.rejected("demo-1") == []
    states = [request.url.params["state"] for request in fake.requests]
    assert states == ["accepted", "rejected"]


def test_evaluation_is_a_report_with_replies(datagen: DatagenClient) -> None:
    """A job leads to a report, its replies and its page."""
    job = datagen.evaluate(EvaluationRequest(dataset_id="demo-1"))
    assert datagen.evaluation(job.id) == datagen.evaluations()[0]
    assert {reply.contestant for reply in datagen.replies(job.id)} == {"base", "tuned"}
    assert datagen.report_url(job.id).endswith(f"/evaluations/{job.id}/report.html")


def test_datasets_are_manifests(datagen: DatagenClient) -> None:
    """Each published dataset says what it is."""
    assert datagen.datasets()[0] == datagen.dataset("demo-1")


def test_all_replies_are_read_page_by_page(fake: FakeServices, datagen: DatagenClient) -> None:
    """An answer holds a thousand rows at most; the next begins where it ended."""
    rows = [REPLIES[0] | {"question": f"{number}?"} for number in range(1002)]

    def page(request: httpx.Request) -> httpx.Response:
        offset, limit = (int(request.url.params[name]) for name in ("offset", "limit"))
        return httpx.Response(200, json=rows[offset : offset + limit])

    fake.answers["GET /evaluations/evaluation-1/replies"] = page
    assert [reply.question for reply in datagen.replies("evaluation-1")] == [
        row["question"] for row in rows
    ]
    assert len(fake.requests) == 2


def test_open_filters_are_no_part_of_a_query(fake: FakeServices, datagen: DatagenClient) -> None:
    """A page of a review is asked for by what was set only; numbers of rows come as many."""
    page = {"revision": 3, "total": 0, "rows": []}
    fake.answers["GET /datasets/demo-1/review/rows"] = lambda _: httpx.Response(200, json=page)
    query = ReviewQuery(style="calm", rows=[1, 2], limit=5)
    assert datagen.review("demo-1").rows(query).revision == 3
    sent = fake.requests[0].url.params.multi_items()
    assert sorted(sent) == [("limit", "5"), ("rows", "1"), ("rows", "2"), ("style", "calm")]


def test_every_row_of_a_review_is_read_page_by_page(
    fake: FakeServices, datagen: DatagenClient
) -> None:
    """Until a page is empty."""
    row = {
        "number": 0, "origin": "accepted", "decision": "open", "style": "calm", "question": "q",
        "reply": "r", "uncertainty": 0.5, "characters": 1, "revision": 0,
    }  # fmt: skip

    def page(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params.get("offset", 0))
        rows = [row | {"number": offset + n} for n in range(2)] if offset < 4 else []
        return httpx.Response(200, json={"revision": 0, "total": 4, "rows": rows})

    fake.answers["GET /datasets/demo-1/review/rows"] = page
    found = datagen.review("demo-1").every_row(ReviewQuery(limit=2))
    assert [one.number for one in found] == [0, 1, 2, 3]
