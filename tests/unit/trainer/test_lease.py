"""A run's hold on the GPU, against a launcher that can be slow, gone, forgetful or unwilling."""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from fakes.launcher import FakeLauncher
from fakes.running import running
from trainer.config import Settings
from trainer.errors import NoLeaseError
from trainer.lease import POLL_SECONDS, WAITING_END_SECONDS, Terms, held
from trainer.workshop import lease_terms

RUN = "run-1"
# "At once" is far below what would be waited for otherwise; a loaded machine may take its time.
SOON_SECONDS = 20.0
LONG_SECONDS = 60.0


class Lender:
    """A launcher that listens, and the terms to ask it on."""

    def __init__(self, launcher: FakeLauncher, url: str) -> None:
        self.launcher = launcher
        self.url = url

    def terms(
        self, *, token: str = "secret", wait: float = LONG_SECONDS, ttl: float = 1.0
    ) -> Terms:
        """Return terms with a short life of the lease."""
        return Terms(self.url, token, ttl_seconds=ttl, wait_seconds=wait)

    @property
    def holder(self) -> str:
        """Who has the GPU."""
        lease = self.launcher.held()
        return lease["holder"] if lease else ""


@pytest.fixture
def lender() -> Iterator[Lender]:
    """A launcher that wants a token."""
    launcher = FakeLauncher("secret")
    with running(launcher.app) as url:
        yield Lender(launcher, url)


def never() -> bool:
    """Nobody cancels."""
    return False


def after(seconds: float) -> Callable[[], bool]:
    """Somebody cancels after some seconds."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


async def until(true: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_gpu_is_ours_once_serving_has_drained(lender: Lender) -> None:
    """Not before; and it is given back afterwards."""
    lender.launcher.drain_seconds = 0.7
    began = time.monotonic()
    async with held(lender.terms(), RUN, never) as hold:
        assert hold.granted
        assert time.monotonic() - began >= 0.7
        assert lender.holder == RUN
    assert lender.holder == ""
    assert "expired" not in lender.launcher.calls


async def test_heartbeat_keeps_it_for_as_long_as_the_run_takes(lender: Lender) -> None:
    """Three times in its life; then nothing more is sent."""
    async with held(lender.terms(ttl=1.5), RUN, never) as hold:
        began = time.monotonic()
        await until(lambda: lender.launcher.calls.count("PUT") == 4)
        assert time.monotonic() - began > 1.9  # two thirds of a second life, and no more often
        assert lender.holder == RUN
        assert not hold.lost
    calls = lender.launcher.calls.copy()
    assert (calls[0], calls[-1]) == ("POST", "DELETE")
    assert "expired" not in calls
    await asyncio.sleep(0.7)
    assert lender.launcher.calls == calls


async def test_forgotten_lease_is_asked_for_again(lender: Lender) -> None:
    """A launcher that was restarted knows nothing; the run goes on."""
    async with held(lender.terms(), RUN, never) as hold:
        lender.launcher.forget()
        await until(lambda: lender.holder == RUN)
        await asyncio.sleep(0.5)
        assert not hold.lost
    assert lender.holder == ""


async def test_run_is_told_when_somebody_else_has_the_gpu(lender: Lender) -> None:
    """The other's lease stays; the reason names it."""
    async with held(lender.terms(), RUN, never) as hold:
        lender.launcher.lend("run-2")
        await until(lambda: hold.lost)
        assert "run-2" in hold.lost
    assert lender.holder == "run-2"


async def test_launcher_that_is_away_for_a_while_takes_nothing(lender: Lender) -> None:
    """Without it there is no engine of serving's either."""
    async with held(lender.terms(), RUN, never) as hold:
        lender.launcher.broken = 503
        await until(lambda: lender.launcher.calls.count("PUT") >= 3)
        assert not hold.lost
        lender.launcher.broken = 0
        await until(lambda: lender.holder == RUN)
        assert not hold.lost
    assert lender.holder == ""


