"""What has to come from elsewhere."""

from collections.abc import Iterator

import pytest

from fakes.docker_command import CONFIG
from fakes.docker_engine import FakeDockerEngine
from tonesmith.docker.compose import Profile
from tonesmith.docker.engine import Engine, connect
from tonesmith.docker.plan import read_plan
from tonesmith.doctor.supplies import answers, base_images, images, missing_images, model_hub
from tonesmith.doctor.volumes import volumes
from tonesmith.stack.ports import any_free

PLAN = read_plan(CONFIG)
DECLARED = {"data": "mine_data", "serving-cache": "mine_serving-cache"}


@pytest.fixture
def engine(docker: FakeDockerEngine) -> Iterator[Engine]:
    with connect({"DOCKER_HOST": docker.host}) as found:
        yield found


def test_plan_is_what_the_compose_file_asks_for() -> None:
    """Each image once; the images to start from by their build arguments."""
    assert PLAN.images == ("tonesmith/datagen:dev", "tonesmith/trainer:dev", "tonesmith/ui:dev")
    assert PLAN.bases == ("python:3.11",)
    assert PLAN.ports == (("127.0.0.1", 17860, "UI_PORT"),)
    assert PLAN.volumes == {"data": "tonesmith_data", "serving-cache": "tonesmith_serving-cache"}
    assert PLAN.shared_bytes == 2 << 30


def test_images_that_are_missing_are_built_at_the_start(
    docker: FakeDockerEngine, engine: Engine
) -> None:
    """That is a warning: it takes a while."""
    docker.images = {"tonesmith/ui:dev", "tonesmith/trainer:dev"}
    missing = missing_images(engine, PLAN)
    assert missing == ["tonesmith/datagen:dev"]
    assert (images(missing).level, images([]).level) == ("warning", "ok")


def test_base_image_is_here_offered_or_made_offline(
    docker: FakeDockerEngine, engine: Engine
) -> None:
    """Where no registry gives it, the remedy is the script that makes it."""
    found = base_images(engine, PLAN)
    assert (found.level, "scripts/offline-base-images" in found.remedy) == ("error", True)
    docker.registry = {"python:3.11"}
    assert "the registry gives" in base_images(engine, PLAN).detail
    docker.images = {"python:3.11"}
    assert base_images(engine, PLAN).detail == "all here"


def test_hub_that_does_not_answer_is_a_warning() -> None:
    """The starter needs none; the remedy names the mirror's variable and the folder."""
    found = model_hub({"HF_ENDPOINT": "http://mirror"}, Profile.GPU, lambda _: False)
    assert found.level == "warning"
    assert "HF_ENDPOINT" in found.remedy
    assert "volume `bases`" in found.remedy
    assert model_hub({}, Profile.GPU, lambda _: True).level == "ok"
    assert model_hub({}, Profile.CPU, lambda _: False).level == "ok"  # the starter needs none


def test_silent_address_does_not_answer() -> None:
    """Nobody there, and no address at all."""
    assert not answers(f"http://127.0.0.1:{any_free()}")
    assert not answers("not an address")


def test_no_volumes_is_no_problem(engine: Engine) -> None:
    """Before the first start there are none, and nothing is run."""
    assert volumes(engine, DECLARED, ["image"]).detail == "none yet"


def test_volumes_are_tried_by_those_who_write_them(
    docker: FakeDockerEngine, engine: Engine
) -> None:
    """Each user its own, in a container of an image that is here."""
    docker.volumes, docker.images = list(DECLARED.values()), {"second"}
    assert volumes(engine, DECLARED, ["first", "second"]).level == "ok"
    assert [(made["Image"], made["User"]) for made in docker.created] == [
        ("second", "10001:0"),
        ("second", "2000:0"),
    ]


def test_volume_that_cannot_be_written_is_named(docker: FakeDockerEngine, engine: Engine) -> None:
    """With what gives it to its service."""
    docker.volumes, docker.images = list(DECLARED.values()), {"image"}
    docker.prints["2000:0"] = "mine_serving-cache\n"
    found = volumes(engine, DECLARED, ["image"])
    assert found.level == "error"
    assert "cannot write mine_serving-cache" in found.detail
    assert "chown -R 2000:0" in found.remedy


def test_volumes_are_not_tried_without_an_image(docker: FakeDockerEngine, engine: Engine) -> None:
    """Fetching one only for this would be too much."""
    docker.volumes = list(DECLARED.values())
    found = volumes(engine, DECLARED, ["image"])
    assert (found.level, "not tried" in found.detail) == ("ok", True)
