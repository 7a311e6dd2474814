"""The names that requests may ask for: the base, the versions, the aliases that lead to them."""

import re
from dataclasses import dataclass, field

from serving.engine.refusal import Refusal

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def is_name(value: object) -> bool:
    """Return whether `value` may be a model's name: no path, no option, nothing to escape."""
    return isinstance(value, str) and bool(NAME.fullmatch(value)) and ".." not in value


@dataclass
class NameTable:
    """Which names are served; replaced as a whole, between two requests."""

    base: str
    versions: tuple[str, ...] = ()
    aliases: dict[str, str] = field(default_factory=dict)

    def replace(self, versions: object, aliases: object) -> None:
        """Take new versions (a list) and aliases (alias -> version). Raises Refusal."""
        if not isinstance(versions, list) or not isinstance(aliases, dict):
            raise Refusal(400, "invalid_input", "names is a list, aliases an object")
        known = {*versions, self.base}
        bad = [name for name in (*versions, *aliases) if not is_name(name)]
        bad += [alias for alias, version in aliases.items() if version not in known]
        bad += [alias for alias in aliases if alias in known]
        if bad:
            raise Refusal(400, "invalid_input", f"{bad[0]!r:.80} cannot be served", field="aliases")
        self.versions = tuple(versions)
        self.aliases = dict(aliases)

    def resolve(self, name: object) -> str:
        """Return the name that vLLM knows for what a client asks for. Raises Refusal."""
        if not is_name(name):
            raise Refusal(
                400,
                "invalid_input",
                f"model: must match ^{NAME.pattern}$ without '..'",
                field="model",
                hint="GET /v1/models lists the names",
            )
        target = self.aliases.get(str(name), str(name))
        if target != self.base and target not in self.versions:
            raise Refusal(
                404,
                "model_not_found",
                f"model: there is no model {name!r}",
                field="model",
                hint="GET /v1/models lists the names",
            )
        return target

    def listing(self, created: int, max_model_len: int) -> dict[str, object]:
        """Return the body of `/v1/models`; `root` of an alias is the version behind it."""
        roots = {name: name for name in (self.base, *self.versions)} | self.aliases
        models = [
            {
                "id": name,
                "object": "model",
                "created": created,
                "owned_by": "tonesmith",
                "root": root,
                "parent": None if root == self.base else self.base,
                "max_model_len": max_model_len,
            }
            for name, root in roots.items()
        ]
        return {"object": "list", "data": models}
