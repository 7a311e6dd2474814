"""How an engine that crashed is told."""

from pathlib import Path

import pytest

from trainer.endings import engine_error, last_words


@pytest.mark.parametrize(
    ("code", "last", "kind", "status"),
    [
        (1, "torch.OutOfMemoryError: CUDA out of memory. Tried to", "out_of_memory", 500),
        (1, "DefaultCPUAllocator: can't allocate memory", "out_of_memory", 500),
        (1, "OSError: [Errno 28] No space left on device", "storage_full", 507),
        (1, "ValueError: Please specify dataset for training.", "engine_failed", 500),
        (-9, "", "engine_failed", 500),
        (-11, "", "engine_failed", 500),
    ],
)
def test_ending_has_its_code(code: int, last: str, kind: str, status: int) -> None:
    """Programs see the class of an ending, people its words and the way out."""
    error = engine_error(code, last, Path("/data"))
    assert (error.body.code, error.status) == (kind, status)
    assert error.body.hint


def test_path_of_the_data_folder_is_not_shown() -> None:
    """A message tells no absolute path of ours."""
    error = engine_error(1, "FileNotFoundError: /srv/data/runs/x/recipe.yaml", Path("/srv/data"))
    assert "/srv" not in error.body.message
    assert "$DATA_DIR/runs/x/recipe.yaml" in error.body.message


def test_signal_is_named() -> None:
    """A number means nothing to most people."""
    assert "SIGSEGV" in engine_error(-11, "", Path("/data")).body.message


def test_kill_from_outside_is_no_matter_of_the_batch() -> None:
    """The kernel kills where the machine is short of memory, whatever the engine wrote before."""
    error = engine_error(-9, "CUDA out of memory. Tried to allocate", Path("/data"))
    assert error.body.code == "engine_failed"


TORCHRUN = [
    "RuntimeError: CUDA out of memory. Tried",
    "E1122 23:51:34.161000 29992 torch/distributed/elastic/multiprocessing/api.py:1002] failed "
    "(exitcode: {code}) local_rank: 0 (pid: 29997) of binary: /engine/bin/python",
    "torch.distributed.elastic.multiprocessing.errors.ChildFailedError:",
    "=" * 60,
]


@pytest.mark.parametrize(
    ("lines", "code", "expected"),
    [
        (["one", "two"], 3, (3, "two")),
        ([], -9, (-9, "")),
        (["said before"], 137, (-9, "")),
        (["usage"], 255, (255, "usage")),
        ([line.format(code=1) for line in TORCHRUN], 1, (1, TORCHRUN[0])),
        ([line.format(code=-9) for line in TORCHRUN[1:]], 1, (-9, "")),
    ],
)
def test_last_words_are_those_of_the_rank_that_failed(
    lines: list[str], code: int, expected: tuple[int, str]
) -> None:
    """torchrun reports at length what its ranks did; a shell's status hides a signal."""
    assert last_words(lines, code) == expected
