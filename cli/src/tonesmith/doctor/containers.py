"""Everything that the stack in containers needs, in the order of its start."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from tonesmith.docker.compose import FILE, Compose, ComposeError, Profile
from tonesmith.docker.engine import Engine, connect
from tonesmith.docker.failures import EngineError
from tonesmith.docker.plan import Plan, read_plan
from tonesmith.doctor.docker_room import docker_disk, docker_memory
from tonesmith.doctor.docker_tools import (
    buildx_plugin,
    compose_plugin,
    engine_found,
    engine_missing,
)
from tonesmith.doctor.finding import Finding
from tonesmith.doctor.nvidia import Hardware, hardware, nvidia
from tonesmith.doctor.programs import Run, run_program
from tonesmith.doctor.published import published
from tonesmith.doctor.supplies import answers, base_images, images, missing_images, model_hub
from tonesmith.doctor.volumes import volumes


@dataclass(frozen=True)
class Patient:
    """What the findings about containers look at.

    Args:
        compose: the project.
        profile: that shall run.
        run: runs a program and returns what it prints.
        reachable: whether an address on the network answers.
    """

    compose: Compose
    profile: Profile
    run: Run = run_program
    reachable: Callable[[str], bool] = answers

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment of the compose command."""
        return self.compose.environ

    @cached_property
    def plan(self) -> Plan | Finding:
        """What the compose file asks for, or why it cannot be read."""
        if self.compose.folder is None:
            detail = f"no {FILE} here, nor in a folder above"
            remedy = "call from Tonesmith's folder (the clone)"
            return Finding(name="compose file", level="error", detail=detail, remedy=remedy)
        try:
            return read_plan(self.compose.read())
        except ComposeError as error:
            detail, remedy = error.body.message, error.body.hint or f"correct {FILE} or `.env`"
            return Finding(name="compose file", level="error", detail=detail, remedy=remedy)


def examine_containers(patient: Patient) -> list[Finding]:
    """Return what was found about the engine and what the stack needs of its machine."""
    try:
        with connect(patient.environ) as engine:
            return [*essentials(patient, engine), *provisions(patient, engine)]
    except EngineError as error:
        return [engine_missing(error), compose_plugin(patient.run)]


def first_obstacle(patient: Patient) -> Finding | None:
    """Return what keeps the stack from starting, as far as that shows at once; or None."""
    try:
        with connect(patient.environ) as engine:
            found = essentials(patient, engine)
            return next((finding for finding in found if finding.level == "error"), None)
    except EngineError as error:
        return engine_missing(error)


def essentials(patient: Patient, engine: Engine) -> Iterator[Finding]:
    """Yield the findings without which nothing starts; each is quick."""
    yield engine_found(engine.version())
    seen = hardware(patient.run) if engine.local else Hardware()
    yield nvidia(engine.info(), patient.profile, seen)
    yield compose_plugin(patient.run)
    if isinstance(patient.plan, Finding):
        yield patient.plan
        return
    for port in patient.plan.ports:
        yield published(port, patient.compose.project, engine.containers())


def provisions(patient: Patient, engine: Engine) -> Iterator[Finding]:
    """Yield the findings about room, volumes and what comes over the network."""
    yield buildx_plugin(patient.run)
    plan, info = patient.plan, engine.info()
    if isinstance(plan, Finding):
        return
    missing = missing_images(engine, plan)
    yield docker_disk(info, patient.profile, built=not missing, visible=engine.local)
    yield docker_memory(info, patient.profile, plan.shared_bytes)
    yield volumes(engine, plan.volumes, (*plan.images, *plan.bases))
    yield images(missing)
    if missing:
        yield base_images(engine, plan)
    yield model_hub(patient.environ, patient.profile, patient.reachable)
