"""What the trainer works with, built once from its settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.volume import Volume
from kit.config import read_secret
from kit.jobs import JobStore
from trainer.bases import Bases, install_bases
from trainer.child import Engine
from trainer.config import Settings, shipped_folder
from trainer.current import Board
from trainer.host import HostGpus
from trainer.lease import Terms
from trainer.recipe import Shelf


@dataclass(frozen=True)
class Workshop:
    """The trainer's tools: where things lie, what is known, who runs the engine."""

    settings: Settings
    volume: Volume
    store: JobStore
    promotions: JobStore
    exports: JobStore
    bases: Bases
    shelf: Shelf
    board: Board
    engine: Engine
    gpus: HostGpus
    golden: Path
    sharding: Path  # how LLaMA-Factory splits weights over processes
    terms: Terms | None  # how a run comes to the GPU; None: it runs beside serving


def open_workshop(settings: Settings, environ: Mapping[str, str]) -> Workshop:
    """Return the workshop of these settings. Raises ConflictError: the state folder is in use."""
    volume = Volume(settings.data_dir)
    shipped = shipped_folder(settings)
    if settings.bases_dir:
        install_bases(settings.bases_dir, settings.models_dir)
    return Workshop(
        settings=settings,
        volume=volume,
        store=JobStore(settings.state_dir),
        # Of their own, since neither must wait for a run to end.
        promotions=JobStore(settings.state_dir / "promotions"),
        exports=JobStore(settings.state_dir / "exports"),
        bases=Bases(settings.models_dir),
        shelf=Shelf(shipped / "recipes"),
        board=Board(volume, settings.base_model),
        engine=Engine(
            settings.engine_python, settings.state_dir / "engine", environ, settings.nproc
        ),
        gpus=HostGpus(),
        golden=shipped / "golden" / "prompts.yaml",
        sharding=shipped / "sharding",
        terms=lease_terms(settings) if settings.exclusive else None,
    )


def lease_terms(settings: Settings) -> Terms:
    """Return whom to ask for the GPU, and how."""
    return Terms(
        url=settings.serving_control_url,
        token=read_secret(settings.api_token_file),
        ttl_seconds=settings.lease_ttl_seconds,
        wait_seconds=settings.lease_wait_seconds,
    )
