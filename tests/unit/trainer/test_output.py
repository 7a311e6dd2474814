"""What a run's engine wrote, piece by piece."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from contracts.job import Job
from contracts.run import RunOutput
from contracts.volume import Volume
from fakes.training import DATASET
from trainer.output import PIECE_BYTES, read_output
from trainer.runfolder import RunFolder

Wait = Callable[[str], Job]


@pytest.fixture
def folder(volume: Volume) -> RunFolder:
    """The folder of a run whose engine has written nothing."""
    folder = RunFolder(volume, "r-20261123-abc123")
    folder.path.mkdir(parents=True)
    return folder


def test_nothing_is_said_before_the_engine_speaks(folder: RunFolder) -> None:
    """A run that waits has no log."""
    assert read_output(folder, None) == RunOutput()


def test_end_of_a_long_log_begins_with_a_whole_line(folder: RunFolder) -> None:
    """However long it is, a piece is bounded; the next one goes on where it ended."""
    folder.log.write_text("".join(f"step {number}\n" for number in range(9000)))
    told = read_output(folder, None)
    assert told.text.startswith("step ")
    assert told.text.endswith("step 8999\n")
    assert PIECE_BYTES - 20 < len(told.text) <= PIECE_BYTES
    assert told.end == told.size == folder.log.stat().st_size
    with folder.log.open("a") as file:
        file.write("done\n")
    assert read_output(folder, told.end).text == "done\n"


def test_log_is_read_from_its_start(folder: RunFolder) -> None:
    """Piece by piece, until nothing is left; past its end is nothing."""
    folder.log.write_text("x" * (PIECE_BYTES + 5))
    first = read_output(folder, 0)
    second = read_output(folder, first.end)
    assert (len(first.text), len(second.text)) == (PIECE_BYTES, 5)
    assert read_output(folder, 10**9).text == ""


def test_path_of_the_data_folder_is_not_told(folder: RunFolder) -> None:
    """Nor does a letter that is half written break the answer."""
    folder.log.write_bytes(f"saved to {folder.path}/checkpoints ".encode() + "语".encode()[:2])
    assert read_output(folder, None).text.startswith("saved to $DATA_DIR/runs/")


def test_output_is_asked_over_http(client: TestClient, wait: Wait) -> None:
    """From a byte on; a run that is not there is said, and so is a byte before the first."""
    body = {"dataset_id": DATASET, "overrides": {"max_steps": 2}}
    run = client.post("/runs", json=body).json()["id"]
    wait(f"/runs/jobs/{run}")
    whole = RunOutput.model_validate(client.get(f"/runs/{run}/output", params={"from": 0}).json())
    assert whole.end == whole.size
    assert client.get("/runs/nothing/output").status_code == 404
    assert client.get(f"/runs/{run}/output", params={"from": -1}).status_code == 422
