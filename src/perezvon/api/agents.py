"""Agents: who is there, in which status and since when; choosing a status or a device for
one, and lending him to another group.
"""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from perezvon.api.access import Principal, needs
from perezvon.api.context import (
    ERRORS,
    LIMIT,
    MOMENT_MAX,
    Ctx,
    Cursor,
    Limit,
    Moment,
    PathId,
    Shown,
    Text,
)
from perezvon.api.roles import Permission
from perezvon.core.events import ChosenStatus
from perezvon.core.facts import Status
from perezvon.core.plan import Agent as PlanAgent
from perezvon.core.plan import DeviceKind
from perezvon.store.agents import list_agents, list_loans, list_statuses

router = APIRouter(tags=["agents"], responses=ERRORS)


class LentTo(Shown):
    group: str
    until_at: int
    by: str


class Agent(Shown):
    id: str
    name: str
    status: str
    since_at: int | None
    reason: str
    by: str
    call: str | None
    reachable: bool
    device: DeviceKind | None
    """Which of his devices rings; None: the plan does not have him any more."""
    devices: tuple[DeviceKind, ...]
    """Those that he may choose among, his own first."""
    lent_to: tuple[LentTo, ...]


class Agents(Shown):
    items: list[Agent]


class ChosenBody(Shown):
    status: ChosenStatus
    reason: Text = ""


class Chosen(Shown):
    agent: str
    status: Status
    """What he has now: who is busy gets the chosen one when his call is over."""
    wanted: ChosenStatus | None


class DeviceBody(Shown):
    device: DeviceKind


class DeviceOfAgent(Shown):
    agent: str
    device: DeviceKind


class LoanBody(Shown):
    until_at: Annotated[int, Field(ge=0, le=MOMENT_MAX)]
    """Milliseconds since 1970, UTC; 31 days ahead at most."""


class Loan(Shown):
    agent: str
    group: str
    until_at: int


class StatusChange(Shown):
    agent: str
    at: int
    status: str
    reason: str
    by: str
    call: str | None


class StatusChanges(Shown):
    items: list[StatusChange]
    next: str | None


@router.get("/agents")
def read_agents(ctx: Ctx, _principal: Annotated[Principal, needs(Permission.SEE_AGENTS)]) -> Agents:
    """All of the plan, in its order. Who rings right now is on the live feed only."""
    store = ctx.books.fresh()
    known = {row.id: row for row in list_agents(store)}
    lent: dict[str, list[LentTo]] = {}
    for loan in list_loans(store):
        lent.setdefault(loan.agent, []).append(LentTo.model_validate(loan))
    plan = ctx.books.plan()
    planned = {str(agent.id): agent for agent in plan.agents} if plan is not None else {}
    items = []
    for id_ in planned or known:
        row, own = known.get(id_), planned.get(id_)
        items.append(
            Agent(
                id=id_,
                name=own.name if own else id_,
                status=row.status if row else Status.SIGNED_OUT.value,
                since_at=row.since_at if row else None,
                reason=row.reason if row else "",
                by=row.by if row else "",
                call=row.call if row else None,
                reachable=row.reachable if row else True,
                device=_device(own, row.device if row else None) if own else None,
                devices=own.devices if own else (),
                lent_to=tuple(lent.get(id_, ())),
            )
        )
    return Agents(items=items)


def _device(agent: PlanAgent, chosen: str | None) -> DeviceKind:
    """What he chose counts as long as the plan has it for him."""
    return next((kind for kind in agent.devices if kind.value == chosen), agent.device)


@router.get("/agents/{agent}/statuses")
def read_statuses(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.SEE_STATUSES)],
    agent: PathId,
    *,
    since: Moment = None,
    until: Moment = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> StatusChanges:
    """How his status changed, newest first."""
    principal.check_agent(Permission.SEE_STATUSES, agent)
    page = list_statuses(
        ctx.books.fresh(), agent=agent, since=since, until=until, limit=limit, cursor=cursor
    )
    items = [StatusChange.model_validate(row) for row in page.items]
    return StatusChanges(items=items, next=page.next)


@router.put("/agents/{agent}/status")
async def choose_status(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.CHOOSE_STATUS)],
    agent: PathId,
    body: ChosenBody,
) -> Chosen:
    """Durable when it is answered."""
    principal.check_agent(Permission.CHOOSE_STATUS, agent)
    args = {"agent": agent, "status": body.status.value, "reason": body.reason, "by": principal.by}
    return Chosen.model_validate(await ctx.ask("agent.status", args))


@router.put("/agents/{agent}/device")
async def choose_device(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.CHOOSE_DEVICE)],
    agent: PathId,
    body: DeviceBody,
) -> DeviceOfAgent:
    """Which of his devices rings, from now on; a call that rings him now rings there at once."""
    principal.check_agent(Permission.CHOOSE_DEVICE, agent)
    args = {"agent": agent, "device": body.device.value, "by": principal.by}
    return DeviceOfAgent.model_validate(await ctx.ask("agent.device", args))


@router.put("/agents/{agent}/loans/{group}")
async def lend(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.LEND_AGENTS)],
    agent: PathId,
    group: PathId,
    body: LoanBody,
) -> Loan:
    """Until then he is one of that group too. Once more: the newer moment counts."""
    args = {"agent": agent, "group": group, "until_at": body.until_at, "by": principal.by}
    return Loan.model_validate(await ctx.ask("agent.lend", args))


@router.delete("/agents/{agent}/loans/{group}", status_code=204)
async def give_back(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.LEND_AGENTS)],
    agent: PathId,
    group: PathId,
) -> None:
    """Before his time is up."""
    await ctx.ask("agent.give_back", {"agent": agent, "group": group, "by": principal.by})
