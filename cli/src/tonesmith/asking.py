"""Turn options into the body of a request; a bad option is named before anything is sent."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from kit.app import validation_body
from kit.errors import InvalidInputError

Body = TypeVar("Body", bound=BaseModel)


def checked(body: type[Body], **values: object) -> Body:
    """Return the request body of `values`. Raises InvalidInputError that names the option."""
    try:
        return body.model_validate(values)
    except ValidationError as error:
        told = validation_body(error.errors(include_input=False, include_url=False))
        raise InvalidInputError(
            told.message, field=told.field, hint="see the options: add --help"
        ) from error
