"""A trainer that has one model to give away, in every form: real tar streams, with faults."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from starlette.responses import JSONResponse, Response, StreamingResponse

from fakes.tonesmith_services import AT, MODEL

PIECE = 4096
TEMPLATE = "chat_template.jinja"
OWN = {
    "adapter_config.json": b"{}",
    "adapter_model.safetensors": b"adapter" * 3000,
    TEMPLATE: b"{{ messages }}",
}
MERGED = {"config.json": b"{}", "model.safetensors": b"merged" * 9000, TEMPLATE: OWN[TEMPLATE]}
INT8 = {"config.json": b"{}", "model.safetensors": b"int8" * 4000, TEMPLATE: OWN[TEMPLATE]}


def digests(files: dict[str, bytes]) -> dict[str, Any]:
    """Return the digests of files as a manifest lists them."""
    return {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    }


def tar_of(files: dict[str, bytes]) -> bytes:
    """Return an archive of these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@dataclass
class Exported:
    """The model, its export, and how their archives fail.

    Args:
        break_off: bytes after which an archive breaks off.
        changed: the archives hold this instead of a file's content, by its name.
    """

    break_off: int | None = None
    changed: dict[str, bytes] = field(default_factory=dict)
    id: str = f"{MODEL['id']}-int8"

    def tar(self, form: str) -> bytes:
        """Return the archive of one form: its files, and the manifest that lists them."""
        files = {"adapter": OWN, "merged": MERGED, "int8": INT8}[form]
        base = {"id": f"{MODEL['id']}-{form}", "model_id": MODEL["id"], "form": form}
        manifest = base | {"created_at": AT, "files": digests(files)}
        told = {"manifest.json": json.dumps(manifest).encode()}
        return tar_of(told | files | self.changed)

    def stream(self, form: str) -> Response:
        """Return the answer with an archive; it says how long it is, as the trainer does."""
        content = self.tar(form)
        length = {"Content-Length": str(len(content))}
        return StreamingResponse(
            self.pieces(content), headers=length, media_type="application/x-tar"
        )

    def pieces(self, content: bytes) -> Iterator[bytes]:
        """Yield the archive, up to where it breaks off."""
        end = len(content) if self.break_off is None else self.break_off
        for start in range(0, end, PIECE):
            yield content[start : min(start + PIECE, end)]

    @property
    def app(self) -> FastAPI:
        """The routes of the archives."""
        app = FastAPI()

        @app.get("/models/{model_id}/archive")
        def model(model_id: str, form: str) -> Response:
            return self.stream(form)

        @app.get("/exports/{export_id}/archive")
        def export(export_id: str) -> Response:
            if export_id != self.id:
                told = {"code": "not_found", "message": "there is no export of that name"}
                return JSONResponse({"error": told}, status_code=404)
            return self.stream("int8")

        return app
