"""Micro-batch, accumulation and passes of a run: for a CPU, by prediction, or by real steps."""

from dataclasses import dataclass
from typing import Any

from trainer.engine import memory, planner
from trainer.engine.batching import Asked, Choice

BAND = (0.90, 0.95)
# Logits of one micro-batch on a CPU; a larger one is no faster, and memory there is shared.
CPU_LOGITS = 2 << 30
SHARDED = ("deepspeed", "fsdp")  # arguments under which a card holds a part of the model only


@dataclass(frozen=True)
class Sizes:
    """What is planned for the card: batch, passes and memory."""

    micro: int
    accumulation: int
    checkpointing: bool
    predicted: dict[str, int]
    probed_bytes: int | None
    probes: list[dict[str, Any]]
    reasons: list[str]


def allowed_micro(asked: Asked, choice: Choice) -> tuple[list[int], int]:
    """Return the micro-batches that the request allows, and the units of an update.

    A micro-batch and an accumulation that are both fixed decide the update; one of them alone
    must divide it, or the nearest update that it divides is taken.
    """
    micro = asked.fixed.get("per_device_train_batch_size")
    steps = asked.fixed.get("gradient_accumulation_steps")
    units = choice.units
    if micro and steps:
        return [int(micro)], int(micro) * int(steps)
    if micro:
        return [int(micro)], int(micro) * max(1, round(units / int(micro)))
    if steps:
        single = max(1, round(units / int(steps)))
        return [single], single * int(steps)
    return planner.divisors(units), units


def planned(
    request: dict[str, Any],
    asked: Asked,
    choice: Choice,
    arch: memory.Architecture | None,
    card: int | None,
) -> Sizes:
    """Return micro-batch and accumulation, for the card or for the CPU."""
    candidates, units = allowed_micro(asked, choice)
    arguments = request["arguments"]
    checkpointing = not arguments.get("disable_gradient_checkpointing")
    if any(arguments.get(name) for name in SHARDED):
        micro = max((each for each in candidates if each <= asked.micro), default=candidates[0])
        said = ["Nothing is predicted or probed: each card holds a part of the model only."]
        return Sizes(micro, units // micro, checkpointing, {}, None, [], said)
    if card is None:
        micro = cpu_micro(candidates, choice, asked, arch)
        said = [f"On the CPU a micro-batch of {micro}: few large steps cost less than many small."]
        return Sizes(micro, units // micro, checkpointing, {}, None, [], said)
    case = Case(request, choice, arch, card, candidates, units)
    if request.get("probe") and not request.get("card_bytes"):
        return case.probed(checkpointing)
    return case.foreseen(checkpointing)


def cpu_micro(
    candidates: list[int], choice: Choice, asked: Asked, arch: memory.Architecture | None
) -> int:
    """Return the largest micro-batch, at most the recipe's, whose logits leave room for others."""
    words = arch.vocabulary if arch else 150_000
    tokens = CPU_LOGITS // (3 * memory.FLOAT * words)
    most = max(1, tokens // choice.way.sequence)
    if choice.way.batching != "packed":
        most = min(most, asked.micro)
    return max((each for each in candidates if each <= most), default=candidates[0])


@dataclass(frozen=True)
class Case:
    """One run on one card: predicts, and lets the planner probe."""

    request: dict[str, Any]
    choice: Choice
    arch: memory.Architecture | None
    card: int
    candidates: list[int]
    units: int

    @property
    def band(self) -> tuple[float, float]:
        """The band of the card."""
        low, high = self.request.get("band") or BAND
        return float(low), float(high)

    @property
    def sequence(self) -> int:
        """Tokens of the longest padded sequence."""
        return self.choice.way.sequence

    def predicted(self, micro: int, checkpointing: bool) -> dict[str, int]:
        """Return the prediction for a micro-batch by its terms; nothing for an unknown family."""
        if self.arch is None:
            return {}
        run = memory.training(self.request["arguments"], self.arch)
        packed = self.choice.way.batching == "packed"
        return memory.predict(
            self.arch, run, memory.Step(micro, self.sequence, packed, checkpointing)
        )

    def passes(self, checkpointing: bool) -> tuple[bool, list[str]]:
        """Return whether activations are computed twice, and why that changed.

        A recipe computes them twice to fit small cards; it costs a third of the time. Where the
        whole update fits the card without, it is not needed.
        """
        if not checkpointing or self.arch is None:
            return checkpointing, []
        need = memory.total(self.predicted(self.candidates[-1], checkpointing=False))
        if need > self.band[0] * self.card:
            return True, []
        said = "Activations are kept instead of computed twice: the whole update fits the card."
        return False, [said]

    def foreseen(self, checkpointing: bool) -> Sizes:
        """Return the largest micro-batch that the prediction allows, without probing."""
        checkpointing, said = self.passes(checkpointing)
        high = self.band[1] * self.card
        sizes = {
            each: memory.total(self.predicted(each, checkpointing)) for each in self.candidates
        }
        fitting = [each for each in self.candidates if 0 < sizes[each] <= high]
        if self.arch and not fitting:
            raise ValueError(self.too_small(sizes[self.candidates[0]]))
        micro = fitting[-1] if fitting else self.candidates[0]
        terms = self.predicted(micro, checkpointing)
        if terms:
            share = sizes[micro] / self.card
            said = [*said, f"A micro-batch of {micro} should take {share:.0%} of the card."]
        else:
            said = [
                *said,
                "This family of models is not known: the smallest batch is taken.",
            ]
        return Sizes(micro, self.units // micro, checkpointing, terms, None, [], said)

    def probed(self, checkpointing: bool) -> Sizes:
        """Return what real steps on the card found best. Raises ValueError if nothing fits."""
        checkpointing, said = self.passes(checkpointing)
        try:
            made = self.tried(checkpointing)
        except planner.NothingFitsError as error:
            if checkpointing:
                raise ValueError(self.too_small(None)) from error
            checkpointing = True
            said = ["Activations are computed twice: without that nothing fits the card."]
            made = self.tried(checkpointing)
        terms = self.predicted(made.micro_batch, checkpointing)
        return Sizes(
            made.micro_batch,
            made.accumulation,
            checkpointing,
            terms,
            made.peak_bytes,
            made.report,
            [*said, made.reason],
        )

    def tried(self, checkpointing: bool) -> planner.Plan:
        """Return the planner's choice on the real card. Raises NothingFitsError."""
        from trainer.engine.probe import CudaCard

        arguments = self.request["arguments"]
        packed = self.choice.way.batching == "packed"
        sides = memory.sides_of(arguments)
        with CudaCard(arguments, packed=packed, checkpointing=checkpointing, sides=sides) as card:
            # Serving may have its share of the same card; the driver's own is predicted already.
            beside = card.others() - memory.CONTEXT

            def guess(micro: int) -> int:
                return memory.total(self.predicted(micro, checkpointing)) + beside

            return planner.plan(
                card,
                guess if self.arch else None,
                units=self.units,
                length=self.sequence,
                band=self.band,
                candidates=self.candidates,
            )

    def too_small(self, need: int | None) -> str:
        """Return why the card is too small, and the way out."""
        wants = f" wants {need / 2**30:.1f} GiB, the card" if need else ""
        return (
            f"one sequence of {self.sequence} tokens{wants} has {self.card / 2**30:.1f} GiB: "
            "take the recipe `qlora`, a smaller cutoff_len or a smaller base model"
        )
