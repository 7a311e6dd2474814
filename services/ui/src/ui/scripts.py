"""The page's own small scripts, which live in `look/*.js`."""

from ui.look import FOLDER


def script(*names: str) -> str:
    """Return scripts one after the other, without the comments at the start of their lines."""
    lines = [
        line
        for name in names
        for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()
        if not line.startswith("//")
    ]
    return "\n".join(lines)
