"""The embedded stack with stand-in services: real processes, a real supervisord.

Starting and stopping is mostly waiting, so all scenarios run side by side, once; each test looks
at what one of them left.
"""

import json
import os
import signal
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from fakes.embedded import Left, Place, wait
from tonesmith.stack.embedded import living
from tonesmith.stack.programs import Places
from tonesmith.stack.supervisor import Supervisor

SIDE_BY_SIDE = 4
# up itself, supervisord, and four services with a child each
PROCESSES = 10
# The stand-ins know no jobs and no models, so `status` is not to ask them.
ELSEWHERE = dict.fromkeys(
    ("DATAGEN_URL", "TRAINER_URL", "SERVING_CONTROL_URL"), "http://127.0.0.1:1"
)


def ctrl_c(place: Place) -> Left:
    """Interrupt `up` as a terminal does."""
    process = place.up()
    process.send_signal(signal.SIGINT)
    return place.left(process)


def watched(place: Place) -> list[Left]:
    """Start with a Prometheus, ask for the status, interrupt."""
    place.give_prometheus("exec sleep 600")
    process = place.up()
    place.environ |= ELSEWHERE
    status = place.run("status", "--json")
    process.send_signal(signal.SIGINT)
    return [status, place.left(process)]


def watcher_ends(place: Place) -> Left:
    """Start with a Prometheus that ends at once, wait until that is told, interrupt."""
    place.give_prometheus("echo no room >&2; exit 1")
    process = place.up()
    assert process.stdout
    told = next(line for line in process.stdout if "does not run" in line)
    process.send_signal(signal.SIGINT)
    left = place.left(process)
    left.said = told + left.said
    return left


def killed(place: Place) -> Left:
    """Kill `up` so that it can do nothing any more."""
    process = place.up()
    # Before the kill: who is dead says no command line any more.
    services = {found for found in place.seen if "sleep(60)" not in " ".join(found.cmdline())}
    process.kill()
    wait(lambda: not any(living(found) for found in services), "all services gone")
    left = place.left(process)
    left.alive = [found for found in left.alive if found in services]
    return left


def supervisord_killed(place: Place) -> Left:
    """Kill supervisord under `up`, where an earlier stack was stopped by `down`."""
    marker = Places(place.folder / "var").stop_asked
    marker.parent.mkdir(parents=True)
    marker.touch()
    process = place.up()
    os.kill(place.supervisor.pid(), signal.SIGKILL)
    return place.left(process)


def detached(place: Place) -> list[Left]:
    """Start detached, try to start a second one, look for the page without its port, stop."""
    first = place.run("up", "--detach")
    place.note(place.supervisor.pid())
    second = place.run("up")
    del place.environ["UI_PORT"]
    place.environ |= ELSEWHERE
    status = place.run("status", "--json")
    return [first, second, place.run("down"), place.run("down"), status]


def stopped_by_down(place: Place) -> list[Left]:
    """Stop a project that nobody knows, then the stack, while `up` stays in the foreground."""
    process = place.up()
    other = place.run("down", "--project", "nope")
    alive = place.supervisor.running
    other.said += f"supervisord runs: {alive}"
    return [other, place.run("down"), place.left(process)]


def failing(place: Place) -> Left:
    """Start with a program that ends at once, where an earlier start has left its log."""
    log = place.folder / "var" / "log" / "trainer.log"
    log.parent.mkdir(parents=True)
    log.write_text("what went wrong yesterday\n")
    place.environ["STAND_IN_FAILS"] = "trainer"
    return place.run("up")


def demo(place: Place) -> Left:
    """Run the demo with services that can start, and nothing else."""
    old = place.folder / "var" / "demo" / "data" / "old"
    old.mkdir(parents=True)
    return place.run("demo")


def without_engines(place: Place) -> Left:
    """Start without an engine."""
    place.environ["SERVING_ENGINE_PYTHON"] = "/nowhere/python"
    return place.run("up")


SCENARIOS = (
    ctrl_c,
    watched,
    watcher_ends,
    killed,
    supervisord_killed,
    detached,
    stopped_by_down,
    failing,
    demo,
    without_engines,
)
Results = dict[str, Future[Left | list[Left]]]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Place]:
    """A folder for each scenario."""
    root = tmp_path_factory.mktemp("stacks")
    return {scenario.__name__: Place(root / scenario.__name__) for scenario in SCENARIOS}


