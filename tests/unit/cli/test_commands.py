"""The commands of the journey against the fake services."""

import json
from pathlib import Path

import httpx
import pytest

from fakes.tonesmith_services import ESTIMATE, MODEL, STATUS, FakeServices, error, job

from .conftest import Call


def body_of(fake: FakeServices, path: str) -> dict[str, object]:
    """Return the body of the last request to `path`."""
    found = [request for request in fake.requests if request.url.path == path]
    body = json.loads(found[-1].content)
    assert isinstance(body, dict)
    return body


def test_estimate_says_what_a_generation_takes_and_starts_none(
    call: Call, fake: FakeServices
) -> None:
    """Rows, calls, costs and what they rest on; with prices or without."""
    fake.answers["POST /datasets/estimate"] = lambda _: httpx.Response(200, json=ESTIMATE)
    shown = call("generate", "--per-style", "7", "--estimate").out
    assert "1.25 dollars of the 3.00 that are left" in " ".join(shown.split())
    assert "the mean of 2 calls" in " ".join(shown.split())
    unknown = ESTIMATE | {"dollars": None, "budget_left": None}
    fake.answers["POST /datasets/estimate"] = lambda _: httpx.Response(200, json=unknown)
    assert call("generate", "--estimate", "--json").json["dollars"] is None
    assert "costs unknown" in call("generate", "--estimate").out
    assert {request.url.path for request in fake.requests} == {"/datasets/estimate"}


def test_generate_follows_the_job_to_its_dataset(call: Call, fake: FakeServices) -> None:
    """Options become the request; the result is the manifest; the next step is named."""
    called = call("generate", "--style", "calm", "--per-style", "7", "--json")
    assert called.code == 0
    assert called.json["id"] == "demo-1"
    body = body_of(fake, "/datasets")
    assert (body["styles"], body["per_style"]) == (["calm"], 7)
    assert "rejected echo: 2" in (shown := call("generate")).out
    assert "tonesmith train --dataset demo-1" in shown.err


def test_length_of_dialogues_becomes_the_request(call: Call, fake: FakeServices) -> None:
    """A range of turns; one that is upside down names its field."""
    assert call("generate", "--turns", "6", "--turns-least", "2", "--json").code == 0
    body = body_of(fake, "/datasets")
    assert (body["turns"], body["turns_least"]) == (6, 2)
    assert "turns_least" in call("generate", "--turns-least", "5").err


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (["generate"], "dataset"),
        (["train", "--dataset", "demo-1"], "run"),
        (["evaluate", "--dataset", "demo-1"], "evaluation"),
    ],
)
def test_command_without_waiting_returns_the_job(call: Call, command: list[str], kind: str) -> None:
    """The id is enough to look at it later."""
    called = call(*command, "--no-wait", "--json")
    assert called.json["kind"] == kind
    assert "tonesmith job watch" in call(*command, "--no-wait").err


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["generate", "--name", "../up"], "name"),
        (["generate", "--per-style", "0"], "per_style"),
        (["train", "--dataset", "demo-1", "--steps", "0"], "max_steps"),
        (["evaluate", "--dataset", "../up"], "dataset_id"),
    ],
)
def test_bad_option_is_named_before_anything_is_sent(
    call: Call, fake: FakeServices, arguments: list[str], field: str
) -> None:
    """Exit code 2, the field in the message, no request."""
    called = call(*arguments)
    assert called.code == 2
    assert field in called.err
    assert fake.requests == []


def test_train_ends_with_a_model(call: Call, fake: FakeServices) -> None:
    """The run's record is the result; only given overrides are sent."""
    called = call("train", "--dataset", "demo-1", "--steps", "5", "--json", BASE_MODEL="mine")
    assert called.json["model_id"] == MODEL["id"]
    body = body_of(fake, "/runs")
    assert body["base_model"] == "mine"
    assert isinstance(overrides := body["overrides"], dict)
    assert overrides["max_steps"] == 5


def test_train_on_an_unknown_base_is_exit_code_2(call: Call, fake: FakeServices) -> None:
    """The trainer's refusal reaches the user with field and way out."""
    fake.answers["POST /runs"] = lambda _: error(
        422, "invalid_input", "no base model 'unknown'", field="base_model", hint="see GET /bases"
    )
    called = call("train", "--dataset", "demo-1", "--base", "unknown")
    assert called.code == 2
    assert "base_model" in called.err
    assert "GET /bases" in called.err


def test_failed_run_is_exit_code_1(call: Call, fake: FakeServices) -> None:
    """The reason is shown, and how to go on."""
    told = {"code": "c", "message": "loss is nan"}
    fake.jobs["/runs"] = job("run", "run-1", "failed", error=told)
    called = call("train", "--dataset", "demo-1")
    assert called.code == 1
    assert "loss is nan" in called.err
    assert "tonesmith job resume run-1" in called.err


