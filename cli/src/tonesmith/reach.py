"""Where the services answer: at the user's address, on this machine, or in containers."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from client import ServiceDownError
from tonesmith.config import CliSettings
from tonesmith.docker.container import Container
from tonesmith.docker.project import INSIDE, Project

LISTEN_SECONDS = 1.0


@dataclass(frozen=True)
class Address:
    """Where a service answers.

    Args:
        url: for a client.
        shown: for people.
        relayed: whether it leads into a container that publishes no port.
    """

    url: str
    shown: str
    relayed: bool = False


class Reach:
    """Finds each service once per call, in this order:

    an address that the user has set; a program that listens on this machine where one is expected;
    a running compose project; else the expected address, where nobody answers.

    Args:
        settings: addresses; one that is set to the usual value is not taken for a wish.
        find: returns the compose project, or None.
        listens: whether somebody listens at an address of this machine.
        local: where each service is expected on this machine; by default at its usual port.
    """

    def __init__(
        self,
        settings: CliSettings,
        find: Callable[[], Project | None],
        listens: Callable[[str], bool],
        local: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = settings
        self._find = find
        self._listens = listens
        self._local = local or {}
        self._found: dict[str, Address] = {}

    @cached_property
    def project(self) -> Project | None:
        """The compose project, or None; looked for when it is needed."""
        return self._find()

    def address(self, name: str) -> Address:
        """Return where a service answers; `name` is a field of the settings, or `ui_url`."""
        if name not in self._found:
            self._found[name] = self._page() if name == "ui_url" else self._service(name)
        return self._found[name]

    def container(self, service: str) -> Container | None:
        """Return the container of a service, where a compose project had to be looked for."""
        project = self._looked_for
        return project.container(service) if project else None

    def explained(self, error: ServiceDownError) -> ServiceDownError:
        """Return the error as people understand it where a relay lies in between."""
        for name, address in self._found.items():
            if address.relayed and address.url == error.url and (project := self.project):
                reason = project.forward(INSIDE[name]).failure or error.reason
                return ServiceDownError(address.shown, reason)
        return error

    def close(self) -> None:
        """End what was opened on the way."""
        if project := self._looked_for:
            project.close()

    @property
    def _looked_for(self) -> Project | None:
        """The project, without looking for one now."""
        return self.project if "project" in vars(self) else None

    def _service(self, name: str) -> Address:
        usual = str(CliSettings.model_fields[name].default)
        told = str(getattr(self._settings, name)) if name in self._settings.model_fields_set else ""
        url = told or self._local.get(name, usual)
        wished = told not in ("", usual)
        if wished or self._listens(url) or not self._inside():
            return Address(url, url)
        return self._relayed(name)

    def _page(self) -> Address:
        """Return where the page is: the containers publish it, maybe at another port."""
        usual = self._local.get("ui_url", f"http://127.0.0.1:{self._settings.ui_port}")
        if not self.address("datagen_url").relayed or self.project is None:
            return Address(usual, usual)
        published = self.project.published("ui")
        if published and self._listens(published):
            return Address(published, published)
        return self._relayed("ui_url")

    def _inside(self) -> bool:
        return self.project is not None and self.project.entry is not None

    def _relayed(self, name: str) -> Address:
        assert self.project
        target = INSIDE[name]
        shown = f"{target} in {self.project.name}"
        return Address(self.project.forward(target).url, shown, relayed=True)


def listens(url: str) -> bool:
    """Return whether somebody listens at an address."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), LISTEN_SECONDS).close()
    except OSError:
        return False
    return True
