"""What every command starts from: settings, the environment, and clients of the services."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import httpx
import typer

from client import DatagenClient, ServingClient, TrainerClient
from client.serving import LauncherClient
from kit.config import read_secret
from tonesmith.config import CliSettings
from tonesmith.errors import CommandError
from tonesmith.screen import Screen

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@dataclass
class Session:
    """One call of the command line.

    Args:
        environ: the environment, with `.env` under it.
        transport: how requests travel; the real network by default.
    """

    environ: Mapping[str, str]
    transport: httpx.BaseTransport | None = None
    screen: Screen = field(default_factory=Screen)

    @property
    def settings(self) -> CliSettings:
        """The settings. Raises SettingsError that names the variable."""
        return CliSettings.from_environ(self.environ)

    def show(self, as_json: bool) -> Screen:
        """Choose how results are shown, for the rest of the call."""
        self.screen = Screen(as_json=as_json)
        return self.screen

    def datagen(self) -> DatagenClient:
        """Return a client of datagen."""
        return DatagenClient(
            self.settings.datagen_url, token=self._token(), transport=self.transport
        )

    def trainer(self) -> TrainerClient:
        """Return a client of trainer."""
        return TrainerClient(
            self.settings.trainer_url, token=self._token(), transport=self.transport
        )

    def serving(self) -> ServingClient:
        """Return a client of serving's OpenAI API."""
        key = secret(self.settings.serving_api_key_file)
        return ServingClient(self.settings.serving_url, token=key, transport=self.transport)

    def launcher(self) -> LauncherClient:
        """Return a client of serving's launcher."""
        return LauncherClient(self.settings.serving_control_url, transport=self.transport)

    def _token(self) -> str | None:
        return secret(self.settings.api_token_file)


def secret(path: Path | None) -> str | None:
    """Return the secret in a file. Raises CommandError that names the file."""
    try:
        return read_secret(path)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"the secret file {path} cannot be read: {error}") from error


def session_of(context: typer.Context) -> Session:
    """Return the session of this call."""
    session = context.obj
    assert isinstance(session, Session)
    return session
