"""A model hub with one repository: what `huggingface_hub` asks of the real one, from a folder."""

import hashlib
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

COMMIT = "0" * 39 + "1"


class ModelHub:
    """The app's state.

    Args:
        folder: the repository's files.
        repository: its name, `owner/name`.
    """

    def __init__(self, folder: Path, repository: str) -> None:
        self.folder = folder
        self.repository = repository
        self.fetched: list[str] = []
        self.broken: str = ""  # the file that is answered with 403

    def app(self) -> Starlette:
        """Return the ASGI app."""
        base = f"/{self.repository}/resolve/{{commit}}/{{name}}"
        return Starlette(
            routes=[
                Route(f"/api/models/{self.repository}/revision/{{name}}", self.information),
                Route(f"/api/models/{self.repository}/tree/{COMMIT}", self.tree),
                Route(base, self.file, methods=["GET", "HEAD"]),
            ]
        )

    def information(self, _: Request) -> Response:
        """Answer what the repository holds."""
        names = sorted(path.name for path in self.folder.iterdir())
        siblings = [{"rfilename": name} for name in names]
        return JSONResponse({"id": self.repository, "sha": COMMIT, "siblings": siblings})

    def tree(self, _: Request) -> Response:
        """Answer the files with their sizes and digests."""
        files = sorted(self.folder.iterdir())
        entries = [
            {"type": "file", "path": path.name, "size": path.stat().st_size, "oid": digest(path)}
            for path in files
        ]
        return JSONResponse(entries)

    def file(self, request: Request) -> Response:
        """Answer one file."""
        name = request.path_params["name"]
        if name == self.broken:
            return Response(status_code=403)
        path = self.folder / name
        if request.method == "GET":
            self.fetched.append(name)
        headers = {"ETag": f'"{digest(path)}"', "X-Repo-Commit": COMMIT}
        return FileResponse(path, headers=headers)


def digest(path: Path) -> str:
    """Return what names a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
