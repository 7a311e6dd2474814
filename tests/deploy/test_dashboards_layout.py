"""The dashboards as a set: current, on the grid, linked to each other, provisioned from files."""

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

import dashboard_queries
from dashboard_queries import FOLDER, panels
from repository import ROOT

GENERATOR = ROOT / "monitoring" / "grafana" / "generate.py"
PROVISIONING = ROOT / "monitoring" / "grafana" / "provisioning"
DASHBOARDS = dashboard_queries.dashboards()
BOARDS = pytest.mark.parametrize("board", DASHBOARDS.values(), ids=DASHBOARDS.keys())
NAMES = ("chat", "datagen", "gpus", "overview", "serving", "training")
UIDS = [f"tonesmith-{name}" for name in NAMES]


def generate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the generator."""
    command = [sys.executable, str(GENERATOR), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_dashboards_are_those_of_the_generator() -> None:
    """After a change of a module: python monitoring/grafana/generate.py."""
    checked = generate("--check")
    assert checked.returncode == 0, checked.stderr


def test_check_fails_when_a_dashboard_is_changed_missing_or_foreign(tmp_path: Path) -> None:
    """Each kind of difference is named, and writing again mends all of them."""
    folder = ["--folder", str(tmp_path)]
    assert generate(*folder).returncode == 0
    (tmp_path / "overview.json").unlink()
    (tmp_path / "chat.json").write_text("{}", encoding="utf-8")
    (tmp_path / "old.json").write_text("{}", encoding="utf-8")
    checked = generate(*folder, "--check")
    assert checked.returncode == 1
    assert checked.stderr.count("is stale") == 3
    assert generate(*folder).returncode == 0
    assert generate(*folder, "--check").returncode == 0


def test_there_is_one_dashboard_for_each_part_of_the_product() -> None:
    """Links and the documents name them by uid."""
    assert sorted(DASHBOARDS) == UIDS
    assert {path.name for path in FOLDER.iterdir()} == {
        f"{uid.removeprefix('tonesmith-')}.json" for uid in UIDS
    }


@BOARDS
def test_panel_ids_are_unique(board: dict[str, Any]) -> None:
    """Links to single panels name them."""
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)


@BOARDS
def test_panels_fill_the_grid_without_overlap_or_hole(board: dict[str, Any]) -> None:
    """Every cell of the 24 columns belongs to exactly one panel, from the top to the bottom."""
    cells: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        mine = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not mine & cells, panel["title"]
        cells |= mine
    bottom = max(y for _, y in cells) + 1
    assert cells == {(x, y) for x in range(24) for y in range(bottom)}


@BOARDS
def test_dashboard_opens_with_numbers_under_a_titled_row(board: dict[str, Any]) -> None:
    """The first line tells how things stand; no row is empty."""
    kinds = [panel["type"] for panel in board["panels"]]
    assert kinds[0] == "row"
    assert set(kinds[1:5]) == {"stat"}
    assert ("row", "row") not in pairwise(kinds)
    assert kinds[-1] != "row"


@BOARDS
def test_titles_are_unique(board: dict[str, Any]) -> None:
    """Who speaks of a panel names it by its title."""
    titles = [panel["title"] for panel in board["panels"]]
    assert len(set(titles)) == len(titles)


@BOARDS
def test_links_lead_to_dashboards_that_exist(board: dict[str, Any]) -> None:
    """Those of the head keep variables and time; those in tables name a uid."""
    (link,) = board["links"]
    assert (link["type"], link["includeVars"], link["keepTime"]) == ("dashboards", True, True)
    assert set(link["tags"]) <= set(board["tags"])
    text = FOLDER.joinpath(f"{board['uid'].removeprefix('tonesmith-')}.json").read_text()
    for uid in re.findall(r'"/d/([\w-]+)', text):
        assert uid in DASHBOARDS


def test_run_opens_its_dashboard_from_the_home_page() -> None:
    """The table of runs leads to the run that is clicked, at the same time."""
    text = FOLDER.joinpath("overview.json").read_text()
    assert "/d/tonesmith-training?var-run_id=${__value.text}&${__url_time_range}" in text


@pytest.mark.parametrize("uid", ["tonesmith-overview", "tonesmith-training", "tonesmith-gpus"])
def test_events_of_runs_are_marked(uid: str) -> None:
    """Start, end and checkpoint at their own time, which Grafana wants in milliseconds."""
    events = {event["name"]: event for event in DASHBOARDS[uid]["annotations"]["list"]}
    assert list(events) == ["Start", "End", "Checkpoint", "Best"]
    for name in ("Start", "End", "Checkpoint"):
        assert events[name]["useValueForTime"]
        assert events[name]["expr"].endswith(" * 1000")
    assert not events["Best"]["useValueForTime"]


def test_loss_is_shown_by_step() -> None:
    """Time hides resumes; the step rises without repetition once rows are grouped and sorted."""
    (panel,) = [
        each for each in panels(DASHBOARDS["tonesmith-training"]) if each["type"] == "trend"
    ]
    assert panel["targets"][0]["legendFormat"] == panel["options"]["xField"] == "step"
    assert panel["targets"][0]["expr"].startswith("train_step{")
    steps = [each["id"] for each in panel["transformations"]]
    assert steps == ["joinByField", "groupBy", "sortBy", "organize"]


def test_data_source_of_the_variables_is_provisioned() -> None:
    """With the uid that dashboards name; its interval is that of the scrapes."""
    text = (PROVISIONING / "datasources" / "prometheus.yml").read_text(encoding="utf-8")
    sources = {each["uid"]: each for each in yaml.safe_load(text)["datasources"]}
    assert sources["prometheus"]["jsonData"]["timeInterval"] == "15s"
    assert sources["prometheus"]["jsonData"]["alertmanagerUid"] in sources
    assert not any(each["editable"] for each in sources.values())


def test_dashboards_are_provisioned_from_files_only() -> None:
    """The page cannot change what the repository says; the overview is the home page."""
    text = (PROVISIONING / "dashboards" / "tonesmith.yml").read_text(encoding="utf-8")
    (provider,) = yaml.safe_load(text)["providers"]
    assert provider["allowUiUpdates"] is False
    assert provider["disableDeletion"] is True
    assert provider["options"]["foldersFromFilesStructure"] is True
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    mounts = [each.split(":") for each in compose["services"]["grafana"]["volumes"]]
    (target,) = [each[1] for each in mounts if each[0] == "./monitoring/grafana/dashboards"]
    assert Path(target).is_relative_to(provider["options"]["path"])
    settings = compose["services"]["grafana"]["environment"]
    home = settings["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{target}/overview.json"
