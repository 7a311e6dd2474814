"""What the routes and the job handlers of datagen work with, built once from the settings."""

from dataclasses import dataclass
from pathlib import Path

from contracts.style import Language
from contracts.volume import Volume
from datagen.config import Settings, shipped_folder
from datagen.embeddings import open_vectors
from datagen.judges import open_judge
from datagen.library import StyleLibrary
from datagen.llm_judge import LlmJudge
from datagen.metrics import Metrics
from datagen.personas import load_personas
from datagen.probe import Item, load_probe
from datagen.prompts import Prompts
from datagen.question_prompts import QuestionPrompts
from datagen.question_writing import Authors
from datagen.questions import Bank, load_banks
from datagen.review_store import ReviewStore
from datagen.scripted import ScriptedTeacher, scripted_app
from datagen.scripted_questions import QuestionWriter
from datagen.studio import Drafts
from datagen.teachers import Asked, open_teachers
from datagen.vectors import Vectors
from datagen.votes import VoteStore
from kit.crisis import Screen, load_screens
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
    authors: Authors
    metrics: Metrics
    teacher: Asked
    judge: LlmJudge | None
    store: JobStore
    reviews: ReviewStore
    votes: VoteStore
    drafts: Drafts
    vectors: Vectors
    probe: dict[Language, list[Item]]


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
    personas = load_personas(shipped / "questions" / "personas")
    flaws = settings.teacher_flaw_rate
    scripted = ScriptedTeacher(
        lambda: [*drafts.cards(), *library.every_card()],
        banks,
        flaws,
        QuestionWriter(banks, personas, flaws),
    )
    teacher = open_teachers(settings, metrics, scripted_app(scripted))
    return Services(
        settings=settings,
        shipped=shipped,
        volume=volume,
        library=library,
        banks=banks,
        screens=load_screens(),
        probe=load_probe(shipped / "probe"),
        prompts=Prompts(shipped / "prompts"),
        authors=Authors(teacher, QuestionPrompts(shipped / "prompts" / "questions"), personas),
        metrics=metrics,
        teacher=teacher,
        judge=open_judge(settings, metrics, teacher, shipped),
        store=JobStore(settings.state_dir),
        reviews=ReviewStore(settings.state_dir),
        votes=VoteStore(settings.state_dir),
        drafts=drafts,
        vectors=open_vectors(settings),
    )
