"""The evidence of a call, as one file to hand on: numbers masked, without names and secrets."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, Ctx
from perezvon.api.errors import ApiError, not_found
from perezvon.api.roles import Permission
from perezvon.api.routing import CALL, CallInPath
from perezvon.api.trail import trail_of
from perezvon.runtime.recordings import stem_of
from perezvon.store.any_call import find_call

router = APIRouter(tags=["calls"], responses=ERRORS)

MEDIA_TYPE: Final = "application/zip"


@router.get(
    f"/calls/{CALL}/evidence",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}, "description": "A zip"}},
)
async def gather_evidence(
    request: Request,
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.DIAGNOSE)],
    call: CallInPath,
) -> Response:
    """One at a time; 503 while another one is being gathered."""
    within = ctx.within(principal, Permission.DIAGNOSE)
    if await run_in_threadpool(find_call, ctx.books.stored, call, within) is None:
        raise not_found("call")
    if ctx.evidence is None:
        raise ApiError(503, "unavailable", "no evidence can be gathered here")
    data = await ctx.evidence(call)
    trail_of(request).reading = True
    name = f"evidence-{stem_of(call)[:60]}.zip"
    return Response(
        data, 200, {"Content-Disposition": f'attachment; filename="{name}"'}, MEDIA_TYPE
    )
