"""What every command starts from: settings, the environment, and clients of the services."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

import httpx
import typer

from client import DatagenClient, ServiceDownError, ServingClient, TrainerClient
from client.service import Service
from client.serving import LauncherClient
from kit.config import read_secret
from tonesmith.config import CliSettings
from tonesmith.docker.compose import Compose, Profile, find_folder
from tonesmith.docker.project import API_TOKEN, SERVING_KEY, Project, find_project
from tonesmith.reach import Reach, listens
from tonesmith.screen import Screen
from tonesmith.stack.addresses import local_addresses
from tonesmith.stack.engines import with_engines
from tonesmith.stack.programs import ROOT, Places

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@dataclass
class Session:
    """One call of the command line.

    Args:
        environ: the environment, with `.env` under it.
        transport: how requests travel; the real network by default.
        screen: where results go.
        inherited: the environment without `.env`, for programs that read that file themselves.
        in_containers: look for the services in a compose project too.
        listens: whether somebody listens at an address of this machine.
    """

    environ: Mapping[str, str]
    transport: httpx.BaseTransport | None = None
    screen: Screen = field(default_factory=Screen)
    inherited: Mapping[str, str] = field(default_factory=dict)
    in_containers: bool = True
    listens: Callable[[str], bool] = listens

    @property
    def settings(self) -> CliSettings:
        """The settings. Raises SettingsError that names the variable."""
        return CliSettings.from_environ(self.environ)

    @cached_property
    def reach(self) -> Reach:
        """Where the services answer."""
        local = local_addresses(self.environ, Places(ROOT))
        return Reach(self.settings, self._project, self.listens, local)

    def show(self, as_json: bool) -> Screen:
        """Choose how results are shown, for the rest of the call."""
        self.screen = Screen(as_json=as_json)
        return self.screen

    def datagen(self) -> DatagenClient:
        """Return a client of datagen."""
        url, token = self.reach.address("datagen_url").url, self._token("datagen_url")
        return DatagenClient(url, token=token, transport=self.transport)

    def trainer(self) -> TrainerClient:
        """Return a client of trainer."""
        url, token = self.reach.address("trainer_url").url, self._token("trainer_url")
        return TrainerClient(url, token=token, transport=self.transport)

    def serving(self) -> ServingClient:
        """Return a client of serving's OpenAI API."""
        url = self.reach.address("serving_url").url
        key = self._secret("serving_url", self.settings.serving_api_key_file, SERVING_KEY)
        return ServingClient(url, token=key, transport=self.transport)

    def launcher(self) -> LauncherClient:
        """Return a client of serving's launcher."""
        url = self.reach.address("serving_control_url").url
        return LauncherClient(url, transport=self.transport)

    def page(self) -> Service:
        """Return a client of the page."""
        return Service(self.reach.address("ui_url").url, transport=self.transport)

    def compose(self, project: str | None = None, *profiles: Profile) -> Compose:
        """Return the stack as compose knows it; `project` overrides the setting."""
        folder = find_folder(Path.cwd())
        return Compose(folder, project or self.settings.project, self.inherited, profiles)

    def equipped(self) -> Self:
        """Return this session with the engines that are installed, where none are set."""
        return replace(self, environ=with_engines(self.environ, find_folder(Path.cwd()) or Path()))

    def explained(self, error: Exception) -> Exception:
        """Return an error of a command in words that fit the way to the services."""
        if isinstance(error, ServiceDownError) and "reach" in vars(self):
            return self.reach.explained(error)
        return error

    def close(self) -> None:
        """End what the call opened."""
        if "reach" in vars(self):
            self.reach.close()

    def _project(self) -> Project | None:
        if self.transport or not self.in_containers:
            return None
        return find_project(self.inherited, self.settings.project)

    def _token(self, name: str) -> str | None:
        return self._secret(name, self.settings.api_token_file, API_TOKEN)

    def _secret(self, name: str, file: Path | None, inside: str) -> str | None:
        """Return the secret in the user's file; without one, what the containers themselves use."""
        project = self.reach.project if self.reach.address(name).relayed else None
        return project.secret(inside) if project and not file else read_secret(file)


def session_of(context: typer.Context) -> Session:
    """Return the session of this call."""
    session = context.obj
    assert isinstance(session, Session)
    return session
