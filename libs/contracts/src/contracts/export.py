"""Exports: a published model in the form that another program reads."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from contracts.dataset import FileDigest
from contracts.model import Authored, Name, Versioned

Form = Literal["adapter", "merged", "int8"]


class ExportRequest(Authored):
    """Body of `POST /models/{model_id}/exports`."""

    form: Form = "merged"


class ExportManifest(Versioned):
    """`exports/<model_id>-<form>/manifest.json`; without it the export does not exist."""

    id: Name
    model_id: Name
    form: Form
    created_at: datetime
    files: dict[str, FileDigest]
    made_with: str = Field(default="", description="library and version that quantised it")
