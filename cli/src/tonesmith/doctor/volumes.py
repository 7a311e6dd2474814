"""Whether the services may write their volumes: asked from a throw-away container."""

from collections.abc import Iterable, Mapping

from tonesmith.docker.engine import Engine
from tonesmith.docker.failures import EngineError
from tonesmith.doctor.finding import Finding

SERVICES_USER = "10001:0"
# Who writes a volume, where it is not the usual user.
USERS = {"serving-cache": "2000:0"}
UNWRITABLE = 'for path in /v/*; do [ -w "$path" ] || echo "${path#/v/}"; done'
NAME = "volumes"


def volumes(engine: Engine, declared: Mapping[str, str], images: Iterable[str]) -> Finding:
    """Say which volumes their services cannot write.

    Args:
        engine: where they are.
        declared: names in the engine, by the name in the compose file.
        images: any that has a shell; the first that is here is used.
    """
    here = engine.volumes()
    there = {key: name for key, name in declared.items() if name in here}
    if not there:
        return Finding(name=NAME, level="ok", detail="none yet")
    image = next((image for image in images if engine.has_image(image)), None)
    if image is None:
        detail = f"{len(there)} there; not tried, since no image of the stack is here"
        return Finding(name=NAME, level="ok", detail=detail)
    try:
        refused = [
            (name, user) for user in users(there) for name in unwritable(engine, image, user, there)
        ]
    except EngineError as error:
        remedy = "look at the engine's log"
        return Finding(name=NAME, level="warning", detail=error.body.message, remedy=remedy)
    if refused:
        name, user = refused[0]
        fix = f"`docker run --rm -u 0 -v {name}:/v {image} chown -R {user} /v`"
        remedy = f"give it to its service: {fix}, or start anew: `tonesmith down --volumes`"
        detail = f"their services cannot write {', '.join(name for name, _ in refused)}"
        return Finding(name=NAME, level="error", detail=detail, remedy=remedy)
    return Finding(name=NAME, level="ok", detail=f"{len(there)} there, writable")


def users(there: Mapping[str, str]) -> list[str]:
    """Return who writes these volumes."""
    return sorted({USERS.get(key, SERVICES_USER) for key in there})


def unwritable(engine: Engine, image: str, user: str, there: Mapping[str, str]) -> list[str]:
    """Return the volumes of `user` that it cannot write."""
    own = [name for key, name in there.items() if USERS.get(key, SERVICES_USER) == user]
    return engine.run(image, ["sh", "-c", UNWRITABLE], user=user, volumes=own).split()
