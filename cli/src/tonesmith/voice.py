"""How to ask a served model for a style: the system prompt comes from the model's manifest."""

from dataclasses import dataclass, field

from client import TrainerClient
from contracts.artefact import CurrentModel, ModelManifest
from contracts.dataset import Conditioning
from contracts.sample import Message
from kit.errors import InvalidInputError

SYSTEM = frozenset({Conditioning.SYSTEM, Conditioning.BOTH})


@dataclass(frozen=True)
class Voice:
    """A style's id, and the messages that go before the dialogue."""

    style: str | None = None
    system: list[Message] = field(default_factory=list)


def find_voice(trainer: TrainerClient, model: str, style: str | None) -> Voice:
    """Return how to ask `model` for `style` (None: the first that it learned).

    Raises:
        InvalidInputError: the model did not learn that style; the hint lists those that it did.
        ServiceError, ServiceDownError: the trainer does not say.
    """
    manifest = served_manifest(trainer, model)
    if manifest is None:
        if style:
            raise InvalidInputError(
                f"{model!r} has not learned any style", field="--style", hint="promote a model"
            )
        return Voice()
    cards = {stored.style.id: stored.style for stored in manifest.styles}
    chosen = style or next(iter(cards), None)
    if chosen is None:
        return Voice()
    if chosen not in cards:
        raise InvalidInputError(
            f"{model!r} has not learned {chosen[:64]!r}",
            field="--style",
            hint=f"it knows: {', '.join(cards)}",
        )
    if manifest.conditioning not in SYSTEM:
        return Voice(chosen)
    return Voice(chosen, [Message(role="system", content=cards[chosen].system_prompt)])


def served_manifest(trainer: TrainerClient, model: str) -> ModelManifest | None:
    """Return the manifest behind a served name; the base borrows a promoted model's styles."""
    current = trainer.current()
    model_id = served_model(current, model)
    return trainer.model(model_id) if model_id else None


def served_model(current: CurrentModel, name: str) -> str | None:
    """Return the id of the model that answers to `name`, or None."""
    models = {version.served_name: version.model_id for version in current.versions}
    aliases = {alias: f"{alias}.v{version}" for alias, version in current.aliases.items()}
    if name == "base":
        name = next(iter(aliases), name)
    return models.get(aliases.get(name, name))
