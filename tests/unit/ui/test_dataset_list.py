"""The datasets that a page offers."""

import pytest

from contracts.job import JobState
from fakes.clock import FakeClock
from fakes.page_stack_data import dataset, generating
from fakes.stack import Stack
from ui.dataset.dataset_list import DATASETS_SHOWN, FRESH_SECONDS, DatasetList, Listed
from ui.dataset.dataset_words import dataset_label, facts_html, going_html, none_html
from ui.texts import texts_in
from ui.upstream.backend import Backend

ZH, EN = texts_in("zh"), texts_in("en")


@pytest.fixture
def clock() -> FakeClock:
    """The time."""
    return FakeClock()


@pytest.fixture
def datasets(backend: Backend, clock: FakeClock) -> DatasetList:
    """What the stand-in has."""
    return DatasetList(backend.datasets, clock)


async def test_answer_is_shared_until_something_was_made(
    datasets: DatasetList, stack: Stack, clock: FakeClock
) -> None:
    """However many pages look; a job that ended makes the next one ask, once."""
    known = await datasets.listed()
    assert known.datasets == tuple(stack.datasets)
    stack.datasets = [dataset("new"), *stack.datasets]
    assert await datasets.listed() is known
    datasets.expect(frozenset({"new", "gone"}))
    assert (await datasets.listed()).find("new")
    stack.datasets = []
    datasets.expect(frozenset({"new", "gone"}))
    assert (await datasets.listed()).find("new")
    clock.now += FRESH_SECONDS
    assert (await datasets.listed()).datasets == ()


async def test_what_was_known_stays_while_the_service_is_away(
    datasets: DatasetList, stack: Stack, clock: FakeClock
) -> None:
    """With why it may be old."""
    stack.datagen_up = False
    never = await datasets.listed()
    assert never.datasets is None
    assert never.problem
    stack.datagen_up = True
    clock.now += FRESH_SECONDS
    known = await datasets.listed()
    stack.datagen_up = False
    clock.now += FRESH_SECONDS
    away = await datasets.listed()
    assert away.datasets == known.datasets
    assert away.problem


def test_list_is_bounded_and_the_choice_stays_in_it() -> None:
    """Also where sixty newer ones were made since."""
    many = tuple(dataset(f"d-{number}") for number in range(100))
    listed = Listed(many)
    assert listed.shown(None) == list(many[:DATASETS_SHOWN])
    assert listed.shown("d-3") == list(many[:DATASETS_SHOWN])
    assert listed.shown("d-99") == [*many[:DATASETS_SHOWN], many[99]]
    assert Listed().shown("d-99") == []


def test_dataset_is_told_in_the_readers_words() -> None:
    """With what was not reached, and nothing of it is taken for HTML."""
    part = dataset("d", 12, status="incomplete", source="imported")
    assert dataset_label(EN, part) == "d · 12 rows · not complete"
    for texts in (ZH, EN):
        told = facts_html(texts, part)
        assert texts("data.source.imported") in told
        assert texts("data.incomplete") in told
        assert getattr(part.styles[0].style.names, texts.language) in told
    assert facts_html(ZH, None) == ""
    assert EN("data.none") in none_html(EN)


def test_many_styles_are_counted() -> None:
    """A line, not a paragraph."""
    many = dataset("d").styles * 2
    assert EN("data.and_more", names="", count=2).strip() in facts_html(
        EN, dataset("d", styles=many)
    )


def test_generation_that_goes_on_is_told_on_every_sheet() -> None:
    """One that has ended is not."""
    job = generating("j", {"gentle": 20})
    assert EN("data.going", name="bedtime", done=20, total=50) in going_html(EN, job)
    assert going_html(EN, generating("j", {"gentle": 20}, state=JobState.DONE)) == ""
    assert going_html(EN, None) == ""
