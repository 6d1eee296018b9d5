"""What may be asked of a running engine, and in which shape; how it becomes an event.

An action checks its arguments and what they name, puts one event into the engine's inbox and
answers when the turn is durable. Nothing here changes the engine otherwise.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, TypeAlias, TypeVar

import msgspec

from perezvon.core.events import (
    AgentGivenBack,
    AgentLent,
    AgentStatusSet,
    CallbackAsked,
    ChosenStatus,
    DebtAssigned,
    DeviceChosen,
    Event,
    WaiverGiven,
)
from perezvon.core.ids import DAY, AgentId, DebtId, Duration, GroupId
from perezvon.core.plan import DeviceKind
from perezvon.runtime.alerts import AlertKind, Alerts
from perezvon.runtime.board import EngineView, alert_row, ledger_counts
from perezvon.runtime.local import Action, Refused

PLAN_BYTES_MAX: Final = 1024 * 1024

LOAN_MS_MAX: Final[Duration] = 31 * DAY
"""Whoever helps out for longer belongs to the group: that is the plan's business."""

_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=_PRINTABLE)]
Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=200, pattern=_PRINTABLE)]
SomeText: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=_PRINTABLE)]
PlanText: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=PLAN_BYTES_MAX)]


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of an action that needs none; the others add their own."""


class AgentStatusArgs(Args, frozen=True):
    """`agent.status`."""

    agent: Name
    status: ChosenStatus
    reason: Text = ""
    by: Text = ""


class AgentDeviceArgs(Args, frozen=True):
    """`agent.device`."""

    agent: Name
    device: DeviceKind
    by: Name


class LendArgs(Args, frozen=True):
    """`agent.lend`."""

    agent: Name
    group: Name
    until_at: Annotated[int, msgspec.Meta(ge=0)]
    by: Name


class GiveBackArgs(Args, frozen=True):
    """`agent.give_back`."""

    agent: Name
    group: Name
    by: Name


class WaiveArgs(Args, frozen=True):
    """`debt.waive`."""

    debt: Name
    by: Name
    reason: SomeText


class AssignArgs(Args, frozen=True):
    """`debt.assign`."""

    debt: Name
    owner: Name
    by: Name


class CallArgs(Args, frozen=True):
    """`debt.call`."""

    debt: Name
    by: Name


class PhoneArgs(Args, frozen=True):
    """`phone.credentials`, `phone.forget`."""

    agent: Name


class PlanApplyArgs(Args, frozen=True):
    """`plan.apply`: the plan file's text; `base` is the version it was made from."""

    text: PlanText
    base: Text = ""
    force: bool = False
    by: Text = ""
    comment: Text = ""


class PlanExportArgs(Args, frozen=True):
    """`plan.export`; empty: the running version."""

    version: Text = ""


class AlertArgs(Args, frozen=True):
    """`alert.raise`, `alert.note`, `alert.clear`: what `perezvon up` sees and the engine cannot."""

    kind: AlertKind
    about: Text = ""
    detail: Text = ""


class TrimArgs(Args, frozen=True):
    """`journal.trim`: up to which fact the store has copied them."""

    facts_copied: Annotated[int, msgspec.Meta(ge=0)]


Submit: TypeAlias = Callable[[Event], Awaitable[None]]
"""Put an event into the inbox; returns when its turn is durable. `Unavailable` when it is full."""

_Shape = TypeVar("_Shape", bound=Args)
_PLACE = re.compile(r" - at `\$\.?([^`]*)`$")


def checked(shape: type[_Shape], act: Callable[[_Shape], Awaitable[dict[str, Any]]]) -> Action:
    """Make an action that refuses arguments of another shape, naming the place."""

    async def action(args: dict[str, Any]) -> dict[str, Any]:
        try:
            known = msgspec.convert(args, shape)
        except msgspec.ValidationError as wrong:
            place = _PLACE.search(str(wrong))
            message = _PLACE.sub("", str(wrong))
            raise Refused("invalid", message, place.group(1) if place else "") from wrong
        return await act(known)

    return action


