"""What an agent may ask of calls: dial, hand over, come back. How it becomes an event.

Whether it can be done is looked at before, for a clear answer; the engine decides, and what it
decided is read from it afterwards, in the turn that has become durable.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from perezvon.core.call import Call, CallState
from perezvon.core.events import (
    DialAsked,
    NumberClass,
    RejoinAsked,
    TransferAsked,
    TransferCancelAsked,
    TransferCompletionAsked,
)
from perezvon.core.facts import Status
from perezvon.core.ids import AgentId, CallId, PersonId, QueueId
from perezvon.runtime.actions import Args, Name, Submit, Text, checked
from perezvon.runtime.board import EngineView
from perezvon.runtime.local import Action, Refused
from perezvon.runtime.supervision_actions import supervision_actions

BUSY: Final = frozenset({Status.RINGING, Status.TALKING, Status.SIGNED_OUT})
ON_HIS_CALL: Final = frozenset({CallState.TALKING, CallState.CONSULTING, CallState.REJOINING})


@dataclass(frozen=True, slots=True)
class Target:
    """Who stands behind a number that may be dialled."""

    person: PersonId
    number_class: NumberClass


TargetOf: TypeAlias = Callable[[str], Target]
"""Reads a number; `Refused` when it is none, or the plan does not permit it."""


class DialArgs(Args, frozen=True):
    """`call.dial`; `did`: our number that the client is to see."""

    agent: Name
    number: Name
    by: Name
    did: Text = ""


class TransferArgs(Args, frozen=True):
    """`call.transfer`: one of the three targets."""

    call: Name
    agent: Name
    by: Name
    to_agent: Text = ""
    to_queue: Text = ""
    to_number: Text = ""
    attended: bool = False


class TalkArgs(Args, frozen=True):
    """`call.transfer.complete`, `call.transfer.cancel`; `agent`: only if it is he who asks."""

    call: Name
    by: Name
    agent: Text = ""


class RejoinArgs(Args, frozen=True):
    """`call.rejoin`; `call`: only if it is this one."""

    agent: Name
    call: Text = ""


class CallActions:
    """Asks one engine. `target_of` knows numbers; the engine never sees them."""

    def __init__(
        self, engine: Callable[[], EngineView], submit: Submit, target_of: TargetOf
    ) -> None:
        self._engine = engine
        self._submit = submit
        self._target_of = target_of

    async def dial(self, args: DialArgs) -> dict[str, Any]:
        target = self._target_of(args.number)
        agent = self._engine().agents.get(AgentId(args.agent))
        if agent is None:
            raise Refused("unknown_agent", "the plan has no such agent", "agent")
        if agent.status in BUSY:
            raise Refused("agent_busy", f"the agent is {agent.status.value}", "agent")
        if agent.supervises is not None:
            raise Refused("agent_busy", "the agent supervises a talk", "agent")
        if not agent.reachable_now:
            raise Refused("telephone_away", "the agent's telephone cannot be reached", "agent")
        known = {did.number.removeprefix("+") for did in self._engine().plan.dids}
        if args.did and args.did.removeprefix("+") not in known:
            raise Refused("unknown_number", "the plan has no such number of ours", "did")
        if any(call.person == target.person for call in self._engine().calls.values()):
            raise Refused("on_the_line", "we talk with this person, or call him", "number")
        before = agent.call
        did = args.did or None
        await self._submit(DialAsked(agent.id, target.person, target.number_class, args.by, did))
        agent = self._engine().agents.get(agent.id)
        if agent is None or agent.call is None or agent.call == before:
            # Out of the hours in which we may call back whom we owe, or no trunk.
            raise Refused("not_dialled", "this person cannot be dialled now", "number")
        return {"call": agent.call}

    async def transfer(self, args: TransferArgs) -> dict[str, Any]:
        call = _his_call(self._engine(), args.call, args.agent)
        named = [args.to_agent, args.to_queue, args.to_number]
        if sum(bool(one) for one in named) != 1:
            raise Refused("invalid", "one of to_agent, to_queue and to_number", "to_agent")
        if call.state is not CallState.TALKING:
            raise Refused("in_transfer", "the call is being handed over already", "call")
        _check_target(self._engine(), args)
        person = self._target_of(args.to_number).person if args.to_number else None
        count = call.transfer_count
        await self._submit(
            TransferAsked(
                call.id,
                AgentId(args.agent),
                args.attended,
                args.by,
                AgentId(args.to_agent) if args.to_agent else None,
                QueueId(args.to_queue) if args.to_queue else None,
                person,
            )
        )
        left = self._engine().calls.get(call.id)
        if left is None or left.transfer_count == count or left.transfer is None:
            raise Refused("not_transferred", "nobody could be rung for him", "to_agent")
        return {"call": call.id, "state": left.state.value}

    async def complete(self, args: TalkArgs) -> dict[str, Any]:
        call = _in_consult(self._engine(), args)
        await self._submit(TransferCompletionAsked(call.id, args.by))
        return {"call": call.id}

    async def cancel(self, args: TalkArgs) -> dict[str, Any]:
        call = _in_consult(self._engine(), args)
        await self._submit(TransferCancelAsked(call.id, args.by))
        return {"call": call.id}

    async def rejoin(self, args: RejoinArgs) -> dict[str, Any]:
        agent = self._engine().agents.get(AgentId(args.agent))
        if agent is None:
            raise Refused("unknown_agent", "the plan has no such agent", "agent")
        call = self._engine().calls.get(agent.call) if agent.call is not None else None
        his = call is not None and call.won is not None and call.won.agent == agent.id
        talks = call is not None and call.state in (CallState.TALKING, CallState.REJOINING)
        if call is None or not his or not talks or args.call not in ("", call.id):
            raise Refused("no_talk", "the agent has no talk to come back to", "agent")
        await self._submit(RejoinAsked(agent.id))
        return {"call": call.id}


def call_actions(
    engine: Callable[[], EngineView], submit: Submit, target_of: TargetOf
) -> dict[str, Action]:
    calls = CallActions(engine, submit, target_of)
    return supervision_actions(engine, submit) | {
        "call.dial": checked(DialArgs, calls.dial),
        "call.transfer": checked(TransferArgs, calls.transfer),
        "call.transfer.complete": checked(TalkArgs, calls.complete),
        "call.transfer.cancel": checked(TalkArgs, calls.cancel),
        "call.rejoin": checked(RejoinArgs, calls.rejoin),
    }


def _his_call(engine: EngineView, call_id: str, agent: str) -> Call:
    call = engine.calls.get(CallId(call_id))
    if call is None:
        raise Refused("unknown_call", "there is no such call going on", "call")
    if call.won is None or call.won.agent != agent or call.state not in ON_HIS_CALL:
        raise Refused("not_his_call", "the agent does not talk on this call", "agent")
    return call


def _in_consult(engine: EngineView, args: TalkArgs) -> Call:
    call = engine.calls.get(CallId(args.call))
    if call is None:
        raise Refused("unknown_call", "there is no such call going on", "call")
    if args.agent and (call.won is None or call.won.agent != args.agent):
        raise Refused("not_his_call", "the agent does not talk on this call", "agent")
    if call.state is not CallState.CONSULTING:
        raise Refused("no_transfer", "nobody is asked about this call", "call")
    return call


def _check_target(engine: EngineView, args: TransferArgs) -> None:
    if args.to_queue:
        if QueueId(args.to_queue) not in {queue.id for queue in engine.plan.queues}:
            raise Refused("unknown_queue", "the plan has no such queue", "to_queue")
        if args.attended:
            raise Refused("invalid", "a queue cannot be asked first", "attended")
    if args.to_agent:
        target = engine.agents.get(AgentId(args.to_agent))
        if target is None:
            raise Refused("unknown_agent", "the plan has no such agent", "to_agent")
        if not target.free:
            raise Refused("not_free", "this colleague is not free", "to_agent")
