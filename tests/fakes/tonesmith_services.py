"""All services of Tonesmith as one HTTP handler with a memory: for the clients and the commands.

It knows the routes and the shapes, nothing of the work: a job is done as soon as it is submitted.
"""

import json
from collections.abc import Callable
from typing import Any

import httpx

AT = "2026-01-02T03:04:05+00:00"
DIGEST = "0" * 64
STYLE_CARD: dict[str, Any] = {
    "id": "calm",
    "language": "en",
    "names": {"zh": "平静", "en": "Calm"},
    "description": {"zh": "慢慢说", "en": "Speaks slowly"},
    "traits": ["slow"],
    "system_prompt": "You are calm.",
    "lexicon": {"openers": ["Well, "], "closers": ["no rush."]},
}
STYLE = {"version": 1, "style": STYLE_CARD}
MODEL: dict[str, Any] = {
    "id": "tonesmith-20260102-aaaaaa",
    "name": "tonesmith",
    "kind": "adapter",
    "created_at": AT,
    "base": {"name": "starter", "weights_sha256": DIGEST},
    "run_id": "run-1",
    "dataset_id": "demo-1",
    "styles": [STYLE],
    "conditioning": "system",
    "recipe": {},
    "lora_rank": 8,
    "eos_token": "<|im_end|>",
    "chat_template_sha256": DIGEST,
    "files": {},
    "golden": [],
    "gate": {"checks": []},
    "engine": {"llamafactory": "0.9.5", "torch": "2.13.0"},
}
CURRENT: dict[str, Any] = {
    "generation": 3,
    "base": "starter",
    "versions": [{"name": "tonesmith", "version": 1, "model_id": MODEL["id"]}],
    "aliases": {"tonesmith": 1},
    "updated_at": AT,
}
STATUS = {
    "state": "ready",
    "base": "starter",
    "generation": 3,
    "loaded": ["tonesmith.v1"],
    "aliases": {"tonesmith": "tonesmith.v1"},
    "engine": {"vllm": "0.32.0"},
}
DATASET: dict[str, Any] = {
    "id": "demo-1",
    "created_at": AT,
    "source": "generated",
    "status": "complete",
    "conditioning": "system",
    "styles": [STYLE],
    "counts": {"asked": 10, "accepted": 10, "rejected": {"echo": 2}, "teacher_calls": 12},
    "rows": {"train": 9, "eval": 1},
    "files": {},
}
RUN: dict[str, Any] = {
    "id": "run-1",
    "state": "done",
    "request": {"dataset_id": "demo-1"},
    "created_at": AT,
    "step": 9,
    "loss": 0.5,
    "model_id": MODEL["id"],
}
ADVICE: dict[str, Any] = {
    "recipe": "qlora",
    "overrides": {"num_train_epochs": 3.0, "cutoff_len": 512, "batching": "packed"},
    "reasons": [
        {"choice": "recipe", "value": "qlora", "why": "The base takes 16 GB in 16 bits."},
        {"choice": "batching", "value": "packed", "why": "Half of the rows are short."},
    ],
    "rows": {"verdict": "unknown", "why": "No runs on a part of the rows are known."},
    "warnings": ["calm has 9 rows only"],
}
SCORE = {
    "accuracy": 0.1,
    "on_topic": 0.8,
    "distinct_2": 0.4,
    "mean_characters": 40.0,
    "defects": {},
}
EVALUATION: dict[str, Any] = {
    "id": "evaluation-1",
    "created_at": AT,
    "request": {"dataset_id": "demo-1"},
    "styles": [
        {
            "id": "calm",
            "replies": 20,
            "base_accuracy": 0.1,
            "tuned_accuracy": 0.95,
            "on_topic": 0.9,
        }
    ],
    "contestants": {
        "base": SCORE,
        "tuned": SCORE | {"accuracy": 0.95},
    },
    "confusion": {"calm": {"calm": 19, "loud": 1}},
    "classifier_accuracy": 0.99,
}
ESTIMATE = {
    "rows": 300,
    "calls": 340,
    "input_tokens": 90_000,
    "output_tokens": 20_000,
    "dollars": 1.25,
    "budget_left": 3.0,
    "seconds": 120.0,
    "measured_calls": 2,
    "assumptions": ["the mean of 2 calls"],
}
REPLIES = [
    {
        "contestant": contestant,
        "model": contestant,
        "style": "calm",
        "situation": None,
        "question": "Why [so] late?",
        "reply": f"{contestant} reply",
        "predicted_style": "calm",
        "on_topic": True,
    }
    for contestant in ("base", "tuned")
]
CHUNKS = ["Well, ", "sleep. ", "no rush."]


