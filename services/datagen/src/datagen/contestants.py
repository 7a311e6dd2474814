"""Who is compared: the base, the base with the best style prompt, the tuned model, any others."""

from collections.abc import Iterable, Mapping

from contracts.evaluation import EvaluationRequest
from datagen.evaluate import Asked
from datagen.heldout import HeldOut
from datagen.style_prompts import StylePrompt
from kit.errors import InvalidInputError

BASE, PROMPTED, TUNED = "base", "prompted", "tuned"


def contestants_of(request: EvaluationRequest) -> dict[str, str]:
    """Return the served model of each contestant, by its name in the report.

    Raises:
        InvalidInputError: a further model is named twice, or as one of the three.
    """
    models = {BASE: request.base}
    if request.prompted:
        models[PROMPTED] = request.base
    models[TUNED] = request.tuned
    for name in request.models:
        if name in (BASE, PROMPTED, TUNED, *models.values()):
            raise InvalidInputError(
                f"models: {name[:80]!r} is compared already",
                field="models",
                hint="name models that are neither base, tuned, prompted nor named before",
            )
        models[name] = name
    return models


def check_request(request: EvaluationRequest, *, judge: bool) -> None:
    """Raise InvalidInputError where `request` asks for what cannot be; `judge`: there is one."""
    contestants_of(request)
    if request.judge and not judge:
        raise InvalidInputError(
            "judge: there is no language model to judge with",
            field="judge",
            hint="set JUDGE_BASE_URL and JUDGE_MODEL, or leave judge out",
        )


def questions_to(
    heldout: Iterable[HeldOut], models: Mapping[str, str], prompts: Mapping[str, StylePrompt]
) -> list[Asked]:
    """Return every question to every contestant, so that rivals are asked next to each other.

    `prompts` holds the style prompt of each style; a style without one is not asked of the
    prompted base.
    """
    return [
        Asked(name, model, one, prompt=prompts[one.style] if name == PROMPTED else None)
        for one in heldout
        for name, model in models.items()
        if name != PROMPTED or one.style in prompts
    ]
