"""Which telephones and trunks can be reached: asked of the switch, change by change.

Asked and not subscribed to: with `endpoint:` subscriptions every event of a call comes twice
(measured), and closing `deviceState:` ones can hang the switch (issue 2170).
"""

from collections.abc import Collection
from typing import TypeAlias

from perezvon.asterisk.pjsip import trunk_endpoint
from perezvon.core.events import DeviceChanged, TrunkChanged
from perezvon.core.ids import AgentId, TrunkId

Change: TypeAlias = DeviceChanged | TrunkChanged


class Devices:
    """Remembers what was told, so that only changes are."""

    def __init__(self) -> None:
        self._agents: frozenset[AgentId] = frozenset()
        self._trunks: dict[str, TrunkId] = {}
        self._told: dict[Change, None] = {}

    def learn(self, agents: Collection[AgentId], trunks: Collection[TrunkId]) -> None:
        """Whom to look at: agents with a telephone of ours, not those with a mobile."""
        self._agents = frozenset(agents)
        self._trunks = {trunk_endpoint(trunk): trunk for trunk in trunks}

    def changes(self, endpoints: object) -> list[Change]:
        """From the answer to GET /endpoints/PJSIP."""
        found: list[Change] = []
        for one in endpoints if isinstance(endpoints, list) else []:
            match one:
                case {"resource": str(name), "state": "online" | "offline" as state}:
                    found += self._about(name, reachable=state == "online")
                case _:
                    pass
        return [change for change in found if self.is_news(change)]

    def is_news(self, change: Change) -> bool:
        """Note it; False when it was told before."""
        if change in self._told:
            return False
        self._told.pop(_opposite(change), None)
        self._told[change] = None
        return True

    def _about(self, name: str, *, reachable: bool) -> list[Change]:
        if name in self._trunks:
            return [TrunkChanged(self._trunks[name], reachable)]
        if name in self._agents:
            return [DeviceChanged(AgentId(name), reachable)]
        return []


def _opposite(change: Change) -> Change:
    if isinstance(change, TrunkChanged):
        return TrunkChanged(change.trunk, not change.up)
    return DeviceChanged(change.agent, not change.reachable)
