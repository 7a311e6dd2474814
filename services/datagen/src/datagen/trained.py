"""What the trainer measured of the model behind a served name: read from its manifest."""

import re

from contracts.artefact import CurrentModel, ModelManifest
from contracts.evaluation import ModelFigures
from contracts.volume import Volume

SERVED = re.compile(r"(?P<name>.+)\.v(?P<version>[1-9][0-9]*)")


def model_figures(volume: Volume, served: str) -> ModelFigures | None:
    """Return the figures of the model that answers to `served`.

    None where no such name is served by us (another server's model, the base), where its manifest
    is gone or cannot be read, or where nothing was measured: a report does without.

    Args:
        volume: holds `models/`.
        served: an alias, or one version of it (`tonesmith.v3`).
    """
    try:
        current = volume.current_model()
        model_id = behind(current, served) if current else None
        if model_id is None:
            return None
        manifest = volume.model_manifest(model_id)
    except (OSError, ValueError):
        return None
    return figures_of(manifest)


def behind(current: CurrentModel, served: str) -> str | None:
    """Return the id of the model that a served name reaches now, or None."""
    if found := SERVED.fullmatch(served):
        name, version = found["name"], int(found["version"])
    else:
        name, version = served, current.aliases.get(served, 0)
    wanted = (one for one in current.versions if (one.name, one.version) == (name, version))
    return next((one.model_id for one in wanted), None)


def figures_of(manifest: ModelManifest) -> ModelFigures | None:
    """Return what a manifest says was measured, or None where it says nothing."""
    if not manifest.metrics:
        return None
    return ModelFigures(model_id=manifest.id, metrics=manifest.metrics)
