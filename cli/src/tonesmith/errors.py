"""What can go wrong on the command line, and the exit code of each."""

from client import ServiceDownError, ServiceError
from contracts.errors import ErrorBody
from contracts.job import Job
from kit.config import SettingsError
from kit.errors import InvalidInputError, NotFoundError, TonesmithError, TooLargeError

OK, FAILED, BAD_INPUT, SERVICE_DOWN = 0, 1, 2, 3
# The service says that the request itself is wrong; the rest (conflict, no room, a bug) is not.
BAD_REQUESTS = frozenset({400, 404, 413, 422})
START = (
    "start the services: `tonesmith up`, or `tonesmith up --docker`; see what is wrong: "
    "`tonesmith doctor`"
)
KNOWN_ERRORS = (ServiceError, ServiceDownError, SettingsError, TonesmithError)


class CommandError(TonesmithError):
    """The command cannot do its work."""

    code = "command_failed"


class JobFailedError(CommandError):
    """A job ended without its result.

    Args:
        job: in its final state.
    """

    code = "job_failed"

    def __init__(self, job: Job) -> None:
        told = job.error or ErrorBody(code=self.code, message="no reason was given")
        resume = f"go on with it: `tonesmith job resume {job.id}`"
        super().__init__(
            f"{job.kind} {job.id} is {job.state}: {told.message}",
            field=told.field,
            hint=f"{told.hint}; {resume}" if told.hint else resume,
        )
        self.job = job


def exit_code(error: Exception) -> int:
    """Return the exit code for one of KNOWN_ERRORS."""
    match error:
        case ServiceDownError():
            return SERVICE_DOWN
        case ServiceError(status=status):
            return BAD_INPUT if status in BAD_REQUESTS else FAILED
        case SettingsError() | InvalidInputError() | NotFoundError() | TooLargeError():
            return BAD_INPUT
        case _:
            return FAILED


def describe(error: Exception) -> ErrorBody:
    """Return what to tell about one of KNOWN_ERRORS."""
    match error:
        case ServiceError(body=body) | TonesmithError(body=body):
            return body
        case ServiceDownError():
            return ErrorBody(code="service_down", message=str(error), hint=START)
        case _:
            hint = "correct the environment or the .env file"
            return ErrorBody(code="bad_setting", message=str(error), hint=hint)
