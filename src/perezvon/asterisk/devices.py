"""Which telephones and trunks can be reached: asked of the switch, change by change.

Asked and not subscribed to: with `endpoint:` subscriptions every event of a call comes twice
(measured), and closing `deviceState:` ones can hang the switch (issue 2170).

A trunk is up when its carrier answers OPTIONS (whatever the answer: many refuse it, and live) and,
where we register, holds our registration. What is wrong with one is an alert of its own.
"""

from collections.abc import Collection, Mapping
from typing import TypeAlias

from perezvon.asterisk.pjsip import Telephone, trunk_endpoint
from perezvon.core.events import DeviceChanged, TrunkChanged
from perezvon.core.ids import Duration, Instant, TrunkId
from perezvon.core.plan import Trunk
from perezvon.runtime.alerts import AlertKind, Alerts

Change: TypeAlias = DeviceChanged | TrunkChanged

UNREGISTERED_MS: Duration = 15_000
"""A registration on its way is no alert: at the start, and when it is made anew."""

SILENT = "the carrier does not answer"
REFUSED = "the carrier refuses our registration"
UNREGISTERED = "not registered"


class Devices:
    """Remembers what was told, so that only changes are."""

    def __init__(self, alerts: Alerts | None = None) -> None:
        self._alerts = alerts
        self._phones: Mapping[str, Telephone] = {}
        self._trunks: dict[str, Trunk] = {}
        self._silent: set[TrunkId] = set()
        self._unregistered: dict[TrunkId, str] = {}
        """Trunks without the registration that they should have, and what is the matter."""
        self._pending_since: dict[TrunkId, Instant] = {}
        self._returned: set[str] = set()
        """Trunks that refused us, were silent, and answer again."""
        self._told: dict[Change, None] = {}

    def learn(self, phones: Mapping[str, Telephone], trunks: Collection[Trunk]) -> None:
        """What to look at, by endpoint: telephones of ours, no mobiles."""
        self._phones = phones
        gone = {trunk.id for trunk in self._trunks.values()} - {trunk.id for trunk in trunks}
        self._trunks = {trunk_endpoint(trunk.id): trunk for trunk in trunks}
        for trunk_id in gone:
            self._silent.discard(trunk_id)
            self._unregistered.pop(trunk_id, None)
            self._clear(trunk_id)

    def changes(self, endpoints: object) -> list[Change]:
        """From the answer to GET /endpoints/PJSIP."""
        found: list[Change] = []
        for one in endpoints if isinstance(endpoints, list) else []:
            match one:
                case {"resource": str(name), "state": "online" | "offline" as state}:
                    found += self.endpoint(name, reachable=state == "online")
                case _:
                    pass
        return found

    def endpoint(self, name: str, *, reachable: bool) -> list[Change]:
        """Take what the switch says of one; give what is news."""
        if name in self._trunks:
            trunk = self._trunks[name]
            if reachable:
                if trunk.id in self._silent and trunk.id in self._unregistered:
                    self._returned.add(name)
                self._silent.discard(trunk.id)
            else:
                self._silent.add(trunk.id)
            return self._judge(trunk)
        if name in self._phones:
            agent, device = self._phones[name]
            return self._news(DeviceChanged(agent, reachable, device))
        return []

    @property
    def any_registers(self) -> bool:
        return any(trunk.register for trunk in self._trunks.values())

    def registration(self, name: str, status: str, now: Instant) -> list[Change]:
        """Take what the switch says of one, in its own words; `now` only ever grows."""
        trunk = self._trunks.get(name)
        if trunk is None or not trunk.register:
            return []
        match status:
            case "Registered":
                self._pending_since.pop(trunk.id, None)
                self._unregistered.pop(trunk.id, None)
            case "Rejected" | "Stopped":
                self._unregistered[trunk.id] = REFUSED
            case _:
                since = self._pending_since.setdefault(trunk.id, now)
                if now - since < UNREGISTERED_MS:
                    return []
                self._unregistered.setdefault(trunk.id, UNREGISTERED)
        return self._judge(trunk)

    def take_returned(self) -> list[str]:
        """Trunks whose carrier may take our registration now, each told once."""
        returned, self._returned = sorted(self._returned & self._trunks.keys()), set()
        return returned

    def heard(self, change: Change) -> list[Change]:
        """Take what an event of the switch says; give what is news."""
        if isinstance(change, TrunkChanged):
            return self.endpoint(trunk_endpoint(change.trunk), reachable=change.up)
        if (change.agent, change.device) in self._phones.values():
            return self._news(change)
        return []

    def _news(self, change: Change) -> list[Change]:
        if change in self._told:
            return []
        self._told.pop(_opposite(change), None)
        self._told[change] = None
        return [change]

    def _judge(self, trunk: Trunk) -> list[Change]:
        wrong = SILENT if trunk.id in self._silent else self._unregistered.get(trunk.id, "")
        if self._alerts is not None:
            kind = AlertKind.REGISTRATION_LOST if trunk.register else AlertKind.TRUNK_DOWN
            self._alerts.set(kind, trunk.id, wrong=bool(wrong), detail=wrong)
        return self._news(TrunkChanged(trunk.id, not wrong))

    def _clear(self, trunk_id: TrunkId) -> None:
        if self._alerts is not None:
            self._alerts.clear(AlertKind.REGISTRATION_LOST, trunk_id)
            self._alerts.clear(AlertKind.TRUNK_DOWN, trunk_id)


def _opposite(change: Change) -> Change:
    if isinstance(change, TrunkChanged):
        return TrunkChanged(change.trunk, not change.up)
    return DeviceChanged(change.agent, not change.reachable, change.device)
