"""The review of a small dataset over HTTP: look, reject, publish, and read it as a trainer does."""

import pytest
from fastapi.testclient import TestClient

from contracts.volume import Volume
from datagen.config import Settings
from fakes.reviewed import lf_rows, reviewing


def test_rejected_row_is_gone_from_version_two(settings: Settings) -> None:
    """One row is rejected; the next version lacks it, the first one is as it was."""
    with reviewing(settings) as (client, dataset):
        review = client.post(f"/datasets/{dataset}/review").json()
        page = client.get(f"/datasets/{dataset}/review/rows", params={"origin": "accepted"}).json()
        first = page["rows"][0]
        before = files_of(settings, dataset)
        change = {
            "revision": review["revision"],
            "action": "reject",
            "filter": {"rows": [first["number"]]},
            "note": "off",
        }
        answer = client.post(f"/datasets/{dataset}/review/decisions", json=change)
        assert answer.status_code == 200, answer.text
        assert answer.json()["changed"] == 1
        made = published(client, dataset, answer.json()["review"]["revision"])
        assert made["lineage"]["parent"] == made["lineage"]["root"] == dataset
        assert made["lineage"]["version"] == 2
        assert made["lineage"]["review"]["rejected"] == 1
        assert made["counts"]["rejected"]["reviewer"] == 1
        rows = lf_rows(Volume(settings.data_dir).dataset(made["id"]), "train", "eval")
        old = lf_rows(Volume(settings.data_dir).dataset(dataset), "train", "eval")
        assert len(rows) == len(old) - 1
        assert first["reply"] not in [row["response"] for row in rows]
        assert files_of(settings, dataset) == before
        diff = client.get(f"/datasets/{dataset}/diff", params={"to": made["id"]}).json()
        assert diff["counts"] == {"added": 0, "removed": 1, "changed": 0, "same": len(rows)}


@pytest.mark.parametrize(
    "path",
    [
        "/datasets/{id}/review/rows/{most}",
        "/datasets/{id}/review/rows?offset={most}",
        "/datasets/{id}/review/rows?longest={most}",
        "/datasets/{id}/review/rows?rows={most}",
        "/datasets/{id}/review/steps?offset={most}",
        "/votes?offset={most}",
    ],
)
def test_number_that_no_table_takes_is_refused(settings: Settings, path: str) -> None:
    """It is the caller's slip, not ours."""
    with reviewing(settings, per_style=3) as (client, dataset):
        client.post(f"/datasets/{dataset}/review")
        answer = client.get(path.format(id=dataset, most=10**20))
        assert answer.status_code == 422, answer.text
        assert answer.json()["error"]["field"]


def published(client: TestClient, dataset: str, revision: int) -> dict[str, dict[str, object]]:
    """Publish the review and return the manifest."""
    answer = client.post(f"/datasets/{dataset}/review/publish", json={"revision": revision})
    assert answer.status_code == 201, answer.text
    made: dict[str, dict[str, object]] = answer.json()
    return made


def files_of(settings: Settings, dataset: str) -> dict[str, bytes]:
    """Return the content of every file of a dataset."""
    folder = Volume(settings.data_dir).dataset(dataset)
    return {path.name: path.read_bytes() for path in folder.iterdir()}