async def test_refused_heartbeat_ends_the_hold(lender: Lender) -> None:
    """Asking again would not help: the token has changed."""
    async with held(lender.terms(), RUN, never) as hold:
        lender.launcher.token = "another"
        await until(lambda: hold.lost)
        assert "token" in hold.lost


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (lambda lender: setattr(lender.launcher, "broken", 500), "out of order"),
        (lambda lender: lender.launcher.lend("run-2"), "lent to run-2"),
        (lambda lender: setattr(lender.launcher, "drain_seconds", 9), "open requests"),
        (lambda lender: setattr(lender, "url", "http://127.0.0.1:9"), "ConnectError"),
        (lambda lender: setattr(lender, "url", "nowhere"), "UnsupportedProtocol"),
    ],
    ids=["broken", "lent", "drains", "unreachable", "no-url"],
)
async def test_run_fails_when_it_does_not_get_the_gpu_in_time(
    lender: Lender, trouble: Callable[[Lender], None], words: str
) -> None:
    """The error says what stood in the way and what to do; no lease of ours is left behind."""
    trouble(lender)
    with pytest.raises(NoLeaseError, match=words) as caught:
        async with held(lender.terms(wait=0.6), RUN, never):
            pass
    assert caught.value.code == "no_lease"
    assert "TRAINER_EXCLUSIVE=0" in str(caught.value.body.hint)
    assert lender.holder != RUN


async def test_wrong_token_fails_at_once(lender: Lender) -> None:
    """Waiting would not help."""
    began = time.monotonic()
    with pytest.raises(NoLeaseError, match="token"):
        async with held(lender.terms(token="wrong"), RUN, never):
            pass
    assert time.monotonic() - began < SOON_SECONDS


async def test_gpu_is_ours_when_the_other_run_ends(lender: Lender) -> None:
    """Who waits gets it within a second."""
    lender.launcher.lend("run-2")

    async def end_the_other() -> None:
        # Who asks a second time was refused the first time.
        await until(lambda: lender.launcher.calls.count("POST") == 2)
        lender.launcher.forget()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(end_the_other())
        async with held(lender.terms(), RUN, never) as hold:
            assert hold.granted
    assert lender.launcher.calls.count("POST") <= 3


@pytest.mark.parametrize("trouble", ["lent", "drains", "silent", "unreachable"])
async def test_cancel_is_heard_within_a_second(lender: Lender, trouble: str) -> None:
    """Whatever the launcher does; and the GPU is not kept."""
    launcher = lender.launcher
    if trouble == "lent":
        launcher.lend("run-2")
    launcher.drain_seconds = LONG_SECONDS if trouble == "drains" else 0.0
    launcher.answer_seconds = LONG_SECONDS if trouble == "silent" else 0.0
    if trouble == "unreachable":
        lender.url = "http://127.0.0.1:9"
    began = time.monotonic()
    async with held(lender.terms(), RUN, after(0.2)) as hold:
        assert not hold.granted
    assert time.monotonic() - began < SOON_SECONDS  # and not what any of them would have taken
    assert POLL_SECONDS + WAITING_END_SECONDS < 1  # what the second is made of
    assert lender.holder in ("", "run-2")


async def test_stopped_trainer_gives_the_gpu_back(lender: Lender) -> None:
    """Its own shutdown, in mid-run or while it waits, ends the lease."""

    async def run() -> None:
        async with held(lender.terms(), RUN, never):
            await asyncio.sleep(60)

    for drain_seconds in (0.0, 60.0):
        lender.launcher.drain_seconds = drain_seconds
        task = asyncio.create_task(run())
        await until(lambda: lender.holder == RUN)
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert lender.holder == ""


async def test_same_run_gets_its_lease_again_at_once(lender: Lender) -> None:
    """A trainer that was killed and came back before the lease expired."""
    lender.launcher.lend(RUN)
    async with held(lender.terms(), RUN, never) as hold:
        assert hold.granted
    assert lender.launcher.calls.count("POST") == 1


def test_terms_come_from_the_settings() -> None:
    """Whom to ask is the shared address; how long is the trainer's own."""
    environ = {"SERVING_CONTROL_URL": "http://serving:8010", "TRAINER_EXCLUSIVE": "1"}
    environ |= {"TRAINER_LEASE_WAIT_SECONDS": "60"}
    settings = Settings.from_environ(environ)
    assert settings.exclusive
    assert lease_terms(settings) == Terms("http://serving:8010", None, 30.0, 60.0)
