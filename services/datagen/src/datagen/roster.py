"""Who the teachers are: the one of the settings, or several with weights from a file.

The file (`DATAGEN_TEACHERS_FILE`) is YAML; only `base_url` and `model` are needed:

    teachers:
      - {id: large, base_url: https://teacher.example/v1, model: large-1, weight: 3,
         api_key_file: /run/secrets/large, input_dollars: 2.5, output_dollars: 10}
      - {id: small, base_url: http://127.0.0.1:9000/v1, model: small-2, weight: 1,
         concurrency: 4, requests_per_minute: 60, tokens_per_minute: 40000}
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from contracts.model import Authored, Name
from datagen.budget import Ledger
from datagen.config import Settings
from datagen.prices import Prices, prices_of
from kit.config import SettingsError

Limit = Annotated[float | None, Field(gt=0, allow_inf_nan=False)]
Price = Annotated[float | None, Field(ge=0, allow_inf_nan=False)]


class TeacherSpec(Authored):
    """One teacher; prices are dollars for a million tokens, limits are by minute."""

    id: str = Field(default="", max_length=64, description="kept with every row; default: model")
    base_url: str | None = Field(default=None, pattern=r"^https?://")
    model: str = Field(min_length=1)
    api_key_file: Path | None = None
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    concurrency: int = Field(default=16, ge=1, le=1024)
    least_concurrency: int = Field(default=1, ge=1, le=1024)
    requests_per_minute: Limit = None
    tokens_per_minute: Limit = None
    timeout_seconds: float = Field(default=60, gt=0)
    input_dollars: Price = None
    cached_dollars: Price = None
    output_dollars: Price = None

    @property
    def name(self) -> str:
        """What rows and metrics call it."""
        return self.id or self.model

    @property
    def prices(self) -> Prices | None:
        """What its tokens cost, where that is known."""
        return prices_of(self.input_dollars, self.cached_dollars, self.output_dollars)

    @model_validator(mode="after")
    def _prices_go_together(self) -> Self:
        if (self.input_dollars is None) != (self.output_dollars is None):
            raise ValueError("input_dollars and output_dollars go together")
        return self


class ListedTeacher(TeacherSpec):
    """A teacher of the file: it has an address and an id that can stand in a label."""

    id: Name
    base_url: str = Field(pattern=r"^https?://")


class Roster(Authored):
    """The file of teachers."""

    teachers: list[ListedTeacher] = Field(min_length=1, max_length=16)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        ids = [teacher.id for teacher in self.teachers]
        if len(set(ids)) < len(ids):
            raise ValueError("two teachers have one id: rows could not tell them apart")
        return self


def spec_of(settings: Settings) -> TeacherSpec:
    """Return the one teacher that the settings name; without an address, the scripted one."""
    real = settings.teacher_base_url is not None
    return TeacherSpec(
        base_url=settings.teacher_base_url,
        model=settings.teacher_model if real else "scripted",
        api_key_file=settings.teacher_api_key_file,
        concurrency=settings.teacher_concurrency,
        least_concurrency=settings.teacher_least_concurrency,
        requests_per_minute=settings.teacher_requests_per_minute,
        tokens_per_minute=settings.teacher_tokens_per_minute,
        timeout_seconds=settings.teacher_timeout_seconds,
        input_dollars=settings.teacher_input_dollars,
        cached_dollars=settings.teacher_cached_dollars,
        output_dollars=settings.teacher_output_dollars,
    )


def read_roster(path: Path) -> list[TeacherSpec]:
    """Return the teachers in a file. Raises SettingsError, which names file and field."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return list(Roster.model_validate(content).teachers)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "teachers"
        raise SettingsError(f"{path}: {place}: {first['msg']}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: the file of teachers cannot be read ({error})") from error


def specs_of(settings: Settings) -> list[TeacherSpec]:
    """Return every teacher that the operator named. Raises SettingsError."""
    if settings.teachers_file is None:
        return [spec_of(settings)]
    if settings.teacher_base_url is not None:
        raise SettingsError("DATAGEN_TEACHERS_FILE and TEACHER_BASE_URL exclude each other")
    return read_roster(settings.teachers_file)


def open_ledger(settings: Settings, specs: Sequence[TeacherSpec]) -> Ledger:
    """Return the ledger of these teachers. Raises SettingsError where a budget cannot be held."""
    priced = [spec for spec in specs if spec.prices]
    if settings.budget_dollars is not None and len(priced) < len(specs):
        missing = next(spec.name for spec in specs if not spec.prices)
        raise SettingsError(f"DATAGEN_BUDGET_DOLLARS needs the prices of teacher {missing!r}")
    return Ledger(settings.budget_dollars, settings.state_dir if priced else None)