def job(kind: str, job_id: str, state: str = "done", **more: Any) -> dict[str, Any]:
    """Return a job."""
    progress = {"stage": kind, "done": 1, "total": 1, "figures": {"loss": 0.5}}
    base = {"id": job_id, "kind": kind, "state": state, "request": {}, "progress": progress}
    return base | {"created_at": AT, "updated_at": AT} | more


def error(status: int, code: str, message: str, **more: Any) -> httpx.Response:
    """Return an error response in our envelope."""
    return httpx.Response(status, json={"error": {"code": code, "message": message} | more})


def events(*values: Any) -> httpx.Response:
    """Return server-sent events."""
    text = "".join(
        f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n" for value in values
    )
    return httpx.Response(200, text=text, headers={"Content-Type": "text/event-stream"})


Answer = Callable[[httpx.Request], httpx.Response]


class FakeServices:
    """The handler of an `httpx.MockTransport`.

    `answers` maps `"METHOD /path"` to what replaces the usual answer; `down` holds the ports at
    which nobody listens; `requests` collects what came in.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.down: set[int] = set()
        self.requests: list[httpx.Request] = []
        self.jobs = {
            "/datasets": job("dataset", "demo-1"),
            "/evaluations": job("evaluation", "evaluation-1"),
            "/questions": job("questions", "questions-1"),
            "/runs": job("run", "run-1", result={"model_id": MODEL["id"]}),
            "/promotions": job(
                "promotion",
                "promotion-1",
                result={"name": "tonesmith", "version": 1, "served_name": "tonesmith.v1"},
            ),
            "/exports": job(
                "export",
                "export-1",
                result={"export_id": f"{MODEL['id']}-int8"},
            ),
        }

    @property
    def transport(self) -> httpx.MockTransport:
        """The transport to hand to a client."""
        return httpx.MockTransport(self.handle)

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if request.url.port in self.down:
            raise httpx.ConnectError("connection refused", request=request)
        self.requests.append(request)
        route = f"{request.method} {request.url.path}"
        if route in self.answers:
            return self.answers[route](request)
        if request.method == "PUT" and request.url.path.startswith("/styles/"):
            return httpx.Response(200, json=STYLE)
        if (found := self.fixed().get(route)) is not None:
            return httpx.Response(200, json=found)
        return self.job_answer(request) or error(404, "not_found", f"no route {route}")

    def fixed(self) -> dict[str, Any]:
        """Return what does not depend on the request."""
        return {
            "GET /ready": {"ready": True, "reasons": []},
            "GET /health": {"status": "ok"},
            "GET /styles": [STYLE],
            "GET /styles/calm": STYLE,
            "GET /styles/calm/versions": [STYLE],
            "POST /datasets": self.jobs["/datasets"],
            "GET /datasets": [DATASET],
            "GET /datasets/demo-1": DATASET,
            "POST /evaluations": self.jobs["/evaluations"],
            "GET /evaluations": [EVALUATION],
            "GET /evaluations/evaluation-1": EVALUATION,
            "GET /evaluations/evaluation-1/replies": REPLIES,
            "POST /advice": ADVICE,
            "POST /runs": self.jobs["/runs"],
            "GET /runs": [RUN],
            "GET /runs/run-1": RUN,
            "GET /models": [MODEL],
            f"GET /models/{MODEL['id']}": MODEL,
            f"POST /models/{MODEL['id']}/stage": CURRENT,
            f"POST /models/{MODEL['id']}/promote": self.jobs["/promotions"],
            f"POST /models/{MODEL['id']}/exports": self.jobs["/exports"],
            "GET /current": CURRENT,
            "POST /rollback": CURRENT,
            "GET /status": STATUS,
            "GET /v1/models": {"data": [{"id": "base"}, {"id": "tonesmith"}]},
        }

    def job_answer(self, request: httpx.Request) -> httpx.Response | None:
        """Answer what every kind of job has, and chat requests."""
        path = request.url.path
        for prefix, found in self.jobs.items():
            if path == f"{prefix}/jobs":
                return httpx.Response(200, json=[found])
            if path == f"{prefix}/jobs/{found['id']}/events":
                return events(found)
            if path.startswith(f"{prefix}/jobs/{found['id']}"):
                return httpx.Response(200, json=found)
        if path == "/v1/chat/completions":
            return self.chat(json.loads(request.content))
        return None

    def chat(self, body: dict[str, Any]) -> httpx.Response:
        """Answer a chat request, streamed or whole."""
        if not body.get("stream"):
            reply = {"message": {"role": "assistant", "content": "".join(CHUNKS)}}
            return httpx.Response(200, json={"choices": [reply]})
        chunks = [{"choices": [{"delta": {"content": piece}}]} for piece in CHUNKS]
        return events({"choices": [{"delta": {"role": "assistant"}}]}, *chunks, "[DONE]")
