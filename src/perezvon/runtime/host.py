"""The engine process: the loop, and the few tasks that keep it honest.

- the lease is kept up, whatever the switch does;
- the heartbeat tells the dialplan that switch, loop and store all work; without it new callers
  go to the fallback;
- the refresh keeps the dead-man of each caller who waits;
- the link to the switch is made, and looked after;
- the second witness is read;
- the watch looks whether loop, clock and store are well;
- the board is told to followers.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

import structlog

from perezvon.core.call import Call, CallState
from perezvon.core.engine import Engine
from perezvon.core.events import Event
from perezvon.core.facts import Status
from perezvon.core.ids import SECOND, Duration, LegId
from perezvon.runtime.alerts import AlertKind, Alerts
from perezvon.runtime.board import BOARD_PERIOD_MS, Feed, Who, board, nobody
from perezvon.runtime.lease import RENEW_MS, Lease
from perezvon.runtime.local import LocalServer
from perezvon.runtime.loop import InboxFull, Loop, Poisoned
from perezvon.runtime.ports import LeaseLost, Switch, Unavailable, Witness
from perezvon.runtime.reconcile import WITNESS_MS, Reconciler
from perezvon.runtime.switch_watch import SwitchWatch
from perezvon.runtime.watch import Watch

log = structlog.get_logger("host")

HEARTBEAT_MS: Duration = 1 * SECOND
PROOF_MS: Duration = 1 * SECOND
"""A commit that takes longer proves nothing: on a disk that is always so slow callers would get
in and then wait for each step of theirs. One slow commit does no harm, the guard allows for it."""
POISONED_MAX = 3
"""So many poison events in ten minutes: something is wrong beyond one event."""
HALT_MS: Duration = 600 * SECOND
"""How long we then leave callers to the fallback before we try again."""

CLIENT_WAITS = frozenset(
    {
        CallState.GREETING,
        CallState.WAITING,
        CallState.CLOSING,
        CallState.TRANSFERRING,
        CallState.CONSULTING,
        CallState.REJOINING,
    }
)
AGENT_WAITS = frozenset({CallState.BRIEFING, CallState.DIALLING})


@dataclass(slots=True)
class Health:
    beats: int = 0
    beating: bool = False
    halted: bool = False


class Host:
    """Runs one engine until `stop`. `run` returns the exit status."""

    def __init__(
        self,
        loop: Loop,
        switch: Switch,
        server: LocalServer,
        feed: Feed,
        *,
        witness: Witness | None,
        refresh_ms: Duration,
        alerts: Alerts,
        lease: Lease,
        on_lease_lost: Callable[[], None] = lambda: None,
        who: Who = nobody,
    ) -> None:
        """`on_lease_lost` may end the process at once; otherwise `run` goes on to its end."""
        self.health = Health()
        self._loop = loop
        self._switch = switch
        self._server = server
        self._feed = feed
        self._witness = witness
        self._refresh_ms = refresh_ms
        self._who = who
        self.alerts = alerts
        self._lease = lease
        self._on_lease_lost = on_lease_lost
        self._watch = Watch(loop, alerts)
        self._switch_watch = SwitchWatch(
            switch, alerts, lambda: loop.engine.state.switch_started_at
        )
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        self._stopped.set()
        self._loop.stop()

    async def run(self) -> int:
        turning = asyncio.create_task(self._loop.run(), name="loop")
        beside: list[asyncio.Task[None]] = []
        try:
            await self._server.start()
            beside = [asyncio.create_task(each) for each in self._tasks()]
            await asyncio.wait({turning, *beside}, return_when=asyncio.FIRST_COMPLETED)
            for task in beside:
                if task.done():
                    task.result()
            return await self._end_of(turning)
        except LeaseLost as lost:
            log.critical("lease_lost", reason=str(lost))
            self._on_lease_lost()
            return 1
        finally:
            for task in (*beside, turning):
                task.cancel()
            await asyncio.gather(*beside, turning, return_exceptions=True)
            await self._server.stop()
            await self._switch.stop()

    async def _end_of(self, turning: asyncio.Task[None]) -> int:
        try:
            await turning
        except Poisoned as poisoned:
            if poisoned.times >= POISONED_MAX:
                await self._halt()
            return 1
        except InboxFull:
            log.exception("inbox_full")
            return 1
        return 0

    async def _halt(self) -> None:
        """Too many poison events: callers stay in the fallback, and somebody has to look."""
        self.health.halted, self.health.beating = True, False
        self.alerts.raise_(AlertKind.ENGINE_HALTED, "", "see poison_event in the log")
        log.critical("halted", for_ms=HALT_MS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HALT_MS / 1_000):
                await self._stopped.wait()

    def _tasks(self) -> list[Coroutine[None, None, None]]:
        tasks = [self._keep_lease(), self._link(), self._beat(), self._refresh(), self._tell()]
        tasks += [self._watch.run(), self._switch_watch.run()]
        if self._witness is not None:
            tasks.append(self._reconcile(Reconciler(self._witness, self._loop, self.alerts)))
        return tasks

    async def _link(self) -> None:
        # Beside all else: while there is no switch, one can ask us what is wrong, and stop us.
        await self._switch.start(self._hear)
        await self._stopped.wait()

    def _hear(self, event: Event) -> None:
        self._switch_watch.hear(event)
        self._loop.put(event)

    async def _every(
        self, period_ms: Duration, act: Callable[[], Coroutine[None, None, None]]
    ) -> None:
        while not self._stopped.is_set():
            await act()
            await asyncio.sleep(period_ms / 1_000)

    async def _keep_lease(self) -> None:
        await self._every(RENEW_MS, self._renew)

    async def _renew(self) -> None:
        # Not left to the heartbeat: it proves nothing while there is no link, and without a lease
        # no link is made.
        if self._lease.age_ms >= RENEW_MS / 2:
            with contextlib.suppress(Unavailable):
                await self._prove()
        self.alerts.set(AlertKind.LEASE_LOST, "", wrong=not self._lease.held())

    async def _beat(self) -> None:
        # The first beat right after the first audit: callers are in the fallback until it comes.
        await self._loop.audited.wait()
        await self._every(HEARTBEAT_MS, self._beat_once)

    async def _beat_once(self) -> None:
        loop = self._loop
        alive = loop.durable and not self.health.halted
        beaten = alive and await self._switch.heartbeat(self._prove)
        if beaten != self.health.beating:
            log.warning("heartbeat", beating=beaten, durable=loop.durable)
        self.health.beating = beaten
        self.alerts.set(AlertKind.GUARD_DOWN, "", wrong=not beaten)
        self.health.beats += beaten

    async def _prove(self) -> None:
        # The same thread that commits: a stalled disk stalls the proof, and so the heartbeat.
        try:
            async with asyncio.timeout(PROOF_MS / 1_000):
                await self._loop.prove()
        except TimeoutError as late:
            raise Unavailable("the journal is slow") from late

    async def _refresh(self) -> None:
        await self._every(self._refresh_ms, self._refresh_once)

    async def _refresh_once(self) -> None:
        # Who waits for an engine that is halted would hear music until it goes on.
        if self._loop.keeps_up and not self.health.halted:
            waiting, talking = _whom_to_protect(self._loop.engine)
            self._switch.protect(waiting, talking)

    async def _reconcile(self, reconciler: Reconciler) -> None:
        await self._loop.audited.wait()
        await self._every(WITNESS_MS, reconciler.read)

    async def _tell(self) -> None:
        await self._every(BOARD_PERIOD_MS, self._tell_once)

    async def _tell_once(self) -> None:
        self._look_at_telephones()
        shown = board(self._loop.engine, self._loop.now, self._who, self.alerts)
        shown.sections["guard"]["engine"]["beating"] = self.health.beating
        self._feed.publish(shown)

    def _look_at_telephones(self) -> None:
        agents = self._loop.engine.agents
        away = {
            str(agent.id)
            for agent in agents.values()
            if not agent.reachable_now and agent.status is not Status.SIGNED_OUT
        }
        for alert in self.alerts:
            if alert.kind is AlertKind.PHONE_AWAY and alert.about not in away:
                self.alerts.clear(alert.kind, alert.about)
        for agent_id in sorted(away):
            self.alerts.raise_(AlertKind.PHONE_AWAY, agent_id)


def _whom_to_protect(engine: Engine) -> tuple[list[LegId], list[LegId]]:
    """Give the legs that wait for us, and those that talk: each has its own dead-man."""
    waiting: list[LegId] = []
    talking: list[LegId] = []
    for call in engine.calls.values():
        if call.state in CLIENT_WAITS and call.client is not None:
            waiting.append(call.client)
            if call.state is CallState.CONSULTING:
                talking += _who_consult(call)
        elif call.state in AGENT_WAITS and call.won is not None:
            waiting.append(call.won.leg)
        elif call.state is CallState.TALKING and call.client is not None and call.won is not None:
            talking += (call.client, call.won.leg)
        elif call.state is CallState.OUTSIDE and call.client is not None:
            talking += (call.client, *_who_consult(call))
    return waiting, talking


def _who_consult(call: Call) -> list[LegId]:
    """An agent and whom he asks; or to whom the client was handed over."""
    legs = [] if call.won is None else [call.won.leg]
    transfer = call.transfer
    if transfer is not None and transfer.taken is not None:
        legs.append(transfer.taken.leg)
    if transfer is not None and transfer.outside_up and transfer.outside is not None:
        legs.append(transfer.outside)
    return legs
