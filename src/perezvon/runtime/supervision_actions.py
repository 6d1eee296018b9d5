"""What a supervisor may ask of a talk: to hear it, in another mode, no more."""

from collections.abc import Callable
from typing import Any

from perezvon.core.commands import SupervisionMode
from perezvon.core.events import SuperviseAsked, SuperviseEndAsked
from perezvon.core.ids import AgentId, CallId
from perezvon.core.plan import DeviceKind
from perezvon.core.supervision import BUSY, SUPERVISORS_MAX, WITH_AGENT
from perezvon.runtime.actions import Args, Name, Submit, Text, checked
from perezvon.runtime.board import EngineView
from perezvon.runtime.local import Action, Refused


class SuperviseArgs(Args, frozen=True):
    """`call.supervise`."""

    call: Name
    supervisor: Name
    mode: SupervisionMode
    by: Name


class SuperviseEndArgs(Args, frozen=True):
    """`call.supervise.end`; `call`: only if it is this one."""

    supervisor: Name
    by: Name
    call: Text = ""


def supervision_actions(engine: Callable[[], EngineView], submit: Submit) -> dict[str, Action]:
    async def supervise(args: SuperviseArgs) -> dict[str, Any]:
        _check(engine(), args)
        supervisor, call = AgentId(args.supervisor), CallId(args.call)
        await submit(SuperviseAsked(call, supervisor, args.mode, args.by))
        one = engine().supervisions.of(supervisor)
        if one is None or one.call != call:
            raise Refused("no_talk", "the talk is over, or he has got a call", "call")
        return {"call": args.call, "supervisor": args.supervisor, "mode": one.mode.value}

    async def end(args: SuperviseEndArgs) -> dict[str, Any]:
        one = engine().supervisions.of(AgentId(args.supervisor))
        if one is None or args.call not in ("", one.call):
            raise Refused("no_supervision", "he does not supervise this call", "supervisor")
        await submit(SuperviseEndAsked(AgentId(args.supervisor), args.by))
        return {"supervisor": args.supervisor}

    return {
        "call.supervise": checked(SuperviseArgs, supervise),
        "call.supervise.end": checked(SuperviseEndArgs, end),
    }


def _check(engine: EngineView, args: SuperviseArgs) -> None:
    call = engine.calls.get(CallId(args.call))
    if call is None:
        raise Refused("unknown_call", "there is no such call going on", "call")
    supervisor = engine.agents.get(AgentId(args.supervisor))
    known = next((one for one in engine.plan.agents if one.id == args.supervisor), None)
    if supervisor is None or known is None:
        raise Refused("unknown_agent", "the plan has no such agent", "supervisor")
    if call.state not in WITH_AGENT:
        raise Refused("no_talk", "nobody talks on this call", "call")
    one = engine.supervisions.of(supervisor.id)
    if one is not None:
        if one.call != call.id:
            raise Refused("agent_busy", "he supervises another call", "supervisor")
        return
    if supervisor.status in BUSY:
        raise Refused("agent_busy", f"he is {supervisor.status.value}", "supervisor")
    if (supervisor.device or known.device) is DeviceKind.MOBILE:
        raise Refused("no_telephone", "a mobile cannot supervise", "supervisor")
    if sum(other.call == call.id for other in engine.supervisions) >= SUPERVISORS_MAX:
        raise Refused("too_many", f"{SUPERVISORS_MAX} supervise this call already", "call")
