"""From style cards to the chat page, in containers: small, but every station of the journey."""

import time
from collections import Counter

import httpx
import pytest
from gradio_client import Client

from contracts.artefact import ModelManifest
from contracts.dataset import DatasetManifest
from contracts.evaluation import EvaluationRequest
from contracts.job import JobState
from contracts.sample import Message
from fakes.compose_project import ComposeProject, until

pytestmark = pytest.mark.container
Figures = dict[str, object]
QUESTION = "明天要上台演讲，好紧张"
LOAD_SECONDS = 120


@pytest.fixture(scope="module")
def staged(stack: ComposeProject, model: ModelManifest) -> str:
    """The served name of the model, once vLLM has loaded and verified it."""
    with stack.trainer() as trainer, stack.launcher() as launcher:
        current = trainer.stage(model.id)
        (name,) = [
            f"{one.name}.v{one.version}" for one in current.versions if one.model_id == model.id
        ]
        until(lambda: name in launcher.status().loaded, LOAD_SECONDS, lambda: stack.logs("serving"))
    return name


@pytest.fixture(scope="module")
def promoted(stack: ComposeProject, model: ModelManifest, staged: str) -> str:
    """The alias, once it leads to the model."""
    with stack.trainer() as trainer, stack.launcher() as launcher:
        job = trainer.promotion_jobs.wait(trainer.promote(model.id).id)
        assert job.state is JobState.DONE, job.error
        until(lambda: launcher.status().aliases.get(model.name) == staged, LOAD_SECONDS)
    return model.name


def test_every_style_has_its_quota(dataset: DatasetManifest) -> None:
    """Generated in the container, published on the volume."""
    assert dataset.status == "complete"
    assert dataset.counts.accepted == dataset.counts.asked == 3 * 40


def test_model_passes_the_parity_gate(model: ModelManifest) -> None:
    """LLaMA-Factory trained and exported it inside its container."""
    assert model.gate.passed
    assert model.engine.llamafactory == "0.9.5"


def test_evaluation_asks_all_contestants(
    stack: ComposeProject, dataset: DatasetManifest, staged: str, figures: Figures
) -> None:
    """datagen reaches serving over the network, with the key, and writes the report."""
    with stack.datagen() as datagen:
        request = EvaluationRequest(
            dataset_id=dataset.id, tuned=staged, per_style=2, prompt_questions=1, conversations=1
        )
        began = time.monotonic()
        job = datagen.evaluation_jobs.wait(datagen.evaluate(request).id)
        assert job.state is JobState.DONE, job.error
        replies = datagen.replies(job.id)
    figures["evaluation_seconds"] = round(time.monotonic() - began, 1)
    assert Counter(reply.contestant for reply in replies) == {
        "base": 6,
        "prompted": 6,
        "tuned": 6,
    }
    assert all(reply.reply.strip() for reply in replies)


def test_promoted_model_answers_any_openai_client(stack: ComposeProject, promoted: str) -> None:
    """With the key; without it nobody gets in."""
    with stack.serving() as serving:
        assert promoted in serving.models()
        assert serving.chat(promoted, [Message(role="user", content=QUESTION)]).strip()
        refused = httpx.get(f"{serving.url}/v1/models", trust_env=False)
    assert refused.status_code == 401


def test_page_answers_a_program_in_a_style(stack: ComposeProject, promoted: str) -> None:
    """Through the one published port."""
    client = Client(stack.url, verbose=False)
    reply = client.predict(message=QUESTION, style="tsundere", model=promoted, api_name="/chat")
    assert str(reply).strip()
    assert httpx.get(stack.url, trust_env=False).status_code == 200


def test_changes_are_refused_without_the_token(stack: ComposeProject) -> None:
    """Also for who is on the network of the services."""
    for service, port, path in (
        ("datagen", 8001, "/datasets"),
        ("trainer", 8002, "/runs"),
        ("serving", 8010, "/lease"),
    ):
        url = f"{stack.address(service, port)}{path}"
        assert httpx.post(url, json={}, trust_env=False).status_code == 401, service
