"""`train`, `advise`, `runs` and `recipes` against the fake services."""

import json
from typing import Any

import httpx
import pytest

from fakes.tonesmith_services import ADVICE, AT, RUN, FakeServices, error

from .conftest import Call, Called

WIDTH = 80
RECIPE = {
    "name": "qlora",
    "summary": "A low-rank adapter on a base in 4 bits.",
    "when": "The base is too large for the card in 16 bits; the default of a stack with one GPU.",
    "needs": "An NVIDIA GPU.",
    "gives": "An adapter and merged weights.",
    "kind": "adapter",
}


def sent(fake: FakeServices, path: str) -> list[dict[str, Any]]:
    """Return the bodies of the requests that were posted to `path`."""
    found = [each for each in fake.requests if each.url.path == path and each.method == "POST"]
    return [json.loads(request.content) for request in found]


def recorded(run_id: str, **more: Any) -> dict[str, Any]:
    """Return the record of a run."""
    return RUN | {"id": run_id} | more


def fits(called: Called) -> bool:
    """Return whether no line of the output is wider than a terminal."""
    return max(map(len, called.out.splitlines())) <= WIDTH


def test_every_option_reaches_the_request(call: Call, fake: FakeServices) -> None:
    """Options, and the values of the recipe that have none."""
    options = "--epochs 2 --batching packed --priority 3 --continue tonesmith-1 --no-stop"
    more = "--choose-by style --fraction 0.5 --no-publish --set cutoff_len=256 --set lora_rank=8"
    called = call("train", "--dataset", "demo-1", *options.split(), *more.split(), "--json")
    assert called.code == 0
    body = sent(fake, "/runs")[0]
    assert body["overrides"] == dict.fromkeys(body["overrides"]) | {
        "num_train_epochs": 2.0,
        "batching": "packed",
        "cutoff_len": 256,
        "lora_rank": 8,
    }
    assert body["priority"] == 3
    assert body["continues"] == "tonesmith-1"
    assert body["choose_by"] == "style"
    assert body["data_fraction"] == 0.5
    assert not body["stop_when_flat"]
    assert not body["publish"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--batching", "tight"], "batching"),
        (["--choose-by", "luck"], "choose_by"),
        (["--priority", "11"], "priority"),
        (["--fraction", "0"], "data_fraction"),
        (["--epochs", "0"], "num_train_epochs"),
        (["--set", "cutoff_len"], "--set"),
        (["--set", "cutof_len=3"], "cutof_len"),
        (["--set", "cutoff_len=long"], "cutoff_len"),
    ],
)
def test_bad_option_is_named_before_a_run_is_asked_for(
    call: Call, fake: FakeServices, options: list[str], named: str
) -> None:
    """Exit code 2, the name in the message, no request."""
    called = call("train", "--dataset", "demo-1", *options)
    assert called.code == 2
    assert named in called.err
    assert fake.requests == []


def test_end_of_a_run_is_explained(call: Call, fake: FakeServices) -> None:
    """Why it ended, how it was fitted, how good it is, what was different; within 80 columns."""
    run = recorded(
        "run-1",
        step=420,
        max_steps=900,
        stop={"reason": "flat", "step": 420, "best_step": 380, "saved_steps": 480},
        fit={"batching": "packed", "micro_batch": 4, "accumulation": 2, "cutoff_len": 1024},
        metrics={"perplexity": 1.14, "predict_bleu-4": 45.2, "predict_rouge-l": 60.125},
        notes=["out of memory at step 3: went on with half of the micro-batch, twice as often"],
    )
    fake.answers["GET /runs/run-1"] = lambda _: httpx.Response(200, json=run)
    called = call("train", "--dataset", "demo-1")
    assert "stopped at step 420 of 900: the loss is flat; best step 380" in called.out
    assert "packed, micro-batch 4 x accumulation 2" in called.out
    assert "perplexity 1.14, BLEU-4 45.2, ROUGE-L 60.12" in called.out
    assert "out of memory at step 3" in called.out
    assert fits(called)
    shown = call("runs", "run-1")
    assert shown.out == called.out
    assert "tonesmith stage" in called.err


