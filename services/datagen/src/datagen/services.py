"""What the routes and the job handlers of datagen work with, built once from the settings."""

from dataclasses import dataclass
from pathlib import Path

from contracts.style import Language
from contracts.volume import Volume
from datagen.config import Settings, shipped_folder
from datagen.crisis import Screen, load_screens
from datagen.library import StyleLibrary
from datagen.metrics import Metrics
from datagen.prompts import Prompts
from datagen.questions import Bank, load_banks
from datagen.review_store import ReviewStore
from datagen.scripted import ScriptedTeacher, scripted_app
from datagen.studio import Drafts
from datagen.teachers import Asked, open_teachers
from datagen.votes import VoteStore
from kit.jobs import JobStore


@dataclass(frozen=True)
class Services:
    """The parts of one datagen process."""

    settings: Settings
    shipped: Path
    volume: Volume
    library: StyleLibrary
    banks: dict[Language, Bank]
    screens: dict[Language, Screen]
    prompts: Prompts
    metrics: Metrics
    teacher: Asked
    store: JobStore
    reviews: ReviewStore
    votes: VoteStore
    drafts: Drafts


def open_services(settings: Settings) -> Services:
    """Open the volume, the job table and the teacher; install shipped cards that are missing.

    Raises ConflictError where another process holds the state folder.
    """
    shipped = shipped_folder(settings)
    volume = Volume(settings.data_dir.absolute())
    library = StyleLibrary(volume)
    library.install(shipped / "styles")
    banks = load_banks(shipped / "questions")
    metrics = Metrics()
    drafts = Drafts()
    scripted = ScriptedTeacher(
        lambda: [*drafts.cards(), *library.every_card()], banks, settings.teacher_flaw_rate
    )
    return Services(
        settings=settings,
        shipped=shipped,
        volume=volume,
        library=library,
        banks=banks,
        screens=load_screens(shipped / "safety"),
        prompts=Prompts(shipped / "prompts"),
        metrics=metrics,
        teacher=open_teachers(settings, metrics, scripted_app(scripted)),
        store=JobStore(settings.state_dir),
        reviews=ReviewStore(settings.state_dir),
        votes=VoteStore(settings.state_dir),
        drafts=drafts,
    )
