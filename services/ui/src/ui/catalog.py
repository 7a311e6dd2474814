"""What the page can offer now: models, styles, and what stands in the way.

`Findings` is what the services said; `build_catalog` makes sense of it (pure); `CatalogSource`
asks them, all at once, and shares one answer among every page for a moment.
"""

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import Literal

from contracts.artefact import CurrentModel, ModelManifest, ServingStatus
from contracts.dataset import Conditioning
from contracts.job import Progress
from contracts.style import Style, StyleVersion
from ui.errors import ProblemError
from ui.upstream.backend import Backend
from ui.upstream.calls import QUICK_SECONDS

BASE = "base"
# Pages refresh every few seconds; many of them together cost the services one round of calls.
FRESH_SECONDS = 1.0
# Who asks a question does not wait for that round if the last one is not older than this.
KNOWN_SECONDS = 10.0
# A launcher that loads a model may be too busy to answer: its last word holds for this long.
REMEMBERED_SECONDS = 120.0
PASSING = frozenset({"waiting", "starting", "draining"})
# What is left to find the words for a failure.
STATE_SECONDS = 0.3
ModelKind = Literal["base", "alias", "version"]


@dataclass(frozen=True)
class Findings:
    """What each service said; None where it did not answer."""

    served: list[str] | None = None
    status: ServingStatus | None = None
    current: CurrentModel | None = None
    manifests: dict[str, ModelManifest] = field(default_factory=dict)
    library: list[StyleVersion] | None = None
    progress: Progress | None = None


@dataclass(frozen=True)
class ServedModel:
    """One model that the page offers; the base has no manifest."""

    name: str
    kind: ModelKind
    version: int = 0
    manifest: ModelManifest | None = None

    @property
    def label(self) -> str:
        """Its label in the metrics."""
        return label_of(self.name)


def label_of(name: object) -> str:
    """Return what a model of that name is in the metrics; without a name, the promoted one."""
    return "base" if name == BASE else "tuned"


@dataclass(frozen=True)
class Catalog:
    """Models, promoted first and the base last; styles; and the state of serving.

    While serving is lent, `holder` is the training run that has the GPU, if it is known.
    """

    models: tuple[ServedModel, ...] = ()
    library: tuple[Style, ...] = ()
    state: str = "down"
    reasons: tuple[str, ...] = ()
    base: str = ""
    holder: str = ""
    progress: Progress | None = None

    @property
    def promoted(self) -> bool:
        """Whether an alias answers."""
        return any(model.kind == "alias" for model in self.models)

    def model(self, name: str | None) -> ServedModel | None:
        """Return the model of that name; without one the promoted, else the best there is."""
        named = next((model for model in self.models if model.name == name), None)
        return named or next(iter(self.models), None)

    def manifest_for(self, name: str | None) -> ModelManifest | None:
        """Return the manifest that says how `name` is asked.

        The base is asked just like the promoted model, so that only the weights differ.
        """
        model = self.model(name)
        if model and model.manifest:
            return model.manifest
        return next((model.manifest for model in self.models if model.manifest), None)

    def styles_for(self, name: str | None) -> tuple[Style, ...]:
        """Return the styles that `name` was taught; the library where nothing is taught yet."""
        manifest = self.manifest_for(name)
        return tuple(entry.style for entry in manifest.styles) if manifest else self.library

    def style_for(self, name: str | None, style_id: str | None) -> Style | None:
        """Return one of these styles; without that id the first."""
        styles = self.styles_for(name)
        named = next((style for style in styles if style.id == style_id), None)
        return named or next(iter(styles), None)

    def conditioning_for(self, name: str | None) -> Conditioning:
        """Return how `name` is told its style."""
        manifest = self.manifest_for(name)
        return manifest.conditioning if manifest else Conditioning.SYSTEM


def build_catalog(found: Findings) -> Catalog:
    """Return what can be offered, given what the services said."""
    tuned = tuned_models(found)
    names = found.served
    if names is not None:
        tuned = [model for model in tuned if model.name in names]
        known = {model.name for model in tuned} | {BASE}
        tuned += [ServedModel(name, "alias") for name in names if name not in known]
    offered = [*tuned, ServedModel(BASE, "base")] if names or found.current else []
    status = found.status
    return Catalog(
        models=tuple(offered),
        library=tuple(entry.style for entry in found.library or []),
        state=serving_state(found),
        reasons=tuple(status.errors.values()) if status else (),
        base=(status and status.base) or (found.current.base if found.current else ""),
        holder=holder_of(status),
        progress=found.progress,
    )