def test_evaluate_shows_scores_and_page(call: Call) -> None:
    """The table has a row for each style and one for all."""
    called = call("evaluate", "--dataset", "demo-1")
    assert "95%" in called.out
    assert "/evaluations/evaluation-1/report.html" in called.err
    assert call("evaluate", "--dataset", "demo-1", "--json").json["id"] == "evaluation-1"


def test_stage_promote_rollback_name_what_answers(call: Call) -> None:
    """Each says the served name, and what to do next."""
    assert "tonesmith.v1" in call("stage", MODEL["id"]).out
    assert "tonesmith.v1" in call("promote", MODEL["id"]).out
    assert "tonesmith.v1" in call("rollback").out


@pytest.mark.parametrize("command", [["stage", MODEL["id"]], ["promote", MODEL["id"]]])
def test_refusal_of_serving_is_told(call: Call, fake: FakeServices, command: list[str]) -> None:
    """The trainer agreed, but the adapter does not fit what is served: that is no success."""
    told = {"loaded": [], "aliases": {}, "errors": {"tonesmith.v1": "other weights"}}
    fake.answers["GET /status"] = lambda _: httpx.Response(200, json=STATUS | told)
    called = call(*command)
    assert called.code == 1
    assert "serving refuses tonesmith.v1: other weights" in called.err


def test_promotion_without_serving_is_a_note(call: Call, fake: FakeServices) -> None:
    """What the trainer has written down is done; serving reads it when it starts."""
    fake.down.add(8010)
    called = call("promote", MODEL["id"])
    assert called.code == 0
    assert "is loaded later" in called.err


def test_refused_promotion_shows_the_difference(call: Call, fake: FakeServices) -> None:
    """The gate's message is the error."""
    told = {"code": "gate", "message": "chat_template.jinja: 'a' became 'b'"}
    fake.jobs["/promotions"] = job("promotion", "promotion-1", "failed", error=told)
    called = call("promote", MODEL["id"])
    assert called.code == 1
    assert "'a' became 'b'" in called.err


def test_status_shows_services_aliases_and_running_jobs(call: Call, fake: FakeServices) -> None:
    """What is up, what answers, what goes on."""
    fake.jobs["/runs"] = job("run", "run-1", "running")
    called = call("status")
    assert called.code == 0
    assert "tonesmith = tonesmith.v1" in called.out
    assert "run-1" in called.out
    found = call("status", "--json").json
    assert set(found) == {"services", "current", "serving", "jobs"}


def test_status_says_why_a_service_is_not_ready(call: Call, fake: FakeServices) -> None:
    """Alive but not ready is no failure of the command."""
    answer = {"ready": False, "reasons": ["vLLM is starting"]}
    fake.answers["GET /ready"] = lambda _: httpx.Response(503, json=answer)
    called = call("status")
    assert called.code == 0
    assert "not ready" in called.out
    assert "vLLM is starting" in called.out


def test_status_with_one_service_down_still_shows_the_others(
    call: Call, fake: FakeServices
) -> None:
    """One dead service hides nothing."""
    fake.down.add(8002)
    called = call("status", "--json")
    assert called.code == 3
    alive = {name: service["alive"] for name, service in called.json["services"].items()}
    assert alive == {"datagen": True, "trainer": False, "serving": True, "ui": True}


def test_status_names_the_run_that_has_the_gpu(call: Call, fake: FakeServices) -> None:
    """Serving that is lent is no fault: who has it is said, and that the chat comes back."""
    lease = {
        "id": "lease-1",
        "holder": "r-20261122-aaaaaa",
        "state": "granted",
        "expires_at": "2026-11-22T10:00:00Z",
        "ttl_seconds": 30,
    }
    told = STATUS | {"state": "lent", "lease": lease}
    fake.answers["GET /status"] = lambda _: httpx.Response(200, json=told)
    called = call("status")
    assert called.code == 0
    assert "lent the GPU to r-20261122-aaaaaa" in called.out


def test_jobs_of_every_kind_are_found_by_id(call: Call, fake: FakeServices) -> None:
    """Cancel, resume and watch need the id only."""
    assert "evaluation-1" in call("job", "cancel", "evaluation-1").out
    assert "run-1" in call("job", "resume", "run-1").out
    assert call("job", "watch", "promotion-1", "--json").json["state"] == "done"
    assert len(call("job", "list", "--json").json) == 6
    assert call("job", "watch", "nothing").code == 2


def test_styles_are_listed(call: Call) -> None:
    """Names in both languages."""
    assert "平静 / Calm" in call("styles", "list").out


def test_card_is_stored(call: Call, fake: FakeServices, tmp_path: Path) -> None:
    """A valid card travels as it was written."""
    shipped = Path(__file__).parents[3] / "services" / "datagen" / "styles" / "tsundere.yaml"
    called = call("styles", "put", str(shipped))
    assert called.code == 0
    assert "at http://127.0.0.1:8001" in called.out
    assert fake.requests[0].url.path == "/styles/tsundere"
    assert fake.requests[0].content == shipped.read_bytes()