def engine_actions(engine: Callable[[], EngineView], submit: Submit) -> dict[str, Action]:
    """The actions that need nothing but the engine. The host adds `plan.apply`, `plan.export`
    and `health`.
    """

    async def waive(args: WaiveArgs) -> dict[str, Any]:
        _check_debt(engine(), args.debt)
        await submit(WaiverGiven(DebtId(args.debt), args.by, args.reason))
        return {"debt": args.debt, "open": DebtId(args.debt) in engine().debts}

    async def assign(args: AssignArgs) -> dict[str, Any]:
        _check_debt(engine(), args.debt)
        _check_agent(engine(), args.owner, "owner")
        await submit(DebtAssigned(DebtId(args.debt), AgentId(args.owner), args.by))
        return {"debt": args.debt, "owner": args.owner}

    async def call(args: CallArgs) -> dict[str, Any]:
        _check_debt(engine(), args.debt)
        await submit(CallbackAsked(DebtId(args.debt), args.by))
        debt = engine().debts.get(DebtId(args.debt))
        attempting = debt is not None and debt.attempt is not None
        return {"debt": args.debt, "attempting": attempting}

    async def ledger(_args: Args) -> dict[str, Any]:
        return dict(ledger_counts(engine().ledger))

    return _agent_actions(engine, submit) | {
        "debt.waive": checked(WaiveArgs, waive),
        "debt.assign": checked(AssignArgs, assign),
        "debt.call": checked(CallArgs, call),
        "ledger": checked(Args, ledger),
    }


def _agent_actions(engine: Callable[[], EngineView], submit: Submit) -> dict[str, Action]:
    async def set_status(args: AgentStatusArgs) -> dict[str, Any]:
        _check_agent(engine(), args.agent, "agent")
        event = AgentStatusSet(AgentId(args.agent), args.status, args.reason, args.by)
        await submit(event)
        agent = engine().agents.get(AgentId(args.agent))
        if agent is None:
            return {"agent": args.agent}
        wanted = agent.wanted.value if agent.wanted is not None else None
        return {"agent": args.agent, "status": agent.status.value, "wanted": wanted}

    async def choose_device(args: AgentDeviceArgs) -> dict[str, Any]:
        _check_agent(engine(), args.agent, "agent")
        known = next((one for one in engine().plan.agents if one.id == args.agent), None)
        if known is None or args.device not in known.devices:
            raise Refused("unknown_device", "the plan has no such device for him", "device")
        await submit(DeviceChosen(AgentId(args.agent), args.device, args.by))
        return {"agent": args.agent, "device": args.device.value}

    async def lend(args: LendArgs) -> dict[str, Any]:
        _check_loan(engine(), args)
        agent, group = AgentId(args.agent), GroupId(args.group)
        await submit(AgentLent(agent, group, args.until_at, args.by))
        return {"agent": args.agent, "group": args.group, "until_at": args.until_at}

    async def give_back(args: GiveBackArgs) -> dict[str, Any]:
        _check_agent(engine(), args.agent, "agent")
        await submit(AgentGivenBack(AgentId(args.agent), GroupId(args.group), args.by))
        return {"agent": args.agent, "group": args.group}

    return {
        "agent.status": checked(AgentStatusArgs, set_status),
        "agent.device": checked(AgentDeviceArgs, choose_device),
        "agent.lend": checked(LendArgs, lend),
        "agent.give_back": checked(GiveBackArgs, give_back),
    }


def alert_actions(alerts: Alerts) -> dict[str, Action]:
    """What is open; and alerts of the process that looks after the engine, shown like its own."""

    async def open_ones(_args: Args) -> dict[str, Any]:
        return {"items": [alert_row(alert) for alert in alerts]}

    async def raise_(args: AlertArgs) -> dict[str, Any]:
        alerts.raise_(args.kind, args.about, args.detail)
        return {}

    async def note(args: AlertArgs) -> dict[str, Any]:
        alerts.note(args.kind, args.about, args.detail)
        return {}

    async def clear(args: AlertArgs) -> dict[str, Any]:
        alerts.clear(args.kind, args.about)
        return {}

    return {
        "alerts": checked(Args, open_ones),
        "alert.raise": checked(AlertArgs, raise_),
        "alert.note": checked(AlertArgs, note),
        "alert.clear": checked(AlertArgs, clear),
    }


def _check_agent(engine: EngineView, agent: str, where: str) -> None:
    if AgentId(agent) not in engine.agents:
        raise Refused("unknown_agent", "the plan has no such agent", where)


def _check_loan(engine: EngineView, args: LendArgs) -> None:
    _check_agent(engine, args.agent, "agent")
    group = next((one for one in engine.plan.groups if one.id == args.group), None)
    if group is None:
        raise Refused("unknown_group", "the plan has no such group", "group")
    if any(member.agent == args.agent for member in group.members):
        raise Refused("invalid", "he belongs to this group by the plan", "group")
    if not engine.now < args.until_at <= engine.now + LOAN_MS_MAX:
        raise Refused("invalid", "must lie in the next 31 days", "until_at")


def _check_debt(engine: EngineView, debt: str) -> None:
    if DebtId(debt) not in engine.debts:
        raise Refused("unknown_debt", "there is no such open debt", "debt")
