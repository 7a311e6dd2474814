"""The style library on the volume: `styles/<id>/<version>.yaml`; a stored version never changes.

A style that is put away has a file `archived` beside its versions: it is no longer offered, and all
that was made of it stays readable.
"""

import threading
from pathlib import Path

import yaml

from contracts.durable import write_atomic
from contracts.style import Style, StyleVersion
from contracts.volume import Volume
from datagen.cards import parse_card
from datagen.errors import StyleChangedError
from kit.errors import ConflictError, InvalidInputError, NotFoundError

ARCHIVED = "archived"


class StyleLibrary:
    """Reads and adds style cards. One process writes (datagen).

    Args:
        volume: where the cards lie.
    """

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        self._guard = threading.Lock()
        self._read_cards: dict[tuple[str, int], StyleVersion] = {}
        self._every_card: list[Style] | None = None

    def install(self, folder: Path) -> list[str]:
        """Store the cards of `folder` that the library does not have; return their ids."""
        cards = load_cards(folder)
        fresh = [card for card in cards if not self._versions(card.id)]
        for card in fresh:
            self.put(card)
        return [card.id for card in fresh]

    def known(self, folder: Path) -> list[StyleVersion]:
        """Return what `all` would after `install(folder)`, without storing anything."""
        names = self._names()
        fresh = [card for card in load_cards(folder) if card.id not in names]
        return self.all(archived=None) + [StyleVersion(version=1, style=card) for card in fresh]

    def put(self, style: Style, after: int | None = None) -> StyleVersion:
        """Store `style` as the next version, or return the newest one where nothing changed.

        Args:
            style: the card; one that was put away is offered again.
            after: the version that its author began with, 0 for a style that is new; None where
                nobody asks.

        Raises:
            StyleChangedError: `after` is not the newest version: somebody stored one meanwhile.
        """
        with self._guard:
            versions = self._versions(style.id)
            newest_number = versions[-1] if versions else 0
            if after is not None and after != newest_number:
                raise StyleChangedError(style.id, after, newest_number)
            (self._folder(style.id) / ARCHIVED).unlink(missing_ok=True)
            if versions and (newest := self._read(style.id, versions[-1])).style == style:
                return newest
            number = versions[-1] + 1 if versions else 1
            write_atomic(self._path(style.id, number), dump_card(style))
            self._every_card = None
            return StyleVersion(version=number, style=style)

    def archive(self, style_id: str, shipped: set[str]) -> StyleVersion:
        """Put a style away, and return its newest version. Raises NotFoundError, ConflictError."""
        newest = self.get(style_id)
        if style_id in shipped:
            raise ConflictError(
                f"the style {style_id!r} comes with Tonesmith and stays",
                field="style",
                hint="duplicate it and work on the copy",
            )
        with self._guard:
            write_atomic(self._folder(style_id) / ARCHIVED, b"")
        return newest

    def all(self, *, archived: bool | None = False) -> list[StyleVersion]:
        """Return the newest version of every style, by id; of those put away; or (None) of both."""
        return [
            self.get(name)
            for name in self._names()
            if archived in (None, (self._folder(name) / ARCHIVED).is_file())
        ]

    def _names(self) -> list[str]:
        folder = self.volume.root / "styles"
        names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
        return [name for name in names if self._versions(name)]

    def get(self, style_id: str) -> StyleVersion:
        """Return the newest version of a style. Raises NotFoundError."""
        return self.versions(style_id)[-1]

    def versions(self, style_id: str) -> list[StyleVersion]:
        """Return every version of a style, oldest first. Raises NotFoundError."""
        if not (numbers := self._versions(style_id)):
            raise NotFoundError(
                f"there is no style {style_id[:80]!r}",
                field="style",
                hint="GET /styles lists them; PUT /styles/{id} adds one",
            )
        return [self._read(style_id, number) for number in numbers]

    def every_card(self) -> list[Style]:
        """Return every version of every style; kept until `put` adds one."""
        if self._every_card is None:
            self._every_card = [
                version.style for name in self._names() for version in self.versions(name)
            ]
        return self._every_card

    def choose(self, style_ids: list[str]) -> list[StyleVersion]:
        """Return the newest version of each named style; of every style where none is named."""
        chosen = [self.get(name) for name in dict.fromkeys(style_ids)] if style_ids else self.all()
        if not chosen:
            raise NotFoundError("the library has no style", hint="PUT /styles/{id} adds one")
        return chosen

    def _folder(self, style_id: str) -> Path:
        try:
            return self.volume.style(style_id)
        except ValueError as error:
            raise InvalidInputError(f"style {style_id[:80]!r} {error}", field="style") from error

    def _path(self, style_id: str, version: int) -> Path:
        return self._folder(style_id) / f"{version}.yaml"

    def _versions(self, style_id: str) -> list[int]:
        folder = self._folder(style_id)
        if not folder.is_dir():
            return []
        return sorted(int(path.stem) for path in folder.glob("*.yaml") if path.stem.isdecimal())

    def _read(self, style_id: str, version: int) -> StyleVersion:
        key = (style_id, version)
        if key not in self._read_cards:  # a stored version never changes
            card = read_card(self._path(style_id, version))
            self._read_cards[key] = StyleVersion(version=version, style=card)
        return self._read_cards[key]


def dump_card(style: Style) -> bytes:
    """Return `style` as YAML, in the order of its fields."""
    document = style.model_dump(mode="json")
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100).encode()


def load_cards(folder: Path) -> list[Style]:
    """Return the cards of `folder`, by file name. Raises InvalidInputError that names the file."""
    return [read_card(path) for path in sorted(folder.glob("*.yaml"))]


def read_card(path: Path) -> Style:
    """Return the card at `path`. Raises InvalidInputError that names the file."""
    try:
        return parse_card(path.read_bytes())
    except InvalidInputError as error:
        body = error.body
        name = f"{path.parent.name}/{path.name}"
        raise InvalidInputError(
            f"{name}: {body.message}", field=body.field, hint=body.hint
        ) from error
