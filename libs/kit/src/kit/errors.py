"""One error tree: each class knows its HTTP status and its code; `app.py` translates once."""

from contracts.errors import ErrorBody


class TonesmithError(Exception):
    """An error that a caller can act on.

    Args:
        message: one sentence that says what is wrong.
        field: the field at fault, as a dotted path.
        hint: what to do next.
    """

    status = 500
    code = "internal_error"

    def __init__(self, message: str, *, field: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.body = ErrorBody(code=self.code, message=message, field=field, hint=hint)


class InvalidInputError(TonesmithError):
    """The request or the file is malformed; the message names the field."""

    status = 422
    code = "invalid_input"


class NotFoundError(TonesmithError):
    """There is nothing of that name."""

    status = 404
    code = "not_found"


class ConflictError(TonesmithError):
    """The thing is in a state that does not allow this."""

    status = 409
    code = "conflict"


class TooLargeError(TonesmithError):
    """The body is over the limit."""

    status = 413
    code = "too_large"


class StorageFullError(TonesmithError):
    """The volume has no room."""

    status = 507
    code = "storage_full"


class UnauthorizedError(TonesmithError):
    """The bearer token is missing or wrong."""

    status = 401
    code = "unauthorized"


class UnavailableError(TonesmithError):
    """Something that this needs does not answer now; try again later."""

    status = 503
    code = "unavailable"
