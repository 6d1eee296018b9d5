"""Supervising a talk: listen, whisper, barge. The supervisor's own telephone rings for it."""

from typing import Annotated

from fastapi import APIRouter, Query

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, Ctx, Id, PathId, Shown
from perezvon.api.errors import ApiError
from perezvon.api.roles import Permission
from perezvon.core.commands import SupervisionMode

router = APIRouter(tags=["supervisions"], responses=ERRORS)

Supervisor = Annotated[Principal, needs(Permission.SUPERVISE)]


class SupervisionBody(Shown):
    mode: SupervisionMode
    supervisor: Id | None = None
    """An agent of the plan; without it, who asks."""


class Supervised(Shown):
    call: str
    supervisor: str
    mode: SupervisionMode


# A call-back's id has a stroke in it.


@router.put("/calls/{call:path}/supervision")
async def supervise_call(
    ctx: Ctx, principal: Supervisor, call: PathId, body: SupervisionBody
) -> Supervised:
    """His telephone rings, and answers by itself if it can; asked again, in another mode."""
    args = {
        "call": call,
        "supervisor": _who(principal, body.supervisor),
        "mode": body.mode.value,
        "by": principal.by,
    }
    return Supervised.model_validate(await ctx.ask("call.supervise", args))


@router.delete("/calls/{call:path}/supervision", status_code=204)
async def end_supervision(
    ctx: Ctx,
    principal: Supervisor,
    call: PathId,
    supervisor: Annotated[Id | None, Query()] = None,
) -> None:
    who = _who(principal, supervisor)
    await ctx.ask("call.supervise.end", {"call": call, "supervisor": who, "by": principal.by})


def _who(principal: Principal, named: str | None) -> str:
    who = named or principal.agent
    if not who:
        raise ApiError(422, "invalid", "say on whose telephone: you are no agent", "supervisor")
    return who
