"""A change to one service rebuilds one image, in seconds."""

import time
from collections.abc import Iterator

import pytest

from compose_file import SERVICES
from fakes.compose_project import ComposeProject

pytestmark = pytest.mark.container
NAMES = [service.name for service in SERVICES]
REBUILD_SECONDS = 30


@pytest.fixture(scope="module")
def again(project: ComposeProject) -> Iterator[ComposeProject]:
    """The images under tags of their own, so that the running stack keeps its."""
    made = ComposeProject(project.folder)
    try:
        made.build()
        yield made
    finally:
        made.remove()


@pytest.mark.parametrize("service", NAMES)
def test_one_changed_source_rebuilds_one_image(
    again: ComposeProject, figures: dict[str, dict[str, float]], service: str
) -> None:
    """All four are asked for; the others stay the very same image."""
    before = {name: again.image(name).id for name in NAMES}
    path = again.folder / "services" / service / "src" / service / "app.py"
    source = path.read_text(encoding="utf-8")
    path.write_text(f"{source}# changed at {time.time_ns()}\n", encoding="utf-8")
    try:
        seconds = again.build()
        after = {name: again.image(name).id for name in NAMES}
    finally:
        path.write_text(source, encoding="utf-8")
        again.build()
    figures.setdefault("rebuild_seconds", {})[service] = seconds
    assert {name for name in NAMES if after[name] != before[name]} == {service}
    assert seconds < REBUILD_SECONDS
