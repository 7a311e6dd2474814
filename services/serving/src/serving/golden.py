"""Check a loaded adapter against its manifest: what is served must be what was trained."""

from contracts.artefact import GoldenPrompt, ModelManifest
from serving.backend import Backend
from serving.errors import AdapterError

AROUND = 4  # token ids shown before and after a difference


async def verify_golden(
    backend: Backend, served_name: str, manifest: ModelManifest, *, agreement: float
) -> float:
    """Ask the running engine for every golden prompt of the manifest.

    Token ids must be equal. Greedy replies are computed by another engine with other kernels, so
    that two near-equal tokens may change places: they must agree for `agreement` (0 to 1) of
    their length on average, up to the first difference.

    Returns:
        The agreement found; 1 where the manifest holds no replies.

    Raises:
        AdapterError: with the prompt's name and the difference.
        EngineError: the engine does not answer.
    """
    found = [await reply_agreement(backend, served_name, golden) for golden in manifest.golden]
    known = [value for value in found if value is not None]
    mean = sum(known) / len(known) if known else 1.0
    if mean < agreement:
        worst = min(zip(found, manifest.golden, strict=True), key=lambda pair: pair[0] or 0.0)
        raise AdapterError(
            f"greedy replies agree with the trainer's for {mean:.0%} of their length, "
            f"at least {agreement:.0%} is asked; worst prompt: {worst[1].name}"
        )
    return mean


async def reply_agreement(backend: Backend, served_name: str, golden: GoldenPrompt) -> float | None:
    """Check one prompt; return how far its reply agrees, or None where none is recorded."""
    served = await backend.tokenize(served_name, golden.messages)
    if served != golden.token_ids:
        raise AdapterError(
            f"golden prompt {golden.name}: {first_difference(golden.token_ids, served)}"
        )
    if not golden.reply_ids:
        return None
    reply = await backend.greedy(served_name, golden.messages, len(golden.reply_ids))
    return common_prefix(golden.reply_ids, reply) / len(golden.reply_ids)


def common_prefix(one: list[int], other: list[int]) -> int:
    """Return how many ids both begin with."""
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def first_difference(trained: list[int], served: list[int]) -> str:
    """Return a sentence that shows where two lists of token ids part."""
    at = common_prefix(trained, served)
    window = slice(max(0, at - AROUND), at + AROUND)
    return (
        f"token ids differ at position {at}: trained {trained[window]}, served {served[window]} "
        f"({len(trained)} and {len(served)} ids)"
    )
