"""A reviewed version and the pairs of people's votes, read by LLaMA-Factory's own loader."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from contracts.job import JobState
from contracts.volume import Volume
from datagen.app import create_app
from datagen.config import Settings
from e2e.engine_folder import seen_by_engine
from fakes.trainer_app import follow
from repository import ROOT

pytestmark = pytest.mark.engines
STARTER = ROOT / "services/trainer/bases/starter"
REQUEST = {
    "name": "small",
    "styles": ["tsundere", "gentle"],
    "per_style": 12,
    "multi_turn_ratio": 0.5,
    "eval_ratio": 0.2,
}
EDITED = "哼，谁要特地帮你啊！早点睡就是了。"
CORRECTED = "哼，才不是担心你啦！快去喝口热水。"


@dataclass(frozen=True)
class Made:
    """The version after the review, with the pairs, and what LLaMA-Factory makes of both."""

    folder: Path
    left: str
    turns: dict[str, Any]
    pairs: dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Generate, reject, edit, ask again, publish, vote, make pairs; then let the engine read."""
    folder = tmp_path_factory.mktemp("reviewed")
    settings = Settings(data_dir=folder / "data", state_dir=folder / "state")
    with TestClient(create_app(settings)) as client:
        first = generated(client)
        version, left = reviewed(client, first)
        paired = voted(client, version)
    dataset = Volume(settings.data_dir).dataset(paired)
    turns = read(dataset, folder, "learned_turns.py", stage="sft", dataset="train", held="eval")
    pairs = read(
        dataset,
        folder,
        "learned_pairs.py",
        stage="dpo",
        dataset="preference",
        held="preference-eval",
    )
    return Made(dataset, left, turns, pairs)


def post(client: TestClient, path: str, body: dict[str, Any]) -> Any:
    """Return the answer to a request that must be taken."""
    answer = client.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def generated(client: TestClient) -> str:
    """Return the id of a dataset of the scripted teacher."""
    job = follow(client, f"/datasets/jobs/{post(client, '/datasets', REQUEST)['id']}")
    assert job.state is JobState.DONE, job
    return str(job.id)


def reviewed(client: TestClient, dataset: str) -> tuple[str, str]:
    """Return the id of the version after a review, and a reply that was rejected."""
    path = f"/datasets/{dataset}/review"
    post(client, path, {})
    query = {"style": "tsundere", "decision": "open", "order": "number"}
    rows = client.get(f"{path}/rows", params=query).json()["rows"]
    change = {"revision": 0, "action": "reject", "filter": {"rows": [rows[0]["number"]]}}
    post(client, f"{path}/decisions", change)
    edit = {"revision": 1, "reply": EDITED}
    assert client.put(f"{path}/rows/{rows[1]['number']}", json=edit).is_success
    again = {"revision": 2, "filter": {"rows": [rows[2]["number"]]}}
    job = post(client, f"{path}/regenerations", again)
    assert follow(client, f"/reviews/jobs/{job['id']}").result["changed"] == 1
    revision = client.get(path).json()["revision"]
    version = post(client, f"{path}/publish", {"revision": revision})["id"]
    return version, rows[0]["reply"]


def voted(client: TestClient, dataset: str) -> str:
    """Return the id of the version with pairs: corrections of two replies, and the edit."""
    for row in client.get(f"/datasets/{dataset}/samples", params={"style": "tsundere"}).json()[:2]:
        vote = {
            "question": row["question"],
            "history": row["history"],
            "reply": row["reply"],
            "style": "tsundere",
            "model": "tonesmith.v1",
            "value": -1,
            "correction": CORRECTED,
            "user": "u1",
        }
        post(client, "/votes", vote)
    made = post(client, "/datasets/preferences", {"dataset_id": dataset})
    assert made["lineage"]["pairs"]["votes"] == 2
    return str(made["id"])


def read(
    made: Path, folder: Path, script: str, *, stage: str, dataset: str, held: str
) -> dict[str, Any]:
    """Return what a script in LLaMA-Factory's environment sees of the dataset."""
    arguments = {
        "stage": stage,
        "do_train": True,
        "finetuning_type": "lora",
        "model_name_or_path": str(STARTER),
        "dataset_dir": str(made),
        "dataset": dataset,
        "eval_dataset": held,
        "template": "qwen3_nothink",
        "enable_thinking": False,
        "cutoff_len": 1024,
        "output_dir": str(folder / f"out-{stage}"),
        "overwrite_cache": True,
        "report_to": "none",
    }
    return seen_by_engine(script, arguments, folder / "cache")


def rows_of(made: Made, name: str) -> list[dict[str, Any]]:
    """Return the rows of a training file."""
    found: list[dict[str, Any]] = json.loads((made.folder / f"{name}.json").read_text("utf-8"))
    return found


def test_every_reply_of_the_reviewed_version_is_learned(made: Made) -> None:
    """The edit is learned, the rejected row is not there, and no turn of a dialogue is lost."""
    learned: list[str] = []
    for split, name in (("train_dataset", "train"), ("eval_dataset", "eval")):
        for stretches, row in zip(made.turns[split], rows_of(made, name), strict=True):
            replies = [reply for _, reply in row["history"]] + [row["output"]]
            said = [
                text.split(made.turns["eos"])[0] for is_learned, text in stretches if is_learned
            ]
            assert said == replies
            learned += said
    assert EDITED in learned
    assert made.left not in learned


def test_pairs_of_votes_and_edits_are_compared_as_they_were_meant(made: Made) -> None:
    """In each pair the loader reads the chosen reply as chosen, to the last token."""
    corrected = 0
    for split, name in (("train_dataset", "preference"), ("eval_dataset", "preference-eval")):
        rows = rows_of(made, name)
        assert rows
        for sides, row in zip(made.pairs[split], rows, strict=True):
            said = [text.split(made.pairs["eos"])[0] for text in sides]
            assert said == [row["chosen"], row["rejected"]]
            corrected += row["chosen"] == CORRECTED
    assert corrected == 2
