"""Tests of the difference of two datasets."""

import random
from collections import Counter

import pytest

from contracts.sample import Sample, Turn
from contracts.volume import Volume
from datagen.dataset_diff import by_key, diff_datasets, differences
from datagen.versions import publish_copy
from fakes.reviewed import FIRST, publish_first
from fakes.styled_dataset import samples
from kit.errors import NotFoundError


def row(question: str, reply: str, style: str = "a", turns: int = 0) -> Sample:
    """Return a row with so many earlier exchanges."""
    return Sample(
        id=f"{style}-{question}-{reply}",
        slot=f"{style}/{question}/{reply}",
        style=style,
        style_version=1,
        language="en",
        question=question,
        reply=reply,
        history=[Turn(user=f"u{n}", assistant=f"a{n}") for n in range(turns)],
    )


def changes(before: list[Sample], after: list[Sample]) -> Counter[str]:
    """Return how many rows are the same, added, removed and changed."""
    found = differences(by_key(before), by_key(after))
    return Counter("same" if isinstance(one, Sample) else one.change for one in found)


def test_rows_are_found_by_style_question_and_turn() -> None:
    """Another style, another question or another turn is another row."""
    before = [row("q", "r"), row("q", "r", "b"), row("q", "r", turns=1), row("gone", "r")]
    after = [row("q", "new"), row("q", "r", "b"), row("q", "r", turns=1), row("fresh", "r")]
    assert changes(before, after) == {"changed": 1, "same": 2, "removed": 1, "added": 1}


def test_question_that_is_asked_twice_is_counted_twice() -> None:
    """Equal replies are matched first, whatever their order."""
    before = [row("q", "one"), row("q", "two"), row("q", "two")]
    after = [row("q", "two"), row("q", "three"), row("q", "one"), row("q", "four")]
    assert changes(before, after) == {"same": 2, "changed": 1, "added": 1}


def test_punctuation_of_a_question_makes_no_other_row_but_of_a_reply_does() -> None:
    """Questions are compared by their letters, as in the split; replies as they are."""
    assert changes([row("Why me", "r.")], [row("why me?!", "r.")]) == {"same": 1}
    assert changes([row("Why me", "r.")], [row("why me?!", "r!")]) == {"changed": 1}


def test_changed_history_or_system_prompt_is_a_change() -> None:
    """All that a model learns from counts."""
    plain = row("q", "r", turns=1)
    other = plain.model_copy(update={"history": [Turn(user="u0", assistant="else")]})
    assert changes([plain], [other]) == {"changed": 1}
    assert changes([plain], [plain.model_copy(update={"system": "s"})]) == {"changed": 1}
    assert changes([plain], [plain.model_copy(update={"id": "x", "scores": {"a": 1}})]) == {
        "same": 1
    }


@pytest.mark.parametrize("seed", range(20))
def test_counts_add_up_for_any_two_sets(seed: int) -> None:
    """before = same + changed + removed, after = same + changed + added; forth is back."""
    chance = random.Random(seed)

    def some() -> list[Sample]:
        size = chance.randrange(30)
        texts = ("pqr", "xyz", "ab")
        return [row(*map(chance.choice, texts)) for _ in range(size)]

    before, after = some(), some()
    forth, back = changes(before, after), changes(after, before)
    assert forth["same"] + forth["changed"] + forth["removed"] == len(before)
    assert forth["same"] + forth["changed"] + forth["added"] == len(after)
    assert (back["added"], back["removed"]) == (forth["removed"], forth["added"])
    assert (back["same"], back["changed"]) == (forth["same"], forth["changed"])


def test_difference_of_published_datasets_is_paged_and_filtered(volume: Volume) -> None:
    """Counts are of all rows, the list is of what was asked for."""
    rows = samples(6)
    publish_first(volume, rows=rows)
    manifest = volume.dataset_manifest(FIRST)
    publish_copy(volume, FIRST, manifest.model_copy(update={"id": "other"}))
    path = volume.dataset("other") / "samples.jsonl"
    changed = [one.model_copy(update={"reply": "else"}) for one in rows[:3]]
    kept = [*changed, *rows[5:]]
    path.write_text("".join(f"{one.model_dump_json()}\n" for one in kept), encoding="utf-8")
    found = diff_datasets(volume, FIRST, "other", limit=2)
    assert (found.counts.changed, found.counts.removed, found.counts.same) == (3, 2, 19)
    assert (found.total, len(found.rows)) == (5, 2)
    assert found.by_style[rows[0].style].changed == 3
    removed = diff_datasets(volume, FIRST, "other", change="removed", style=rows[0].style)
    assert [one.change for one in removed.rows] == ["removed"] * 2
    assert all(one.after is None and one.before for one in removed.rows)
    assert diff_datasets(volume, FIRST, "other", style="nobody").total == 0


def test_missing_side_is_named(volume: Volume) -> None:
    """404 says which of the two is not there."""
    publish_first(volume, per_style=2)
    for before, after, field in (("none", FIRST, "dataset_id"), (FIRST, "none", "to")):
        with pytest.raises(NotFoundError) as caught:
            diff_datasets(volume, before, after)
        assert caught.value.body.field == field
