"""Exit codes, and what is said about each error."""

import pytest

from client import ServiceDownError, ServiceError
from contracts.errors import ErrorBody
from contracts.job import Job
from fakes.tonesmith_services import job
from kit.config import SettingsError
from kit.errors import ConflictError, InvalidInputError, NotFoundError, StorageFullError
from tonesmith.errors import JobFailedError, describe, exit_code

BODY = ErrorBody(code="x", message="m")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ServiceError(422, BODY), 2),
        (ServiceError(404, BODY), 2),
        (ServiceError(409, BODY), 1),
        (ServiceError(500, BODY), 1),
        (ServiceDownError("http://x"), 3),
        (SettingsError("DATA_DIR: bad"), 2),
        (InvalidInputError("bad"), 2),
        (NotFoundError("no"), 2),
        (ConflictError("busy"), 1),
        (StorageFullError("full"), 1),
    ],
)
def test_each_error_has_its_exit_code(error: Exception, code: int) -> None:
    """1 failed, 2 the input is bad, 3 a service is down."""
    assert exit_code(error) == code


def test_down_service_says_how_to_start_it() -> None:
    """The hint is a command."""
    assert "tonesmith up" in str(describe(ServiceDownError("http://x")).hint)


def test_bad_setting_keeps_its_message() -> None:
    """The variable that the settings name is shown."""
    assert describe(SettingsError("DATA_DIR: bad")).message == "DATA_DIR: bad"


def test_failed_job_says_why_and_how_to_go_on() -> None:
    """The service's own reason and hint come first, then the command that resumes."""
    told = {"code": "c", "message": "loss is nan", "hint": "lower the rate"}
    failed = Job.model_validate(job("run", "run-9", "failed", error=told))
    body = describe(JobFailedError(failed))
    assert "loss is nan" in body.message
    assert body.hint == "lower the rate; go on with it: `tonesmith job resume run-9`"


def test_failed_job_without_reason_is_told_as_such() -> None:
    """A missing reason is no crash."""
    failed = Job.model_validate(job("run", "run-9", "cancelled"))
    assert "cancelled: no reason" in describe(JobFailedError(failed)).message
