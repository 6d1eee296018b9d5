"""The API as one ASGI application. Given values only: where they come from is the caller's."""

import contextlib
import functools
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from perezvon.api import (
    agents,
    alerts,
    attempts,
    audit,
    auth,
    board_links,
    callbacks,
    calls,
    debts,
    desk,
    errors,
    evidence,
    explanations,
    health,
    keys,
    ledger,
    live,
    metrics,
    pages,
    persons,
    phone,
    phones,
    placed,
    plan,
    plan_preview,
    recordings,
    results,
    saved_views,
    sessions,
    setup,
    stories,
    supervisions,
    talks,
    users,
)
from perezvon.api.access import check_declared
from perezvon.api.context import Context
from perezvon.api.limits import Limits
from perezvon.api.phone_relay import Relay
from perezvon.api.proxies import Proxied
from perezvon.api.today import Today
from perezvon.api.trail import Audited

TITLE: Final = "Perezvon"
PREFIX: Final = "/api/v1"
NOUNS: Final = (
    evidence,
    stories,
    calls,
    supervisions,
    talks,
    placed,
    results,
    explanations,
    persons,
    desk,
    recordings,
    debts,
    callbacks,
    attempts,
    agents,
    ledger,
    live,
    phone,
    alerts,
    plan,
    plan_preview,
    phones,
    setup,
    sessions,
    auth,
    users,
    keys,
    board_links,
    audit,
    health,
    metrics,
    saved_views,
)


def document() -> dict[str, Any]:
    """The description of the API, OpenAPI, of which clients are generated."""
    app = FastAPI(title=TITLE, version=version("perezvon"))
    app.router.routes.extend(_routes())
    return app.openapi()


def _operation(route: APIRoute) -> str:
    """The function's name: generated clients call it so, and no two may have the same."""
    return route.name


@functools.cache
def _routes() -> tuple[BaseRoute, ...]:
    """They belong to no application: one that includes a router makes each of its routes anew."""
    routes = APIRouter(prefix=PREFIX, generate_unique_id_function=_operation)
    for noun in NOUNS:
        check_declared(noun.router.routes)
        routes.include_router(noun.router)
    return tuple(routes.routes)


def create_app(context: Context) -> FastAPI:
    """The books are the caller's: he closes them when the application has ended."""
    feed = live.Live(context.engine, Today(context.books, context.now), context.now)
    softphones = Relay(context.softphones.url)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with feed.running(), softphones.running():
            yield

    app = FastAPI(
        title=TITLE,
        version=version("perezvon"),
        summary="A call centre in which no client's call is ever lost",
        lifespan=lifespan,
        openapi_url=f"{PREFIX}/openapi.json",
        # Their pages would load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        # A redirection would be made of the Host that the asker sent.
        redirect_slashes=False,
    )
    app.state.context = context
    app.state.live = feed
    app.state.heard = recordings.Heard()
    app.state.pages = context.pages
    app.state.softphones = softphones
    errors.install(app)
    app.router.routes.extend(_routes())
    app.include_router(pages.router)
    app.add_middleware(Audited, context=context, prefix=PREFIX)
    app.add_middleware(Limits, plan_path=f"{PREFIX}/plan", hsts=context.hsts)
    app.add_middleware(Proxied, proxies=context.proxies)
    return app
