"""What has to come from elsewhere: images, and models from a hub."""

from collections.abc import Callable, Mapping

import httpx

from tonesmith.docker.compose import Profile
from tonesmith.docker.engine import Engine
from tonesmith.docker.plan import Plan
from tonesmith.doctor.finding import Finding

HUB = "https://huggingface.co"
HUB_SECONDS = 3.0


def images(missing: list[str]) -> Finding:
    """Say which images of the stack are not here yet."""
    if not missing:
        return Finding(name="images", level="ok", detail="all here")
    return Finding(
        name="images",
        level="warning",
        detail=f"not built yet: {', '.join(missing)}",
        remedy="`tonesmith up --docker` builds them; the first time takes a while",
    )


def missing_images(engine: Engine, plan: Plan) -> list[str]:
    """Return the images of the stack that are not here."""
    return [image for image in plan.images if not engine.has_image(image)]


def base_images(engine: Engine, plan: Plan) -> Finding:
    """Say whether the images that are not built here can be had."""
    wanting = [base for base in plan.bases if not engine.has_image(base)]
    refused = [base for base in wanting if not engine.offered(base)]
    if refused:
        return Finding(
            name="base images",
            level="error",
            detail=f"no registry gives {', '.join(refused)}",
            remedy=(
                "make Python's from Debian's packages: `scripts/offline-base-images`; name those "
                "of a mirror: STACK_PYTHON_IMAGE and the other STACK_..._IMAGE of `.env.example`; "
                "bring them: `docker load`; or leave out Prometheus and Grafana: "
                "COMPOSE_PROFILES=cpu-alone (or gpu-alone)"
            ),
        )
    detail = f"the registry gives {', '.join(wanting)}" if wanting else "all here"
    return Finding(name="base images", level="ok", detail=detail)


def answers(url: str) -> bool:
    """Return whether a host on the network answers at all, be it with a refusal."""
    try:
        httpx.head(url, timeout=HUB_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return True


def model_hub(
    environ: Mapping[str, str], profile: Profile, reachable: Callable[[str], bool] = answers
) -> Finding:
    """Say whether a larger base can be fetched; the CPU stack's starter needs no network."""
    hub = environ.get("HF_ENDPOINT") or HUB
    if reachable(hub):
        return Finding(name="model hub", level="ok", detail=f"{hub} answers")
    if profile is Profile.CPU:
        detail = f"{hub} does not answer (the starter model needs none)"
        return Finding(name="model hub", level="ok", detail=detail)
    return Finding(
        name="model hub",
        level="warning",
        detail=f"{hub} does not answer",
        remedy="set HF_ENDPOINT to a mirror, or copy the model's folder into the volume `bases`",
    )
