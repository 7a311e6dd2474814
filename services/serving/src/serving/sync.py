"""Make the running engine serve what `models/current.json` says, without a failed request.

Order is everything: check and load the new version, verify it, flip the alias in the gate, and
only then let go of what nobody can ask for any more. Whatever fails leaves the old alias in place
and its reason in `errors`.
"""

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path

from contracts.artefact import CurrentModel, ServedVersion
from contracts.volume import Volume
from serving.adapters import checked_manifest
from serving.argv import SERVED_BASE
from serving.backend import Backend
from serving.bases import Base
from serving.config import ServingSettings
from serving.errors import AdapterError, EngineError
from serving.golden import verify_golden
from serving.metrics import ServingMetrics

logger = logging.getLogger(__name__)


@dataclass
class Loaded:
    """What the running engine holds and the gate admits; empty after a start."""

    models: dict[str, str] = field(default_factory=dict)  # served name -> model id
    aliases: dict[str, str] = field(default_factory=dict)  # alias -> served name
    errors: dict[str, str] = field(default_factory=dict)  # served name or alias -> reason
    generation: int = -1  # of the newest document that was applied


class Synchroniser:
    """Applies documents to one running engine.

    Args:
        settings: limits.
        volume: where models lie; only read.
        base: what the engine serves.
        backend: the engine.
        metrics: counts loads, refusals and flips.
    """

    def __init__(
        self,
        settings: ServingSettings,
        volume: Volume,
        base: Base,
        backend: Backend,
        metrics: ServingMetrics,
    ) -> None:
        self.settings = settings
        self.volume = volume
        self.base = base
        self.backend = backend
        self.metrics = metrics
        self.loaded = Loaded()

    async def apply(self, current: CurrentModel) -> None:
        """Bring the engine to `current`; do nothing where it is there already.

        Raises EngineError where the engine does not answer; the next call goes on from there.
        """
        wanted = {version.served_name: version for version in current.versions}
        if current.generation != self.loaded.generation:
            self.loaded.errors = {}
            for version in wanted.values():
                await self.admit(version)
            await self.flip(current)
        await self.release(wanted)
        self.loaded.generation = current.generation

    async def admit(self, version: ServedVersion) -> None:
        """Load and verify a version; a refusal goes into `errors`."""
        name = version.served_name
        try:
            if name in self.loaded.models:
                self.check_unchanged(version)
                return
            self.check_room()
            await self.load(version)
        except AdapterError as error:
            self.loaded.errors[name] = error.body.message
            self.metrics.loads.labels("refused").inc()
            logger.warning("adapter refused", extra={"model": name, "reason": error.body.message})

    def check_unchanged(self, version: ServedVersion) -> None:
        """Raise AdapterError where a loaded name suddenly means another model."""
        known = self.loaded.models[version.served_name]
        if known != version.model_id:
            raise AdapterError(
                f"is loaded from model {known}, now {version.model_id}: a version never changes"
            )

    def check_room(self) -> None:
        """Raise AdapterError where one more adapter would push a loaded one out."""
        limit = self.settings.max_adapters
        if len(self.loaded.models) >= limit:
            raise AdapterError(f"{limit} adapters are loaded already: SERVING_MAX_ADAPTERS")

    async def load(self, version: ServedVersion) -> None:
        """Check, load and verify one version. Raises AdapterError, EngineError."""
        started = time.monotonic()
        name = version.served_name
        limit = self.settings.max_lora_rank
        manifest = checked_manifest(self.volume, version, self.base, max_rank=limit)
        await self.load_into_engine(name, self.volume.model(version.model_id).resolve())
        try:
            least = self.settings.golden_agreement
            agreement = await verify_golden(self.backend, name, manifest, agreement=least)
        except AdapterError:
            await self.backend.unload(name)
            raise
        self.loaded.models[name] = version.model_id
        seconds = time.monotonic() - started
        self.metrics.loaded_well(seconds, agreement)
        facts = {"model": name, "seconds": round(seconds, 3), "agreement": round(agreement, 3)}
        logger.info("adapter loaded", extra=facts)

    async def load_into_engine(self, name: str, folder: Path) -> None:
        """Let vLLM read an adapter; its refusal is the adapter's fault. Raises AdapterError."""
        try:
            await self.backend.load(name, folder)
        except EngineError as error:
            if not await self.backend.healthy():
                raise
            if "already been loaded" not in error.body.message:  # by a call that was cut short
                raise AdapterError(f"vLLM refuses it: {error.body.message}"[:500]) from error

    async def flip(self, current: CurrentModel) -> None:
        """Point every alias at its version, where that is loaded; else keep the old one."""
        aliases = {}
        for alias, number in current.aliases.items():
            target = f"{alias}.v{number}"
            if alias == SERVED_BASE or alias in self.loaded.models:
                self.loaded.errors[alias] = "an alias cannot be called like the base or a version"
            elif target in self.loaded.models and target not in self.loaded.errors:
                aliases[alias] = target
            else:
                reason = self.loaded.errors.get(target, "is not listed in versions")
                self.loaded.errors[alias] = f"stays where it was: {target}: {reason}"
                if kept := self.loaded.aliases.get(alias):
                    aliases[alias] = kept
        await self.publish(current, aliases)

    async def publish(self, current: CurrentModel, aliases: dict[str, str]) -> None:
        """Tell the gate the names; from here on nobody can ask for what is not among them."""
        listed = {version.served_name for version in current.versions} | set(aliases.values())
        names = sorted(listed & set(self.loaded.models))
        await self.backend.set_names(names, aliases)
        for alias, target in aliases.items():
            if (before := self.loaded.aliases.get(alias)) != target:
                self.metrics.flips.inc()
                facts = {"alias": alias, "model": target, "before": before}
                logger.info("alias flipped", extra=facts)
        self.loaded.aliases = aliases

    async def release(self, wanted: dict[str, ServedVersion]) -> None:
        """Unload what is neither listed nor behind an alias, once no request holds it."""
        kept = {*wanted, *self.loaded.aliases.values()}
        leaving = [name for name in self.loaded.models if name not in kept]
        if not leaving:
            return
        inflight = (await self.backend.state())["inflight"]
        for name in leaving:
            if not inflight.get(name):
                await self.backend.unload(name)
                del self.loaded.models[name]
                logger.info("adapter unloaded", extra={"model": name})
