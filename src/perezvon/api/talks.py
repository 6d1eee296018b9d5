"""What an agent does with calls: dial, hand over, come back. The engine decides; we only ask."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import model_validator

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, Ctx, Id, PathId, Shown, Text
from perezvon.api.roles import Permission, Reach
from perezvon.core.call import CallState

router = APIRouter(tags=["talks"], responses=ERRORS)

# A call-back's id has a slash in it: hence `:path` below.
Handler = Annotated[Principal, needs(Permission.HANDLE_CALLS)]


class DialBody(Shown):
    agent: Id
    number: Id
    """In any form that people write."""
    did: Text = ""
    """Our number that the client is to see; empty: that of the agent's queue."""


class Dialled(Shown):
    call: str


class TransferBody(Shown):
    agent: Id
    """Who talks, and hands over."""
    to_agent: Id | None = None
    to_queue: Id | None = None
    to_number: Id | None = None
    attended: bool = False
    """He asks first, while the client hears music."""

    @model_validator(mode="after")
    def _one_target(self) -> "TransferBody":
        if sum(to is not None for to in (self.to_agent, self.to_queue, self.to_number)) != 1:
            raise ValueError("one of to_agent, to_queue and to_number")
        return self


class Transferred(Shown):
    call: str
    state: CallState


class RejoinBody(Shown):
    agent: Id


@router.post("/calls", status_code=201)
async def dial(
    ctx: Ctx, principal: Annotated[Principal, needs(Permission.DIAL)], body: DialBody
) -> Dialled:
    """His own telephone rings first, and answers by itself if it can. With whom we owe, a talk
    settles the debt.
    """
    principal.check_agent(Permission.DIAL, body.agent)
    args = body.model_dump() | {"by": principal.by}
    return Dialled.model_validate(await ctx.ask("call.dial", args))


@router.post("/calls/{call:path}/transfer")
async def transfer_call(
    ctx: Ctx, principal: Handler, call: PathId, body: TransferBody
) -> Transferred:
    """To a colleague, a queue or a number outside. A queue cannot be asked first."""
    principal.check_agent(Permission.HANDLE_CALLS, body.agent)
    args = body.model_dump(exclude_none=True) | {"call": call, "by": principal.by}
    return Transferred.model_validate(await ctx.ask("call.transfer", args))


@router.post("/calls/{call:path}/transfer/completion")
async def complete_transfer(ctx: Ctx, principal: Handler, call: PathId) -> Dialled:
    """Enough was asked: the client talks with whom he is handed over to."""
    return await _ask(ctx, principal, "call.transfer.complete", call)


@router.delete("/calls/{call:path}/transfer")
async def cancel_transfer(ctx: Ctx, principal: Handler, call: PathId) -> Dialled:
    """Back to the client."""
    return await _ask(ctx, principal, "call.transfer.cancel", call)


@router.post("/calls/{call:path}/rejoin")
async def rejoin_call(ctx: Ctx, principal: Handler, call: PathId, body: RejoinBody) -> Dialled:
    """His telephone rings again, and its leg takes the place of the one that was lost."""
    principal.check_agent(Permission.HANDLE_CALLS, body.agent)
    args = {"agent": body.agent, "call": call}
    return Dialled.model_validate(await ctx.ask("call.rejoin", args))


async def _ask(ctx: Ctx, principal: Principal, action: str, call: str) -> Dialled:
    own = principal.reach(Permission.HANDLE_CALLS) is not Reach.ALL
    args = {"call": call, "by": principal.by, "agent": (principal.agent or "-") if own else ""}
    return Dialled.model_validate(await ctx.ask(action, args))
