"""Metrics for a monitor, in Prometheus's text format, with a token that may read.

The engine's own words; when it does not answer they are one line that says so, for a monitor that
gets an error draws a gap and wakes nobody.
"""

from typing import Annotated, Final

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, Context, Ctx
from perezvon.api.roles import Permission
from perezvon.runtime.local import Refused
from perezvon.runtime.measures import CONTENT_TYPE
from perezvon.runtime.ports import Unavailable
from perezvon.runtime.recordings import at_rest

router = APIRouter(tags=["metrics"], responses=ERRORS)

UP: Final = """\
# HELP perezvon_engine_up 1 when the engine answers
# TYPE perezvon_engine_up gauge
perezvon_engine_up {up}
"""
RECORDINGS: Final = """\
# HELP perezvon_recordings_at_rest Recordings that nobody has dealt with for a minute
# TYPE perezvon_recordings_at_rest gauge
perezvon_recordings_at_rest {count}
"""


@router.get("/metrics", response_class=PlainTextResponse)
async def read_metrics(
    ctx: Ctx, _principal: Annotated[Principal, needs(Permission.SEE_METRICS)]
) -> PlainTextResponse:
    """Of the engine since its start; docs/metrics.md lists them."""
    ours = await run_in_threadpool(_recordings, ctx)
    try:
        told = (await ctx.ask("metrics"))["text"]
    except (Unavailable, Refused):
        return PlainTextResponse(UP.format(up=0) + ours, media_type=CONTENT_TYPE)
    return PlainTextResponse(UP.format(up=1) + ours + str(told), media_type=CONTENT_TYPE)


def _recordings(ctx: Context) -> str:
    if ctx.recordings is None or not ctx.recordings.is_dir():
        return ""
    return RECORDINGS.format(count=at_rest(ctx.recordings, ctx.now()).waiting)
