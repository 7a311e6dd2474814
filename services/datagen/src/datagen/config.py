"""Settings of datagen: `DATAGEN_*`, and the names that all services share."""

from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from kit.config import Settings as KitSettings

Dollars = Annotated[float | None, Field(ge=0, allow_inf_nan=False)]


class Settings(KitSettings):
    """What the operator may set; the README explains each."""

    prefix: ClassVar[str] = "DATAGEN_"
    shared: ClassVar[frozenset[str]] = frozenset(
        {
            "data_dir",
            "api_token_file",
            "log_level",
            "teacher_base_url",
            "teacher_model",
            "teacher_api_key_file",
            "teacher_input_dollars",
            "teacher_cached_dollars",
            "teacher_output_dollars",
            "judge_base_url",
            "judge_model",
            "judge_api_key_file",
            "judge_input_dollars",
            "judge_output_dollars",
            "serving_url",
            "serving_api_key_file",
            "embeddings_base_url",
            "embeddings_model",
            "embeddings_api_key_file",
            "embeddings_folder",
        }
    )

    host: str = "127.0.0.1"
    port: int = Field(default=8001, ge=0, le=65535)
    state_dir: Path = Path("var/state/datagen")
    data_dir: Path = Path("var/data")
    shipped_dir: Path | None = Field(default=None, description="styles/ questions/ prompts/")
    api_token_file: Path | None = None
    log_level: str = "INFO"
    max_body_bytes: int = Field(default=64 << 20, ge=1 << 10)

    # The teacher's address comes from here and from nowhere else: no request can name a URL.
    teacher_base_url: str | None = Field(default=None, pattern=r"^https?://")
    teacher_model: str = "scripted"
    teacher_api_key_file: Path | None = None
    teacher_concurrency: int = Field(default=16, ge=1, le=1024)
    teacher_least_concurrency: int = Field(default=1, ge=1, le=1024)
    teacher_requests_per_minute: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    teacher_tokens_per_minute: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    teachers_file: Path | None = Field(default=None, description="several teachers, with weights")
    teacher_timeout_seconds: float = Field(default=60, gt=0)
    teacher_patience_seconds: float = Field(default=900, ge=0, description="silence before failing")
    teacher_flaw_rate: float = Field(default=0.06, ge=0, le=1, description="scripted teacher only")
    # Dollars for a million tokens; without them nothing is said of costs.
    teacher_input_dollars: Dollars = None
    teacher_cached_dollars: Dollars = Field(default=None, description="none: as input")
    teacher_output_dollars: Dollars = None
    budget_dollars: Dollars = Field(default=None, description="what the teacher may cost in all")

    # The judge is optional; concurrency, time-out and patience are the teacher's.
    judge_base_url: str | None = Field(default=None, pattern=r"^https?://")
    judge_model: str = "judge"
    judge_api_key_file: Path | None = None
    judge_input_dollars: Dollars = None
    judge_output_dollars: Dollars = None

    serving_url: str = "http://127.0.0.1:8000"
    serving_api_key_file: Path | None = None

    # What replies are compared with; character n-grams without either.
    embeddings_base_url: str | None = Field(default=None, pattern=r"^https?://")
    embeddings_model: str | None = None
    embeddings_api_key_file: Path | None = None
    embeddings_folder: Path | None = Field(default=None, description="sentence-transformers")

    @model_validator(mode="after")
    def _embeddings_come_from_one_place(self) -> Self:
        """Refuse an endpoint without a model, and two places at once."""
        if self.embeddings_base_url and not self.embeddings_model:
            raise ValueError("EMBEDDINGS_BASE_URL needs EMBEDDINGS_MODEL")
        if self.embeddings_base_url and self.embeddings_folder:
            raise ValueError("EMBEDDINGS_BASE_URL and EMBEDDINGS_FOLDER exclude each other")
        return self

    @model_validator(mode="after")
    def _costs_are_known(self) -> Self:
        """Refuse half of the prices, and a budget that nothing can be held against."""
        known = [self.teacher_input_dollars is not None, self.teacher_output_dollars is not None]
        if any(known) != all(known):
            raise ValueError("TEACHER_INPUT_DOLLARS and TEACHER_OUTPUT_DOLLARS go together")
        if (self.judge_input_dollars is None) != (self.judge_output_dollars is None):
            raise ValueError("JUDGE_INPUT_DOLLARS and JUDGE_OUTPUT_DOLLARS go together")
        if self.budget_dollars is not None and not all(known) and self.teachers_file is None:
            raise ValueError("DATAGEN_BUDGET_DOLLARS needs TEACHER_INPUT_ and _OUTPUT_DOLLARS")
        return self


def shipped_folder(settings: Settings) -> Path:
    """Return the folder with `styles/`, `questions/` and `prompts/`.

    It is the setting, else the copy inside an installed package, else the source tree.
    """
    if settings.shipped_dir:
        return settings.shipped_dir
    package = Path(__file__).resolve().parent
    installed = package / "shipped"
    return installed if installed.is_dir() else package.parents[1]
