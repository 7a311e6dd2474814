"""What serving must serve: pure transitions of `models/current.json`, and its one writer.

A version is staged when it is listed, promoted when the alias names it. Kept: the current
version, the previous one (for rollback), and the newest staged one.
"""

import threading
from collections.abc import Callable

from contracts.artefact import CurrentModel, ModelManifest, ServedVersion
from contracts.identity import now
from contracts.volume import Volume, write_document
from kit.errors import ConflictError, NotFoundError

Change = dict[str, object]


def first(base: str) -> CurrentModel:
    """Return generation 0: the base alone, so that serving can start before any training."""
    return CurrentModel(generation=0, base=base, updated_at=now())


def listed(current: CurrentModel, model_id: str) -> ServedVersion | None:
    """Return the version under which a model is listed, or None."""
    return next((each for each in current.versions if each.model_id == model_id), None)


def stage(current: CurrentModel, model: ModelManifest) -> CurrentModel:
    """List `model` as a new version of its name; nothing changes if it is listed already.

    Raises ConflictError for whole weights, which cannot be loaded into a serving that runs, and
    where versions on another base are being served.
    """
    if model.kind != "adapter":
        raise ConflictError(
            f"model {model.id} is a whole model; serving loads adapters on its base while it runs",
            field="model_id",
            hint="copy its folder `merged` into MODELS_DIR and name it in BASE_MODEL",
        )
    if listed(current, model.id):
        return current
    if current.versions and current.base != model.base.name:
        raise ConflictError(
            f"the model sits on base {model.base.name!r}, serving runs {current.base!r}",
            field="base",
            hint="train it on the served base, or start a stack of its own with that BASE_MODEL",
        )
    taken = [each.version for each in current.versions if each.name == model.name]
    added = ServedVersion(name=model.name, version=max(taken, default=0) + 1, model_id=model.id)
    versions = [*current.versions, added]
    return after(current, {"base": model.base.name, "versions": versions})


def promote(current: CurrentModel, model: ModelManifest) -> CurrentModel:
    """Let the alias of the model's name answer with it; stages it first where needed."""
    staged = stage(current, model)
    version = listed(staged, model.id)
    assert version is not None  # stage() has listed it
    before = staged.aliases.get(model.name)
    if before == version.version:
        return staged
    previous = staged.previous | ({model.name: before} if before else {})
    aliases = staged.aliases | {model.name: version.version}
    return after(staged, {"aliases": aliases, "previous": previous})


def rollback(current: CurrentModel, name: str) -> CurrentModel:
    """Let the alias answer with the version before; rolling back twice is where it began.

    Raises NotFoundError where no such alias is served, ConflictError where nothing came before.
    """
    if name not in current.aliases:
        known = ", ".join(sorted(current.aliases)) or "none"
        raise NotFoundError(f"nothing is served as {name!r}; known: {known}", field="name")
    if name not in current.previous:
        raise ConflictError(f"{name!r} has no earlier version to go back to", field="name")
    aliases = current.aliases | {name: current.previous[name]}
    previous = current.previous | {name: current.aliases[name]}
    return after(current, {"aliases": aliases, "previous": previous})


def after(current: CurrentModel, change: Change) -> CurrentModel:
    """Return the next generation with `change`, without the versions that nobody needs."""
    following: Change = {"generation": current.generation + 1, "updated_at": now()}
    return forget(current.model_copy(update=change | following))


def forget(current: CurrentModel) -> CurrentModel:
    """Drop each version that is neither current, nor previous, nor the newest of its name."""
    newest = {each.name: each.version for each in sorted(current.versions, key=by_version)}
    kept = [
        each
        for each in current.versions
        if each.version
        in (current.aliases.get(each.name), current.previous.get(each.name), newest[each.name])
    ]
    return current.model_copy(update={"versions": kept})


def by_version(served: ServedVersion) -> int:
    """Return the sort key of versions."""
    return served.version


class Board:
    """The one writer of `current.json`; every change goes through its lock."""

    def __init__(self, volume: Volume, base: str) -> None:
        self.volume = volume
        self.base = base
        self._lock = threading.Lock()

    def show(self) -> CurrentModel:
        """Return what must be served now; writes generation 0 where there is nothing yet."""
        return self.change(lambda current: current)

    def change(self, transition: Callable[[CurrentModel], CurrentModel]) -> CurrentModel:
        """Apply `transition` to the current document and write the result if it differs."""
        with self._lock:
            found = self.volume.current_model()
            current = found or first(self.base)
            changed = transition(current)
            if changed != found:
                write_document(self.volume.current_path, changed)
            return changed
