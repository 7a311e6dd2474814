"""Turn options into the body of a request; a bad option is named before anything is sent."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from kit.app import validation_body
from kit.errors import InvalidInputError

Body = TypeVar("Body", bound=BaseModel)


def checked(body: type[Body], /, **values: object) -> Body:
    """Return the request body of `values`. Raises InvalidInputError that names the option."""
    try:
        return body.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        told = validation_body(found)
        hint = "see the options: add --help"
        if found[0]["type"] == "extra_forbidden":
            hint = f"known are: {', '.join(body.model_fields)}"
        raise InvalidInputError(told.message, field=told.field, hint=hint) from error


def conditions(pairs: list[str] | None) -> dict[str, object]:
    """Return `name=value` options by name; `rows=3,5` is a list.

    Raises InvalidInputError where there is no `=`, or a name comes twice.
    """
    found: dict[str, object] = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals or not name or name in found:
            raise InvalidInputError(
                f"{pair[:80]!r} is no condition of its own",
                field=name or None,
                hint="write each once, as name=value",
            )
        found[name] = value.split(",") if name == "rows" else value
    return found
