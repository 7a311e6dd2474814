"""An app that remembers which of its routes were asked for."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Recording:
    """The app, recorded."""

    app: Any
    asked: set[tuple[str, str]] = field(default_factory=set)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Noted as the answer begins: a stream may still end when its client has gone on.
        async def noted(message: Any) -> None:
            if route := scope.get("route"):
                self.asked.add((scope["method"], route.path))
            await send(message)

        await self.app(scope, receive, noted)
