"""What works with no service running: the one place where the command line uses datagen itself.

It is imported only when one of these is called: every other command does without it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from contracts.dataset import ImportRequest, ImportResult
from contracts.style import Style
from kit.errors import InvalidInputError, NotFoundError, TooLargeError
from tonesmith.errors import CommandError

Made = TypeVar("Made")
MISSING = "install tonesmith-datagen beside tonesmith, or use datagen over HTTP"
# datagen refuses far smaller cards; this only keeps a wrong file from filling the memory.
MAX_CARD_BYTES = 1 << 20


def import_file(path: Path, data_dir: Path, request: ImportRequest) -> ImportResult:
    """Publish the rows of `path` as a dataset under `data_dir`.

    Raises:
        kit.errors.TonesmithError: the file cannot be used; nothing was written.
    """
    try:
        from datagen.importing import import_file as publish
    except ImportError as error:
        raise CommandError("datagen is not installed here", hint=MISSING) from error
    return named(path, lambda: publish(data_dir, content(path), request))


def read_card(path: Path) -> tuple[Style, bytes]:
    """Return the style card at `path`, parsed as datagen does, and its bytes.

    Raises:
        NotFoundError: there is no such file.
        InvalidInputError: it is no card; names the field and the way out.
    """
    try:
        from datagen.cards import parse_card
    except ImportError as error:
        raise CommandError("datagen is not installed here", hint=MISSING) from error
    card = content(path, MAX_CARD_BYTES)
    return named(path, lambda: parse_card(card)), card


def content(path: Path, most: int = -1) -> bytes:
    """Return (the first `most` bytes of) the file at `path`. Raises NotFoundError."""
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise NotFoundError(f"{path}: {error.strerror}", hint="name a file to read") from error


def named(path: Path, work: Callable[[], Made]) -> Made:
    """Return what `work` makes of a file; where it is refused, the message names the file."""
    try:
        return work()
    except (InvalidInputError, TooLargeError) as error:
        told = error.body
        raise type(error)(
            f"{path.name}: {told.message}", field=told.field, hint=told.hint
        ) from error
