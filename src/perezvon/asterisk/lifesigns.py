"""Life signs that ARI does not give: registrations with carriers, and telephones that ring.

A telephone that died while it rang says nothing, and its offer would ring on for nobody. So each
ringing one is asked (OPTIONS) every `PROBE_MS`; without an answer for `QUALIFY_RINGING_S` the
switch calls it unreachable, and tells at once.
"""

import asyncio
from collections.abc import Callable

from perezvon.asterisk import ami
from perezvon.asterisk.book import Book
from perezvon.asterisk.devices import Change, Devices
from perezvon.core.ids import SECOND, AgentId, Duration, Instant

PROBE_MS: Duration = 400
PROBES_MAX = 10
"""Telephones asked at a time, the longest unasked first: with more that ring it takes longer to
find a dead one, and matters less."""

REGISTRATIONS_EVERY = 12
"""Periods of `PROBE_MS` between two questions after the registrations."""

UNREACHABLE = frozenset({"Unreachable", "Unregistered"})
REACHABLE = frozenset({"Reachable", "Registered"})


class LifeSigns:
    """Nothing without a manager interface: then the polls of `upkeep` are all there is."""

    def __init__(
        self,
        address: ami.Address | None,
        book: Book,
        devices: Devices,
        *,
        tell: Callable[[Change], None],
    ) -> None:
        self._book = book
        self._devices = devices
        self._tell = tell
        self._asked_at: dict[AgentId, float] = {}
        self._task: asyncio.Task[None] | None = None
        self._ami = (
            ami.Ami(address, on_event=self._hear, on_link=self._ask_registrations)
            if address is not None
            else None
        )

    def start(self) -> None:
        if self._ami is not None:
            self._ami.start()
            self._task = asyncio.create_task(self._run(self._ami), name="life-signs")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._ami is not None:
            await self._ami.stop()

    async def _run(self, manager: ami.Ami) -> None:
        periods = 0
        while True:
            await asyncio.sleep(PROBE_MS / SECOND)
            periods += 1
            self._probe(manager)
            if periods % REGISTRATIONS_EVERY == 0:
                self._ask_registrations()

    def _probe(self, manager: ami.Ami) -> None:
        ringing = {
            leg.agent
            for leg in self._book
            if leg.agent is not None and leg.rang and not leg.answered and not leg.withdrawn
        }
        self._asked_at = {agent: at for agent, at in self._asked_at.items() if agent in ringing}
        now = asyncio.get_running_loop().time()
        longest_unasked = sorted(ringing, key=lambda agent: (self._asked_at.get(agent, 0.0), agent))
        for agent in longest_unasked[:PROBES_MAX]:
            self._asked_at[agent] = now
            manager.send("PJSIPQualify", Endpoint=agent)

    def _ask_registrations(self) -> None:
        if self._ami is not None:
            self._ami.send("PJSIPShowRegistrationsOutbound")

    def _hear(self, event: ami.Block) -> None:
        match event.get("Event"):
            case "Registry":
                self._ask_registrations()
            case "OutboundRegistrationDetail":
                self._tell_all(self._devices.registration(event, self._now()))
            case "PeerStatus":
                self._hear_of(event.get("Peer", ""), event.get("PeerStatus", ""))
            case _:
                pass

    def _hear_of(self, peer: str, status: str) -> None:
        name = peer.removeprefix("PJSIP/")
        if status not in REACHABLE | UNREACHABLE:
            return
        reachable = status in REACHABLE
        if reachable and self._devices.is_refused(name) and self._ami is not None:
            # The carrier is back: the switch's own next try may be half a minute away.
            self._ami.send("PJSIPRegister", Registration=name)
        self._tell_all(self._devices.endpoint(name, reachable=reachable))

    def _tell_all(self, changes: list[Change]) -> None:
        for change in changes:
            self._tell(change)

    def _now(self) -> Instant:
        return int(asyncio.get_running_loop().time() * SECOND)