def test_run_without_a_model_leads_to_the_list(call: Call, fake: FakeServices) -> None:
    """There is nothing to stage after --no-publish."""
    run = recorded("run-1", model_id=None)
    fake.answers["GET /runs/run-1"] = lambda _: httpx.Response(200, json=run)
    called = call("train", "--dataset", "demo-1", "--no-publish")
    assert "run-1 after 9 steps" in called.out
    assert "tonesmith runs" in called.err


def test_runs_are_listed_with_the_queue_in_its_order(call: Call, fake: FakeServices) -> None:
    """Higher priority first, then age; then what goes on or has ended, and why."""
    found = [
        recorded("r-20260102-aaaaaa", state="queued", request=RUN["request"] | {"priority": -1}),
        recorded("r-20260102-bbbbbb", state="queued"),
        recorded("r-20260102-cccccc", state="queued", created_at=AT.replace("2026", "2025")),
        recorded("tonesmith-20260102-dddddd", state="running", step=1200, max_steps=9000),
        recorded("tonesmith-20260102-eeeeee", stop={"reason": "flat", "step": 9, "best_step": 7}),
        recorded("tonesmith-20260102-ffffff", state="failed", error={"code": "c", "message": "m"}),
    ]
    fake.answers["GET /runs"] = lambda _: httpx.Response(200, json=found)
    called = call("runs")
    order = [called.out.index(each) for each in ("cccccc", "bbbbbb", "aaaaaa", "dddddd", "eeeeee")]
    assert order == sorted(order)
    assert "queued, 3 of 3" in called.out
    assert "1200/9000" in called.out
    assert "done: flat" in called.out
    assert "failed: c" in called.out
    assert fits(called)
    assert len(call("runs", "--json").json) == 6


def test_recipes_say_when_to_use_them(call: Call, fake: FakeServices) -> None:
    """Each with what it needs and gives; long sentences are broken between words."""
    fake.answers["GET /recipes"] = lambda _: httpx.Response(200, json=[RECIPE])
    called = call("recipes")
    for name in ("qlora", "when", "needs", "gives", "An NVIDIA GPU."):
        assert name in called.out
    assert fits(called)
    assert call("recipes", "--json").json == [RECIPE]


def test_advice_is_shown_with_its_reasons_and_its_command(call: Call, fake: FakeServices) -> None:
    """A sentence each, the warnings, and what to type."""
    called = call("advise", "--dataset", "demo-1", "--base", "mine", "--card", "24")
    assert sent(fake, "/advice")[0]["card_bytes"] == 24 << 30
    assert "Half of the rows are" in called.out
    assert "calm has 9 rows only" in called.out
    assert fits(called)
    command = "tonesmith train --dataset demo-1 --base mine --recipe qlora --epochs 3"
    assert f"{command} --set cutoff_len=512 --batching packed" in called.err
    assert call("advise", "--dataset", "demo-1", "--json").json["recipe"] == "qlora"


def test_curve_trains_three_times_and_asks_again(call: Call, fake: FakeServices) -> None:
    """The verdict is that of the second advice."""
    points = [{"run_id": f"run-{rows}", "rows": rows, "eval_loss": 0.5} for rows in (25, 50, 100)]
    verdict = {"verdict": "more", "rows_needed": 240, "points": points, "why": "It still falls."}
    answers = iter([ADVICE, ADVICE | {"rows": verdict}])
    fake.answers["POST /advice"] = lambda _: httpx.Response(200, json=next(answers))
    called = call("advise", "--dataset", "demo-1", "--curve")
    assert [body["data_fraction"] for body in sent(fake, "/runs")] == [0.25, 0.5, 1.0]
    assert "more would help: It still falls." in called.out
    assert "about 240 rows" in called.out
    assert "run-100" in called.out


@pytest.mark.parametrize("card", ["0.5", "-1", "nan", "inf"])
def test_impossible_card_is_refused(call: Call, fake: FakeServices, card: str) -> None:
    """Nothing is asked for a card that nobody makes."""
    called = call("advise", "--dataset", "demo-1", "--card", card)
    assert called.code == 2
    assert "--card" in called.err
    assert fake.requests == []


def test_refused_advice_is_told(call: Call, fake: FakeServices) -> None:
    """A base without a preset has a way out."""
    answer = error(422, "invalid_input", "no preset", field="base_model", hint="use ChatML")
    fake.answers["POST /advice"] = lambda _: answer
    called = call("advise", "--dataset", "demo-1")
    assert called.code == 2
    assert "use ChatML" in called.err
