"""What the web process asks of the engine for telephones on pages: their passwords."""

from typing import Any

from perezvon.asterisk.credentials import Credentials
from perezvon.asterisk.pjsip import browser_endpoint
from perezvon.asterisk.switch import AsteriskSwitch
from perezvon.core.ids import AgentId
from perezvon.runtime.actions import PhoneArgs, checked
from perezvon.runtime.local import Action, Refused
from perezvon.runtime.loop import Loop
from perezvon.runtime.ports import Switch


def phone_actions(loop: Loop, switch: Switch) -> dict[str, Action]:
    def asked(args: PhoneArgs) -> tuple[Credentials, str]:
        agents = {agent.id: agent for agent in loop.engine.plan.agents}
        agent = agents.get(AgentId(args.agent))
        if agent is None:
            raise Refused("unknown_agent", "the plan has no such agent", "agent")
        endpoint = browser_endpoint(agent)
        if endpoint is None or not isinstance(switch, AsteriskSwitch):
            raise Refused("no_phone", "this agent has no telephone in the browser", "agent")
        return switch.credentials, endpoint

    async def give(args: PhoneArgs) -> dict[str, Any]:
        credentials, endpoint = asked(args)
        given = await credentials.give(endpoint)
        return {
            "username": given.username,
            "password": given.password,
            "expires_at": given.expires_at,
        }

    async def forget(args: PhoneArgs) -> dict[str, Any]:
        credentials, endpoint = asked(args)
        credentials.forget(endpoint)
        return {}

    return {
        "phone.credentials": checked(PhoneArgs, give),
        "phone.forget": checked(PhoneArgs, forget),
    }
