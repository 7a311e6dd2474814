"""Writes question sets in one folder, as one process after another would."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from contracts.question_set import QuestionSetRequest
from contracts.style import Language
from datagen.personas import load_personas
from datagen.question_board import QuestionBoard
from datagen.question_gates import QuestionGates
from datagen.question_jobs import grid
from datagen.question_prompts import QuestionPrompts
from datagen.question_writing import Authors, QuestionWriting
from datagen.questions import Bank
from datagen.scripted import ScriptedTeacher
from datagen.scripted_questions import QuestionWriter
from fakes.asked import AskedTeacher
from kit.crisis import load_screens

Answer = Callable[[dict[str, Any]], str]


class QuestionBench:
    """A folder, a teacher, and all that a writing needs.

    Args:
        folder: where the journal lies.
        shipped: folder with the data files.
        banks: situations by language.
        flaw_rate: of the scripted teacher.
        answer: replaces the scripted teacher's replies.
    """

    def __init__(
        self,
        folder: Path,
        shipped: Path,
        banks: dict[Language, Bank],
        flaw_rate: float = 0.0,
        answer: Answer | None = None,
    ) -> None:
        self.folder, self.banks = folder, banks
        folder.mkdir(parents=True, exist_ok=True)
        personas = load_personas(shipped / "questions" / "personas")
        writer = QuestionWriter(banks, personas, flaw_rate)
        self.screens = load_screens()
        scripted = ScriptedTeacher(lambda: [], banks, writer=writer)
        self.teacher = AskedTeacher(answer or scripted.reply, most=4)
        self.authors = Authors(
            self.teacher, QuestionPrompts(shipped / "prompts" / "questions"), personas
        )

    def writing(self, request: QuestionSetRequest, **options: Any) -> QuestionWriting:
        """Return a writing as a fresh process would build it."""
        return QuestionWriting(
            self.folder,
            request,
            grid(request, self.banks),
            self.authors,
            QuestionGates(self.banks, self.screens),
            **options,
        )

    async def run(self, request: QuestionSetRequest, **options: Any) -> QuestionBoard:
        """Write to the end."""
        return await self.writing(request, **options).run(4)
