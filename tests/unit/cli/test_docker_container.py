"""A container as the engine's list tells it."""

import pytest

from tonesmith.docker.container import container


@pytest.mark.parametrize(
    ("said", "health"),
    [
        ("Up 2 seconds (health: starting)", "starting"),
        ("Up 2 seconds (unhealthy)", "unhealthy"),
        ("Up 2 seconds", None),
    ],
)
def test_health_is_read_from_the_words_of_the_engine(said: str, health: str | None) -> None:
    """The list of containers has it nowhere else."""
    assert container({"Id": "1", "State": "running", "Status": said}).health == health
