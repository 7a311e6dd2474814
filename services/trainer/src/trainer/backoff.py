"""Out of memory: go on from the last checkpoint with smaller micro-batches.

The rows of an update stay, so the run learns what it would have learned; it only takes longer.
"""

from contracts.run import Fit, RunRecord
from trainer.errors import OutOfMemoryError
from trainer.fitting import smaller
from trainer.runfolder import RunFolder

BACK_OFFS = 3  # in one go; what does not fit into an eighth is not a matter of the batch
MICRO, ACCUMULATION = "per_device_train_batch_size", "gradient_accumulation_steps"


def back_off(
    folder: RunFolder, record: RunRecord, error: OutOfMemoryError
) -> tuple[Fit | None, str]:
    """Rewrite the run's arguments so that it needs less memory.

    Returns:
        the fit as it is now, and a sentence for the record.

    Raises:
        OutOfMemoryError: a micro-batch is one row already.
    """
    before = folder.arguments()
    after = smaller(before)
    if after is None:
        raise OutOfMemoryError(
            f"{error}; a micro-batch is one row already",
            hint="lower cutoff_len or lora_rank, take the recipe qlora, or a smaller base",
        ) from error
    folder.write_arguments(after)
    changed = {"micro_batch": int(after[MICRO]), "accumulation": int(after[ACCUMULATION])}
    fit = record.fit.model_copy(update=changed) if record.fit else None
    if after[MICRO] == before[MICRO]:
        return fit, (
            f"Out of memory at step {record.step} with micro-batches of {before[MICRO]}: "
            "activations are computed twice from here on."
        )
    return fit, (
        f"Out of memory at step {record.step} with micro-batches of {before[MICRO]}: went on from "
        f"the last checkpoint with {after[MICRO]}, and {after[ACCUMULATION]} of them to an update "
        f"instead of {before[ACCUMULATION]}; an update holds as many rows as before."
    )