@pytest.fixture(scope="module")
def results(places: dict[str, Place]) -> Results:
    """What each scenario left; whatever happens, none of its processes is left behind."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        found: Results = {
            scenario.__name__: pool.submit(scenario, places[scenario.__name__])
            for scenario in SCENARIOS
        }
    for place in places.values():
        place.clean()
    return found


def one(results: Results, name: str) -> Left:
    """Return what a scenario left."""
    found = results[name].result()
    assert isinstance(found, Left)
    return found


def test_ctrl_c_stops_everything_that_up_started(results: Results) -> None:
    """Services, and their children in sessions of their own."""
    left = one(results, "ctrl_c")
    assert left.code == 0
    assert left.started == PROCESSES
    assert "all stopped" in left.said
    assert left.alive == []


def test_prometheus_runs_beside_the_services_and_ends_with_them(results: Results) -> None:
    """`status` says where it is: on this machine only, on the usual port or a free one."""
    found = results["watched"].result()
    assert isinstance(found, list)
    status, up = found
    shown = json.loads(status.said)["prometheus"]
    assert shown["state"] == "RUNNING"
    assert shown["url"].startswith("http://127.0.0.1:")
    assert (up.code, up.started, up.alive) == (0, PROCESSES + 1, [])


def test_services_go_on_without_prometheus(results: Results) -> None:
    """One that cannot run is told, with its log, and stops nothing."""
    left = one(results, "watcher_ends")
    assert "prometheus does not run, the services go on; see var/log/prometheus.log" in left.said
    assert (left.code, left.alive) == (0, [])
    assert "all stopped" in left.said


def test_up_says_how_to_get_prometheus_where_there_is_none(
    results: Results, places: dict[str, Place]
) -> None:
    """One line; nothing is downloaded unasked."""
    found = results["detached"].result()
    assert isinstance(found, list)
    assert "scripts/prometheus.sh" in found[0].said
    assert not (places["detached"].folder / "var/embedded/prometheus.yml").exists()


def test_kill_of_the_command_line_leaves_no_service(results: Results) -> None:
    """After kill -9 of `up`, supervisord hears of it from the kernel and stops its programs."""
    left = one(results, "killed")
    assert left.started == PROCESSES
    assert left.alive == []


def test_kill_of_supervisord_is_noticed_and_leaves_no_process(results: Results) -> None:
    """The services hear of it from the kernel, the command line says so and fails."""
    left = one(results, "supervisord_killed")
    assert left.code == 1
    assert "supervisord does not run" in left.said
    assert left.alive == []


def test_detached_stack_stays_until_down(results: Results) -> None:
    """`up --detach` comes back, a second one is refused, `down` stops everything."""
    found = results["detached"].result()
    assert isinstance(found, list)
    first, refused, down, idle, _ = found
    assert first.code == 0
    assert (refused.code, len(refused.alive)) == (1, PROCESSES - 1)
    assert (down.code, down.alive) == (0, [])
    assert (idle.code, "nothing runs" in idle.said) == (0, True)


def test_stack_that_runs_here_is_found_by_what_it_recorded(
    results: Results, places: dict[str, Place]
) -> None:
    """Also from another terminal, where its port is not set."""
    found = results["detached"].result()
    assert isinstance(found, list)
    page = json.loads(found[-1].said)["services"]["ui"]
    recorded = json.loads((places["detached"].folder / "var/embedded/addresses.json").read_text())
    assert (page["url"], page["alive"]) == (recorded["ui_url"], True)


def test_down_of_a_project_leaves_the_processes_alone(results: Results) -> None:
    """An unknown project is an error; the stack of this folder is not what was meant."""
    found = results["stopped_by_down"].result()
    assert isinstance(found, list)
    assert found[0].code == 2
    assert "no containers of project 'nope'" in found[0].said
    assert "supervisord runs: True" in found[0].said


def test_up_that_stays_ends_in_order_when_down_stops_it(results: Results) -> None:
    """Somebody asked for it: one plain note, no error, and no process is left."""
    found = results["stopped_by_down"].result()
    assert isinstance(found, list)
    _, down, up = found
    assert (down.code, up.code, up.alive) == (0, 0, [])
    assert "stopped by `tonesmith down`" in up.said
    assert "error" not in up.said


def test_program_that_fails_is_shown_with_its_last_words(
    results: Results, places: dict[str, Place]
) -> None:
    """`up` names it, shows the end of its log, stops the others and fails."""
    left = one(results, "failing")
    assert left.code == 1
    assert "trainer does not run" in left.said
    assert "trainer: no such base model" in left.said
    assert "yesterday" not in left.said
    assert not places["failing"].supervisor.running


def test_up_without_engines_says_how_to_install_them(results: Results) -> None:
    """Nothing is started."""
    left = one(results, "without_engines")
    assert left.code == 1
    assert "SERVING_ENGINE_PYTHON" in left.said
    assert "make engines" in left.said


def test_demo_names_the_stage_that_failed_and_stops(
    results: Results, places: dict[str, Place]
) -> None:
    """Stand-ins start but cannot generate: the stage is named, an old demo is gone, all stops."""
    left = one(results, "demo")
    assert left.code == 1
    assert "start the services:" in left.said
    assert "stage generate failed" in left.said
    assert "all stopped" in left.said
    root = places["demo"].folder / "var" / "demo"
    assert not (root / "data" / "old").exists()
    assert not (root / "report.json").exists()
    assert not Supervisor(root / "embedded" / "supervisor.sock").running
