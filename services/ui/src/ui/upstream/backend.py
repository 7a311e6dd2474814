"""The services behind the page, each with its own calls; they share connections and metrics."""

from dataclasses import replace
from pathlib import Path

import httpx

from kit.config import read_secret
from ui.access.visitors import Visitors
from ui.config import UiSettings
from ui.metrics import UiMetrics
from ui.upstream.calls import Calls
from ui.upstream.dataset_calls import DatasetCalls
from ui.upstream.proof_calls import ProofCalls
from ui.upstream.review_calls import ReviewCalls
from ui.upstream.serving_calls import ServingCalls
from ui.upstream.style_calls import StyleCalls
from ui.upstream.trainer_calls import TrainerCalls

# A connection for each call: one kept open may be closed by the other side (uvicorn does after
# 5 s) in the moment in which a question is sent on it, and the question would be lost.
LIMITS = httpx.Limits(max_keepalive_connections=0)


class Backend:
    """The services behind the page.

    Args:
        settings: their addresses.
        metrics: counts their failures.
        transport: for tests; the network by default.
    """

    def __init__(
        self,
        settings: UiSettings,
        metrics: UiMetrics,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.settings = settings
        self.metrics = metrics
        self.visitors = Visitors()
        # trust_env: a proxy from the environment must not come between neighbours.
        self.http = httpx.AsyncClient(transport=transport, limits=LIMITS, trust_env=False)
        token, key = bearer(settings.api_token_file), bearer(settings.serving_api_key_file)
        datagen = Calls(self.http, metrics, "datagen", settings.datagen_url, telling=token)
        trainer = replace(datagen, upstream="trainer", url=settings.trainer_url)
        serving = Calls(self.http, metrics, "serving", settings.serving_url, asking=key)
        control = Calls(self.http, metrics, "control", settings.serving_control_url)
        self.styles = StyleCalls(datagen)
        self.datasets = DatasetCalls(datagen)
        self.reviews = ReviewCalls(datagen)
        self.proof = ProofCalls(datagen)
        self.trainer = TrainerCalls(trainer)
        self.serving = ServingCalls(serving, control)

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()


def bearer(secret: Path | None) -> dict[str, str]:
    """Return the header that shows a secret, or none without one. Raises SettingsError."""
    found = read_secret(secret)
    return {"Authorization": f"Bearer {found}"} if found else {}
