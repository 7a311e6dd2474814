"""Every query of the dashboards is answered, by a real Prometheus with our rules.

Its history has every metric that exists (`tests/sample_series.py`), so a query without an answer
names something that does not exist, or joins what does not fit.
"""

import math
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

import dashboard_queries
from dashboard_queries import Query, Series, panels, queries, run
from prepared_prometheus import fill, prometheus
from sample_series import FAILED, RUNNING

pytestmark = pytest.mark.monitoring
ENDED = "tonesmith-training: annotation End"


class Prepared:
    """A Prometheus and the moment at which its history ends.

    Args:
        url: its address.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.now = time.time()

    def answer(self, query: Query) -> list[Series]:
        """Return what it says to a query."""
        return run(query, self.url, self.now)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """A Prometheus that knows two hours of everything."""
    folder = tmp_path_factory.mktemp("prometheus")
    with prometheus(folder, fill(folder, time.time())) as url:
        yield Prepared(url)


def numbers(found: list[Series]) -> list[float]:
    """Return the values that are numbers."""
    return [value for each in found for _, value in each.points if not math.isnan(value)]


def named(name: str) -> Query:
    """Return the query of this place, such as `tonesmith-overview: State A`."""
    return next(query for query in queries() if str(query) == name)


@pytest.mark.parametrize("query", [each for each in queries() if str(each) != ENDED], ids=str)
def test_query_is_answered(query: Query, prepared: Prepared) -> None:
    """With the variables as they are when a dashboard is opened, there are data."""
    assert numbers(prepared.answer(query)), query.expr


def test_end_is_marked_of_a_run_that_has_ended(prepared: Prepared) -> None:
    """The newest run goes on; the mark is where the one before ended."""
    query = named(ENDED)
    assert not prepared.answer(query)
    known = dashboard_queries.choices(query.dashboard, prepared.url, prepared.now)
    found = dashboard_queries.ask(query, prepared.url, prepared.now, {**known, "run_id": FAILED})
    assert numbers(found)


@pytest.mark.parametrize("query", [each for each in queries() if "{{" in each.legend], ids=str)
def test_legend_names_labels_of_the_answer(query: Query, prepared: Prepared) -> None:
    """A label that is not there would leave a gap in the name of a curve."""
    wanted = set(re.findall(r"{{(\w+)}}", query.legend))
    assert all(wanted <= set(each.labels) for each in prepared.answer(query))


def tables() -> list[tuple[str, dict[str, Any]]]:
    """Return every table with the uid of its dashboard."""
    return [
        (uid, panel)
        for uid, board in dashboard_queries.dashboards().items()
        for panel in panels(board)
        if panel["type"] == "table"
    ]


@pytest.mark.parametrize(
    ("uid", "table"), tables(), ids=[f"{uid}: {table['title']}" for uid, table in tables()]
)
def test_columns_of_a_table_are_in_its_answers(
    uid: str, table: dict[str, Any], prepared: Prepared
) -> None:
    """Every label that is shown comes back, and the queries share the labels that join them."""
    columns = table["transformations"][-1]["options"]["renameByName"]
    wanted = {name for name in columns if not name.startswith("Value")}
    answers = [
        prepared.answer(named(f"{uid}: {table['title']} {target['refId']}"))
        for target in table["targets"]
    ]
    first, *others = [set(answer[0].labels) for answer in answers]
    assert wanted <= first
    assert all(other <= first for other in others)


def test_newest_run_is_chosen_first(prepared: Prepared) -> None:
    """Who opens the training dashboard sees the run that goes on."""
    chosen = dashboard_queries.choices("tonesmith-training", prepared.url, prepared.now)
    assert chosen["run_id"] == RUNNING


def test_home_page_shows_the_newest_run(prepared: Prepared) -> None:
    """Its tiles are of one run, and the state is the one that the run is in."""
    (state,) = prepared.answer(named("tonesmith-overview: State A"))
    assert state.labels["run_id"] == RUNNING
    assert numbers([state]) == [1]


def test_place_in_the_band_follows_the_trainers_setting(prepared: Prepared) -> None:
    """74 of 80 GB lie between 90 and 95 %, on both cards."""
    assert numbers(prepared.answer(named("tonesmith-overview: Target band A"))) == [0, 0]


def test_fresh_install_says_that_there_is_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Without a single series tables have a row that says so, and counts are 0."""
    folder = tmp_path_factory.mktemp("empty")
    with prometheus(folder, folder / "tsdb", recorded=False) as url:
        fresh = Prepared(url)
        (run_row,) = fresh.answer(named("tonesmith-overview: Runs A"))
        (card,) = fresh.answer(named("tonesmith-gpus: Cards A"))
        firing = fresh.answer(named("tonesmith-overview: Alerts firing A"))
    assert run_row.labels["run_id"] == "no run yet"
    assert card.labels["name"] == "no GPU"
    assert numbers(firing) == [0]
