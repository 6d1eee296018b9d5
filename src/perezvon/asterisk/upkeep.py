"""What is looked after between the calls: who can be reached, and what nobody answers for.

An event that never came must not leave a phone ringing or a caller in silence: now and then what
the switch has is compared with the book.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

from perezvon.asterisk.ari import Ari, LinkError, part
from perezvon.asterisk.audit import Found
from perezvon.asterisk.book import Book
from perezvon.asterisk.credentials import Credentials
from perezvon.asterisk.devices import Change, Devices
from perezvon.asterisk.dialling import Dialling
from perezvon.core.events import LegSeen
from perezvon.core.ids import SECOND, LegId
from perezvon.runtime.alerts import AlertKind, Alerts

PERIOD_MS = 1 * SECOND
SWEEP_EVERY = 10
"""Periods between two looks at all that is there."""

STRAY_MS = 10 * SECOND
"""Younger ones may just be on their way into the book, or out of it."""

log = logging.getLogger(__name__)

_Name = TypeVar("_Name", bound=str)


class Upkeep:
    """`adopt` is given what is on the switch and in no book of ours."""

    def __init__(
        self,
        ari: Ari,
        book: Book,
        dialling: Dialling,
        devices: Devices,
        *,
        audit: Callable[[], Awaitable[Found]],
        tell: Callable[[Change], None],
        adopt: Callable[[LegSeen], None],
        alerts: Alerts | None = None,
    ) -> None:
        self.credentials = Credentials(ari)
        self._ari = ari
        self._book = book
        self._dialling = dialling
        self._devices = devices
        self._audit = audit
        self._tell = tell
        self._adopt = adopt
        self._alerts = alerts
        self._strays: Mapping[LegId, float] = {}
        self._empty: Mapping[str, float] = {}
        """Bridges in which nobody is, and since when."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="switch-upkeep")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        periods = 0
        while True:
            if self._ari.linked:
                periods += 1
                self.credentials.tend()
                await self._look_at_devices()
                if periods % SWEEP_EVERY == 0:
                    await self._sweep()
            await asyncio.sleep(PERIOD_MS / SECOND)

    async def _look_at_devices(self) -> None:
        endpoints = await self._ari.listing("endpoints/PJSIP")
        if endpoints.ok and self._ari.linked:
            for change in self._devices.changes(endpoints.body):
                self._tell(change)

    async def _sweep(self) -> None:
        try:
            found = await self._audit()
        except LinkError:
            return
        if not self._ari.linked:
            return
        there = {seen.leg: seen for seen in found.legs}
        for leg in self._book:
            if leg.id not in there and leg.channel == leg.id:
                # Not by this listing, which is older than some legs: by a question of its own.
                self._dialling.look(leg)
        self._strays = _since(
            self._strays, (leg for leg in there if self._book.on_channel(leg) is None)
        )
        self._empty = _since(self._empty, found.empty_bridges)
        legs, bridges = _old(self._strays), _old(self._empty)
        for leg_id in legs:
            self._adopt(there[leg_id])
        for bridge in bridges:
            self._ari.submit("DELETE", f"bridges/{part(bridge)}")
        if legs or bridges:
            log.warning("swept", extra={"legs": legs, "bridges": bridges})
            if self._alerts is not None:
                swept = f"{len(legs)} legs and {len(bridges)} bridges that nobody answered for"
                self._alerts.note(AlertKind.STRAY_LEG, "", swept)


def _since(before: Mapping[_Name, float], names: Iterable[_Name]) -> dict[_Name, float]:
    """Since when each is there, by the loop's clock."""
    now = asyncio.get_running_loop().time()
    return {name: before.get(name, now) for name in names}


def _old(since: Mapping[_Name, float]) -> list[_Name]:
    """Those that were there at the look before too, and for long enough."""
    now = asyncio.get_running_loop().time()
    return [name for name, at in since.items() if (now - at) * SECOND >= STRAY_MS]
