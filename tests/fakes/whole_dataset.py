"""What a dataset must look like after its generation was killed again and again."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from contracts.durable import digest_differences
from contracts.volume import Volume
from datagen.journals import read_rejected, read_samples


def expect_whole(
    volume: Volume,
    dataset_id: str,
    *,
    quota: dict[str, int],
    promised: Iterable[str],
    asked_seeds: Iterable[int],
    hint: object = "",
) -> int:
    """Compare what was published with what was asked, promised and paid for.

    Args:
        volume: holds the dataset.
        dataset_id: the dataset.
        quota: accepted rows of each style.
        promised: ids of rows that the service has shown.
        asked_seeds: of each call that the teacher had.
        hint: shown with a failure, such as the seed.

    Returns how many calls the teacher got twice.
    """
    folder = volume.dataset(dataset_id)
    manifest = volume.dataset_manifest(dataset_id)
    rows, refused = list(read_samples(folder)), list(read_rejected(folder))
    assert Counter(row.style for row in rows) == quota, hint
    assert len({row.slot for row in rows}) == len(rows), hint
    assert set(promised) <= {row.id for row in rows}, hint
    assert len({(row.slot, row.attempt) for row in refused}) == len(refused), hint
    assert digest_differences(folder, manifest.files) == []
    assert sum(map(length, (folder / "train.json", folder / "eval.json"))) == sum(quota.values())
    # Every call is either in a journal, or was on the wire when the process died.
    asked = Counter(asked_seeds)
    answered = len(refused) + sum(1 + 2 * len(row.history) for row in rows)
    # What was asked for a row that settling took away, since an earlier one is too like it.
    answered += manifest.counts.superseded
    assert manifest.counts.teacher_calls == answered == len(asked), hint
    return asked.total() - len(asked)


def length(path: Path) -> int:
    """Return the number of entries of a JSON list."""
    return len(json.loads(path.read_text(encoding="utf-8")))
