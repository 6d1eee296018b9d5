"""Where a party is rung: from an agent or a person to an endpoint and what it is shown.

Follows the plan. An endpoint's name is made of checked parts only.
"""

from contextlib import suppress
from dataclasses import dataclass, field

from perezvon.asterisk import conf
from perezvon.asterisk.dialling import headers, shows, through
from perezvon.asterisk.pjsip import phone_endpoint
from perezvon.core.commands import DialClient, RingAgent
from perezvon.core.events import EndCause
from perezvon.core.ids import AgentId, CallId, PersonId, TrunkId
from perezvon.core.plan import Agent, DeviceKind, Plan, Trunk
from perezvon.runtime.ports import Directory, Unavailable

SHOWN_CALLBACK = {"ru": "Перезвон {clock}", "en": "Call-back {clock}"}


@dataclass(frozen=True, slots=True)
class Address:
    endpoint: str
    """As the switch dials it."""
    variables: dict[str, str] = field(default_factory=dict)
    """Of the channel: what the party's display shows, what our telephone is told."""
    telephone: str = ""
    """Name of the endpoint, when it is a telephone of ours."""


class Addresses:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._agents: dict[AgentId, Agent] = {}
        self._trunks: dict[TrunkId, Trunk] = {}
        self._shown_callback = SHOWN_CALLBACK["en"]

    def learn_plan(self, plan: Plan) -> None:
        self._agents = {agent.id: agent for agent in plan.agents}
        self._trunks = {trunk.id: trunk for trunk in plan.trunks}
        self._shown_callback = SHOWN_CALLBACK.get(plan.language, SHOWN_CALLBACK["en"])

    def of_agent(self, command: RingAgent) -> Address | None:
        """None when he cannot be rung: he has left the plan, or its trunk has."""
        number, name = self._shown(command.person)
        if command.callback_clock:
            name = self._shown_callback.format(clock=command.callback_clock)
        return self.of_device(
            command.agent, command.device, command.call, auto=command.auto, shown=(number, name)
        )

    def of_device(
        self,
        agent_id: AgentId,
        device: DeviceKind | None,
        call: CallId,
        *,
        auto: bool,
        shown: tuple[str, str] = ("", ""),
    ) -> Address | None:
        """The device of an agent; None: his own. `shown`: number and name of the other party."""
        agent = self._agents.get(agent_id)
        if agent is None:
            return None
        kind = agent.device if device is None else device
        if kind is not DeviceKind.MOBILE:
            name = phone_endpoint(agent, kind)
            return Address(f"PJSIP/{name}", shows(*shown) | headers(call, auto=auto), name)
        trunk = self._trunks.get(agent.trunk) if agent.trunk is not None else None
        endpoint = through(trunk, agent.number) if trunk is not None else None
        return Address(endpoint, shows(*shown)) if endpoint is not None else None

    def of_client(self, command: DialClient) -> Address | EndCause:
        """Or why he cannot be called."""
        trunk = self._trunks.get(command.trunk)
        try:
            number = self._directory.number_of(command.person)
        except Unavailable:
            trunk = number = None  # nobody is called by it, and no attempt is used up
        if trunk is None:
            return EndCause.TRUNK_FAILED
        endpoint = through(trunk, number) if number else None
        return Address(endpoint, shows(command.did, "")) if endpoint else EndCause.BAD_NUMBER

    def _shown(self, person: PersonId | None) -> tuple[str, str]:
        # Better an offer that shows nobody than none, should the database be away.
        if person is not None:
            with suppress(Unavailable):
                number = self._directory.number_of(person) or ""
                return number, conf.shown(self._directory.name_of(person))
        return "", ""