def tuned_models(found: Findings) -> list[ServedModel]:
    """Return aliases, then versions with the newest first, as the trainer lists them."""
    if not found.current:
        return []
    listed = sorted(found.current.versions, key=lambda entry: (entry.name, -entry.version))
    manifest = {
        (entry.name, entry.version): found.manifests.get(entry.model_id) for entry in listed
    }
    aliases = [
        ServedModel(name, "alias", version, manifest.get((name, version)))
        for name, version in sorted(found.current.aliases.items())
    ]
    return aliases + [
        ServedModel(
            entry.served_name, "version", entry.version, manifest[entry.name, entry.version]
        )
        for entry in listed
    ]


def serving_state(found: Findings) -> str:
    """Return `lent`, or `ready` where models answer, else the launcher's word, else `down`."""
    said = launcher_state(found.status) if found.status else "down"
    if said != "lent" and found.served is not None:
        return "ready"
    return said if said != "ready" else "down"


def launcher_state(status: ServingStatus) -> str:
    """Return the launcher's word; an engine that drains for a training run is as good as lent."""
    return "lent" if status.lease else status.state


def holder_of(status: ServingStatus | None) -> str:
    """Return the training run that has the GPU, or nothing."""
    return status.lease.holder if status and status.lease else ""


class CatalogSource:
    """Asks the services what there is.

    Args:
        backend: the services.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._manifests: dict[str, ModelManifest] = {}
        self._catalog = Catalog()
        self._asked_at = float("-inf")
        self._said: tuple[float, ServingStatus | None] = (float("-inf"), None)
        self._lock = asyncio.Lock()

    async def catalog(self) -> Catalog:
        """Return what can be offered now; never raises: what is missing is left out."""
        async with self._lock:
            if time.monotonic() - self._asked_at > FRESH_SECONDS:
                self._catalog = build_catalog(await self.find())
                self._asked_at = time.monotonic()
            return self._catalog

    async def known(self) -> Catalog:
        """Return what could be offered some seconds ago, without waiting for the services."""
        recent = time.monotonic() - self._asked_at < KNOWN_SECONDS
        return self._catalog if recent else await self.catalog()

    async def explained(self) -> Catalog:
        """Return the last catalog with the launcher's state of this moment, quickly."""
        status = await self.status(STATE_SECONDS)
        if status is None:
            return self._catalog
        return replace(self._catalog, state=launcher_state(status), holder=holder_of(status))

    async def find(self) -> Findings:
        """Ask every service at once."""
        served, status, (current, manifests), library = await asyncio.gather(
            self.served(), self.status(), self.taught(), self.library()
        )
        progress = await self.progress(holder_of(status))
        return Findings(served, status, current, manifests, library, progress)

    async def served(self) -> list[str] | None:
        """Return the served names, or None."""
        try:
            return await self.backend.serving.models()
        except ProblemError:
            return None

    async def status(self, seconds: float = QUICK_SECONDS) -> ServingStatus | None:
        """Return the launcher's status, or None.

        One that is loading is slow to answer: silence then means that it still does.
        """
        at, before = self._said
        try:
            status = await self.backend.serving.status(seconds)
        except ProblemError as problem:
            recent = time.monotonic() - at < REMEMBERED_SECONDS
            loading = before is not None and before.state in PASSING
            return before if problem.kind == "timeout" and recent and loading else None
        self._said = (time.monotonic(), status)
        return status

    async def progress(self, run_id: str) -> Progress | None:
        """Return how far a training run is, or None."""
        try:
            return (await self.backend.trainer.jobs.get(run_id)).progress if run_id else None
        except ProblemError:
            return None

    async def library(self) -> list[StyleVersion] | None:
        """Return datagen's styles, or None."""
        try:
            return await self.backend.styles.library()
        except ProblemError:
            return None

    async def taught(self) -> tuple[CurrentModel | None, dict[str, ModelManifest]]:
        """Return what the trainer wants served, with the manifests that it still lists."""
        try:
            current = await self.backend.trainer.current()
            # A published manifest never changes, so each is fetched once.
            wanted = {entry.model_id for entry in current.versions}
            kept = {key: value for key, value in self._manifests.items() if key in wanted}
            for model_id in sorted(wanted - kept.keys()):
                kept[model_id] = await self.backend.trainer.manifest(model_id)
        except ProblemError:
            return None, {}
        self._manifests = kept
        return current, kept
