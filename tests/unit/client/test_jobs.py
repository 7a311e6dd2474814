"""Following a job: over streams that break, services that restart, and to the end."""

from collections.abc import Iterator

import httpx
import pytest

from client.errors import ServiceDownError, ServiceError
from client.jobs import Jobs
from client.service import Service
from contracts.job import JobState
from fakes.tonesmith_services import FakeServices, error, events, job

PATH = "/datasets/jobs/demo-1"


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Move the clock."""
        self.pauses.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def fake() -> FakeServices:
    return FakeServices()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def jobs(fake: FakeServices, time: Time) -> Iterator[Jobs]:
    with Service("http://127.0.0.1:8001", transport=fake.transport) as service:
        yield Jobs(service, "/datasets", clock=time.clock, sleep=time.sleep)


def running(done: int) -> dict[str, object]:
    """Return the job on its way."""
    return job("dataset", "demo-1", "running", progress={"done": done, "total": 3})


def test_each_change_is_yielded_once(fake: FakeServices, jobs: Jobs) -> None:
    """The state at the start, each change, and the final state, without repetition."""
    fake.answers[f"GET {PATH}"] = lambda _: httpx.Response(200, json=running(1))
    final = job("dataset", "demo-1")
    fake.answers[f"GET {PATH}/events"] = lambda _: events(running(1), running(2), final)
    followed = list(jobs.follow("demo-1"))
    assert [found.progress.done for found in followed] == [1, 2, 1]
    assert followed[-1].state is JobState.DONE


def test_broken_stream_is_opened_again(fake: FakeServices, jobs: Jobs, time: Time) -> None:
    """A stream that ends early is no end of the job."""
    fake.answers[f"GET {PATH}"] = lambda _: httpx.Response(200, json=running(1))
    streams = iter([events(running(1)), events(running(2)), events(job("dataset", "demo-1"))])
    fake.answers[f"GET {PATH}/events"] = lambda _: next(streams)
    assert jobs.wait("demo-1").state is JobState.DONE
    assert time.pauses == [0.2, 0.2]


def test_restarted_service_is_waited_for(fake: FakeServices, jobs: Jobs, time: Time) -> None:
    """A service that is away for less than the patience costs only time; pauses grow."""

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        if time.now > 3:
            fake.down.clear()

    jobs._sleep = sleep
    fake.down.add(8001)
    assert jobs.wait("demo-1").state is JobState.DONE
    assert time.pauses == [0.2, 0.4, 0.8, 1.6, 3.0][: len(time.pauses)]


def test_service_that_stays_away_is_given_up(fake: FakeServices, jobs: Jobs, time: Time) -> None:
    """After the patience the caller hears that the service is down."""
    fake.down.add(8001)
    with pytest.raises(ServiceDownError):
        jobs.wait("demo-1", patience=10)
    assert 10 < time.now < 14


def test_unknown_job_is_an_error_at_once(fake: FakeServices, jobs: Jobs, time: Time) -> None:
    """A refusal is final; waiting would not help."""
    fake.answers["GET /datasets/jobs/other"] = lambda _: error(404, "not_found", "no job")
    with pytest.raises(ServiceError):
        jobs.wait("other")
    assert time.pauses == []


def test_verbs_reach_their_routes(fake: FakeServices, jobs: Jobs) -> None:
    """List, show, cancel and resume are the routes that every kind of job has."""
    assert jobs.newest()[0].id == jobs.get("demo-1").id == "demo-1"
    jobs.cancel("demo-1")
    jobs.resume("demo-1")
    routes = [f"{request.method} {request.url.path}" for request in fake.requests]
    assert routes == [
        "GET /datasets/jobs",
        f"GET {PATH}",
        f"POST {PATH}/cancel",
        f"POST {PATH}/resume",
    ]
