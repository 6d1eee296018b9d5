"""Recording of the clients whom we dial: begun before their telephones ring, as for those who call.

A caller's leg is armed by the dialplan. A leg that we make never goes through it, and ARI has no
word for MixMonitor: so the switch is told on its command line. The files are named and filled the
same way (`dialplan.monitor`): nothing is written until he is put through, nor while he hears music.
Whoever he is handed to, it is his leg that is recorded, so a number outside that takes him over
needs no recording of its own. A call goes on without one, should the command line not answer.
"""

import asyncio
import logging
from pathlib import Path

from perezvon.asterisk import console
from perezvon.asterisk.dialplan import monitor
from perezvon.asterisk.translate import CHANNEL_NAME
from perezvon.core.ids import LegId
from perezvon.runtime.recordings import stem_of

ANSWER_S = 2

log = logging.getLogger(__name__)


class Recorder:
    """`directory`: of the command line's socket; without it nothing is recorded."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._tasks: set[asyncio.Task[None]] = set()

    def arm(self, leg: LegId, channel_name: str) -> None:
        """Once for each leg: begun twice, the second would write over the first."""
        if self._directory is None or CHANNEL_NAME.fullmatch(channel_name) is None:
            return
        command = f"mixmonitor start {channel_name} {monitor(stem_of(leg))}"
        task = asyncio.create_task(self._arm(self._directory, leg, command), name="recorder")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _arm(self, directory: Path, leg: LegId, command: str) -> None:
        try:
            await console.ask(directory, command, timeout_s=ANSWER_S)
        except console.NoAnswer as error:
            log.warning("not recorded", extra={"leg": leg, "error": str(error)})
