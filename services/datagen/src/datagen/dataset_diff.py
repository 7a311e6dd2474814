"""What differs between two datasets: rows found by style, question and turn."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from contracts.sample import Sample
from contracts.versions import Change, DatasetDiff, DiffCounts, DiffRow
from contracts.volume import Volume
from datagen.journals import read_samples
from datagen.text import letters
from datagen.versions import published

Key = tuple[str, str, int]
Content = tuple[str, str, tuple[tuple[str, str], ...]]
Found = dict[Key, list[Sample]]


def key_of(sample: Sample) -> Key:
    """Return what a row is found by: style, letters of its question, its turn from 1."""
    return sample.style, letters(sample.question), len(sample.history) + 1


def content_of(sample: Sample) -> Content:
    """Return what makes two rows of one key the same: all that a model would learn."""
    turns = tuple((turn.user, turn.assistant) for turn in sample.history)
    return sample.reply, sample.system, turns


def by_key(samples: Iterable[Sample]) -> Found:
    """Return the rows by their key; a question may be asked more than once."""
    found: Found = defaultdict(list)
    for sample in samples:
        found[key_of(sample)].append(sample)
    return found


def differences(before: Found, after: Found) -> Iterator[DiffRow | Sample]:
    """Yield each row of both: a `Sample` that is the same, else what became of it."""
    for key in sorted(before.keys() | after.keys()):
        old, new = list(before.get(key, ())), list(after.get(key, ()))
        same = Counter(map(content_of, old)) & Counter(map(content_of, new))
        kept, old = parted(old, same)
        yield from kept
        for one, other in zip_longest(old, parted(new, same)[1]):
            yield difference(one, other)


def parted(rows: list[Sample], same: Counter[Content]) -> tuple[list[Sample], list[Sample]]:
    """Return the rows whose content is in `same`, as often as it is there, and the others."""
    left, kept, rest = same.copy(), list[Sample](), list[Sample]()
    for row in rows:
        content = content_of(row)
        (kept if left[content] > 0 else rest).append(row)
        left[content] -= 1
    return kept, rest


def difference(before: Sample | None, after: Sample | None) -> DiffRow:
    """Return what became of a row; one of the two is there."""
    shown = after or before
    assert shown is not None
    change: Change = "changed" if before and after else "added" if after else "removed"
    return DiffRow(
        change=change,
        style=shown.style,
        question=shown.question,
        turn=len(shown.history) + 1,
        before=before,
        after=after,
    )


def diff_datasets(
    volume: Volume,
    before_id: str,
    after_id: str,
    *,
    change: Change | None = None,
    style: str | None = None,
    offset: int = 0,
    limit: int = 100,
) -> DatasetDiff:
    """Return the difference of two published datasets, of one family or not.

    The counts are of all rows; `change` and `style` choose which are listed. Raises NotFoundError.
    """
    folders = [
        volume.dataset(published(volume, name, field).id)
        for name, field in ((before_id, "dataset_id"), (after_id, "to"))
    ]
    before, after = (by_key(read_samples(folder)) for folder in folders)
    rows: list[DiffRow] = []
    tallies: dict[str, Counter[str]] = defaultdict(Counter)
    for found in differences(before, after):
        tallies[found.style][found.change if isinstance(found, DiffRow) else "same"] += 1
        if isinstance(found, DiffRow) and wanted(found, change, style):
            rows.append(found)
    return DatasetDiff(
        before=before_id,
        after=after_id,
        counts=summed(list(tallies.values())),
        by_style={name: summed([tally]) for name, tally in sorted(tallies.items())},
        total=len(rows),
        rows=rows[offset : offset + limit],
    )


def wanted(row: DiffRow, change: Change | None, style: str | None) -> bool:
    """Return whether a difference is to be listed."""
    return change in (None, row.change) and style in (None, row.style)


def summed(tallies: Sequence[Counter[str]]) -> DiffCounts:
    """Return the counts of some tallies together."""
    return DiffCounts.model_validate(sum(tallies, Counter[str]()))
