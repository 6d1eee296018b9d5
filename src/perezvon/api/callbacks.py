"""Acting on debts: call back now, hand over, waive. The engine decides; we only ask."""

import asyncio
from typing import Annotated

from fastapi import APIRouter

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, Context, Ctx, Id, PathId, Shown, SomeText
from perezvon.api.errors import not_found
from perezvon.api.roles import Permission
from perezvon.store.debts import get_debt
from perezvon.store.within import Within

router = APIRouter(tags=["callbacks"], responses=ERRORS)


class Asked(Shown):
    debt: str
    attempting: bool
    """False: nobody is free for it now, or the client is on the line; it stands in line."""


class OwnerBody(Shown):
    owner: Id


class Owned(Shown):
    debt: str
    owner: str


class WaiverBody(Shown):
    reason: SomeText


class Waived(Shown):
    debt: str
    open: bool


def _check_within(ctx: Context, debt: str, within: Within) -> None:
    if get_debt(ctx.books.fresh(), debt, within) is None:
        raise not_found("debt")


@router.post("/debts/{debt}/callback")
async def ask_for_callback(
    ctx: Ctx, principal: Annotated[Principal, needs(Permission.CALLBACK)], debt: PathId
) -> Asked:
    """Try it now, whatever its ladder says."""
    within = ctx.within(principal, Permission.CALLBACK)
    if within is not None:
        await asyncio.to_thread(_check_within, ctx, debt, within)
    reply = await ctx.ask("debt.call", {"debt": debt, "by": principal.by})
    return Asked.model_validate(reply)


@router.put("/debts/{debt}/owner")
async def assign(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.ASSIGN_DEBTS)],
    debt: PathId,
    body: OwnerBody,
) -> Owned:
    reply = await ctx.ask("debt.assign", {"debt": debt, "owner": body.owner, "by": principal.by})
    return Owned.model_validate(reply)


@router.post("/debts/{debt}/waiver")
async def waive(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.WAIVE_DEBTS)],
    debt: PathId,
    body: WaiverBody,
) -> Waived:
    """Close it unmet. Who did it and why stays in the ledger."""
    args = {"debt": debt, "by": principal.by, "reason": body.reason}
    return Waived.model_validate(await ctx.ask("debt.waive", args))
