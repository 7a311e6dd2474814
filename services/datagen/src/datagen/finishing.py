"""The last step of a generation: its settled rows become the published dataset."""

from contracts.dataset import Counts, DatasetManifest
from contracts.volume import Volume
from datagen.errors import NothingAcceptedError
from datagen.generate import Plan
from datagen.journals import read_samples
from datagen.publish import Description, publish_dataset
from datagen.settling import adopt


def publish_generated(
    volume: Volume, dataset_id: str, plan: Plan, counts: Counts, teacher: str
) -> DatasetManifest:
    """Publish the rows in the staging folder of a dataset; may be done again after a kill.

    Args:
        volume: holds it.
        dataset_id: the dataset.
        plan: what was asked.
        counts: of the rows.
        teacher: what the manifest calls it.

    Raises NothingAcceptedError where there is no row.
    """
    if not counts.accepted:
        reasons = ", ".join(f"{name} {n}" for name, n in counts.rejected.items())
        raise NothingAcceptedError(
            f"not one row passed the gates: {reasons}",
            hint="look at the rejected rows; correct the style cards or the teacher",
        )
    request = plan.request
    description = Description(
        source="generated",
        status="incomplete" if counts.failed else "complete",
        conditioning=request.conditioning,
        eval_ratio=request.eval_ratio,
        seed=request.seed,
        styles=plan.styles,
        counts=counts,
        request=request.model_dump(mode="json"),
        teacher=teacher,
    )
    staging = volume.staging(volume.dataset(dataset_id))
    adopt(staging)
    return publish_dataset(volume, dataset_id, list(read_samples(staging)), description)
