"""Promotion: prove a published model once more, then let its alias answer with it.

A file may have changed since it was published, by accident or on purpose. So every digest is
compared, the golden prompts are rendered again from the files, and the chat template is compared
with the one that the run recorded and with the base's, which is what serving uses.
"""

import asyncio
import logging
from typing import Any

from contracts.artefact import GateCheck, GateResult, ModelManifest
from contracts.durable import digest_differences
from contracts.job import Job
from kit.errors import NotFoundError
from kit.worker import JobContext, Outcome
from trainer import current
from trainer.bases import TEMPLATE
from trainer.errors import GateRefusedError
from trainer.parity import failures, same_template, same_tokens
from trainer.runfolder import RunFolder
from trainer.workshop import Workshop

logger = logging.getLogger(__name__)
VERIFY = "trainer.engine.verify"
VERIFY_SECONDS = 300.0


def find_model(shop: Workshop, model_id: str) -> ModelManifest:
    """Return the manifest of a published model. Raises NotFoundError, GateRefusedError."""
    published = shop.volume.published("models")
    if model_id not in published:
        known = ", ".join(published[-5:]) or "none"
        raise NotFoundError(f"there is no model {model_id[:80]!r}; the latest: {known}", field="id")
    try:
        return shop.volume.model_manifest(model_id)
    except ValueError as error:
        message = f"model {model_id!r} has a broken manifest; train it again"
        raise GateRefusedError(message, field="id") from error


def readable_models(shop: Workshop) -> list[ModelManifest]:
    """Return the manifests of all models; one that is broken is logged and left out."""
    found = []
    for name in shop.volume.published("models"):
        try:
            found.append(shop.volume.model_manifest(name))
        except ValueError:
            logger.warning("broken manifest", extra={"model": name})
    return found


def file_checks(shop: Workshop, model: ModelManifest) -> list[GateCheck]:
    """Compare what lies on the volume with the manifest, the run and the base."""
    folder = shop.volume.model(model.id)
    changed = digest_differences(folder, model.files)
    reference = shop.bases.reference(shop.bases.get(model.base.name))
    same_base = reference.weights_sha256 == model.base.weights_sha256
    other = f"base {model.base.name!r} is not the one that this was trained on"
    failed = failures(model.gate) or "it has no checks"
    return [
        check("files", "; ".join(changed)),
        check("base_weights", "" if same_base else other),
        check("gate", "" if model.gate.passed else failed),
        *template_checks(shop, model),
    ]


def template_checks(shop: Workshop, model: ModelManifest) -> list[GateCheck]:
    """Compare the model's chat template with the run's record and with the base's."""
    path = shop.volume.model(model.id) / TEMPLATE
    if not path.is_file():
        return [check(TEMPLATE, "missing")]
    found = path.read_bytes().decode("utf-8", errors="replace")
    run = RunFolder(shop.volume, model.run_id)
    recorded = [run.chat_template()] if (run.path / TEMPLATE).is_file() else []
    served = shop.bases.get(model.base.name).chat_template
    wanted = list(dict.fromkeys([*recorded, served]))
    compared = [same_template(TEMPLATE, want, found) for want in wanted]
    return sorted(compared, key=lambda one: one.passed)[:1]


def rendered_checks(model: ModelManifest, report: dict[str, Any]) -> list[GateCheck]:
    """Compare what the files render now with the golden prompts of the manifest."""
    checks = [
        same_tokens(golden.name, with_pieces(golden.token_ids, found), found)
        for golden, found in zip(model.golden, report["prompts"], strict=True)
    ]
    eos = report["eos_token"]
    ends = f"trained on {model.eos_token!r}, the tokenizer says {eos!r}"
    broken = [
        f"{name}: {each['error']}" for name, each in report["weights"].items() if each["error"]
    ]
    return [
        *checks,
        check("golden", "" if model.golden else "there are no golden prompts"),
        check("eos", "" if eos == model.eos_token else ends),
        check("weights", "; ".join(broken)),
    ]


def with_pieces(token_ids: list[int], found: dict[str, Any]) -> dict[str, Any]:
    """Return a golden prompt with the text of those tokens that the other side shows too."""
    known = dict(zip(found["token_ids"], found["pieces"], strict=True))
    return {"token_ids": token_ids, "pieces": [known.get(each, "…") for each in token_ids]}


def check(name: str, fault: str) -> GateCheck:
    """Return a check that passed if there is no fault."""
    return GateCheck(name=name, passed=not fault, detail=fault)


def refuse(model: ModelManifest, checks: list[GateCheck]) -> None:
    """Raise GateRefusedError that shows every difference, if there is one."""
    gate = GateResult(checks=checks)
    if not gate.passed:
        raise GateRefusedError(
            f"model {model.id} is not what was trained; nothing was promoted:\n{failures(gate)}",
            field="model_id",
            hint="promote another model, or train this one again",
        )


async def prove(shop: Workshop, model: ModelManifest) -> None:
    """Prove that the model's files are what was trained. Raises GateRefusedError."""
    refuse(model, await asyncio.to_thread(file_checks, shop, model))
    request = {
        "folder": str(shop.volume.model(model.id).resolve()),
        "enable_thinking": model.enable_thinking,
        "prompts": [[one.model_dump() for one in each.messages] for each in model.golden],
    }
    try:
        report = await shop.engine.ask(VERIFY, request, VERIFY_SECONDS)
    except (ValueError, TimeoutError) as error:
        refuse(model, [check("verify", f"cannot be loaded: {error}")])
        raise
    refuse(model, rendered_checks(model, report))


class PromotionJob:
    """The handler of jobs of kind `promotion`."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop

    async def __call__(self, job: Job, context: JobContext) -> Outcome:
        """Prove the model, flip the alias, say under which names it answers."""
        model = find_model(self.shop, str(job.request["model_id"]))
        await prove(self.shop, model)
        served = await asyncio.to_thread(self.flip, model)
        logger.info("promoted", extra={"model": model.id, "served": served["served_name"]})
        return Outcome(result=served)

    def flip(self, model: ModelManifest) -> dict[str, Any]:
        """Let the alias answer with the model. Raises ConflictError."""
        board = self.shop.board.change(lambda now: current.promote(now, model))
        version = current.listed(board, model.id)
        assert version is not None  # promote() has listed it
        return {
            "name": model.name,
            "version": version.version,
            "served_name": version.served_name,
        }
