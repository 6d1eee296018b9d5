"""Health: for a monitor, without a token, and without a word more than up or not."""

import asyncio
from typing import Literal

from fastapi import APIRouter, Response
from sqlalchemy import text

from perezvon.api.context import Context, Ctx, Shown
from perezvon.runtime.local import Refused
from perezvon.runtime.ports import Unavailable

router = APIRouter(tags=["health"])

TIMEOUT_S = 2


class Health(Shown):
    status: Literal["ok", "degraded", "down"]
    engine: bool
    store: bool


@router.get("/health", responses={503: {"model": Health}})
async def read_health(ctx: Ctx, response: Response) -> Health:
    """503 when the engine takes no calls or the store is away; the other may go on working."""
    engine, store = await asyncio.gather(_engine(ctx), asyncio.to_thread(_store, ctx))
    if engine and store:
        return Health(status="ok", engine=True, store=True)
    response.status_code = 503
    return Health(status="degraded" if engine or store else "down", engine=engine, store=store)


class Ready(Shown):
    ready: bool


@router.get("/ready", responses={503: {"model": Ready}})
async def read_readiness(ctx: Ctx, response: Response) -> Ready:
    """503 while new callers do not reach the engine: for who decides where calls go."""
    ready = await _engine(ctx)
    if not ready:
        response.status_code = 503
    return Ready(ready=ready)


async def _engine(ctx: Context) -> bool:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reply = await ctx.ask("health")
    except (Unavailable, Refused, TimeoutError):
        return False
    # It may answer and yet have given callers to the fallback.
    return reply.get("beating") is not False


def _store(ctx: Context) -> bool:
    try:
        with ctx.books.stored.read() as connection:
            connection.execute(text("SELECT 1"))
    except Unavailable:
        return False
    return True
