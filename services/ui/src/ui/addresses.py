"""Addresses of the page's tabs: `/?tab=monitor`, and `/monitor`, which leads there."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response


def tab_routes(tabs: list[str], prefix: str = "") -> APIRouter:
    """Return a route for each tab, which leads to the page with that tab open.

    Args:
        tabs: their ids.
        prefix: the path under which a proxy publishes the page.
    """
    router = APIRouter(include_in_schema=False)

    async def lead(request: Request) -> Response:
        asked = dict(request.query_params) | {"tab": request.url.path.rsplit("/", 1)[-1]}
        return RedirectResponse(f"{prefix.rstrip('/')}/?{urlencode(asked)}", status_code=307)

    for tab in tabs:
        router.add_api_route(f"/{tab}", lead, methods=["GET"], response_model=None)
    return router
