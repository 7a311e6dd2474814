"""How the stack tells that a service is ready."""

from tonesmith.stack.ports import USUAL
from tonesmith.stack.services import addresses, probe, probes


def test_every_service_has_an_address_and_a_probe() -> None:
    """People get the address of the OpenAI API; the probe asks the launcher."""
    assert set(addresses(USUAL)) == set(probes(USUAL)) == {"trainer", "datagen", "serving", "ui"}
    assert addresses(USUAL)["serving"] == "http://127.0.0.1:8000/v1"


def test_probe_of_nobody_is_false() -> None:
    """Port 1 has no listener; asking is no error."""
    assert probe("http://127.0.0.1:1", "/health")() is False
