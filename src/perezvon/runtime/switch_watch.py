"""Looks whether there is a link to the switch, and whether it is still the same one behind it."""

import asyncio
from collections.abc import Callable
from typing import Final

from perezvon.core.events import Event, Resynced
from perezvon.core.ids import SECOND, Duration, Instant
from perezvon.runtime.alerts import AlertKind, Alerts
from perezvon.runtime.ports import Switch

LOOK_MS: Final[Duration] = 250
AWAY_MS: Final[Duration] = 2 * SECOND
"""A link that is made anew sooner costs nobody anything."""


class SwitchWatch:
    """`started_at`: of the switch at the last audit that was decided on, as the engine knows it."""

    def __init__(
        self, switch: Switch, alerts: Alerts, started_at: Callable[[], Instant | None]
    ) -> None:
        self._switch = switch
        self._alerts = alerts
        self._started_at = started_at

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        linked_at = loop.time()
        while True:
            if self._switch.linked:
                linked_at = loop.time()
            away = (loop.time() - linked_at) * SECOND >= AWAY_MS
            self._alerts.set(AlertKind.SWITCH_AWAY, "", wrong=away)
            await asyncio.sleep(LOOK_MS / SECOND)

    def hear(self, event: Event) -> None:
        """Before it is decided on."""
        if not isinstance(event, Resynced) or event.switch_started_at is None:
            return
        before = self._started_at()
        if before not in {None, event.switch_started_at}:
            self._alerts.note(AlertKind.SWITCH_RESTARTED, "", "its calls are gone")
