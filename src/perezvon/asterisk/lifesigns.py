"""Life signs that ARI does not give: registrations with carriers, and telephones that ring.

A telephone that died while it rang says nothing, and its offer would ring on for nobody. So each
ringing one is asked (OPTIONS) every `PROBE_MS`. Without an answer within
`pjsip.QUALIFY_PHONE_TIMEOUT_S` the switch calls it unreachable, and we look just then.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from perezvon.asterisk import console
from perezvon.asterisk.ari import part
from perezvon.asterisk.book import Book
from perezvon.asterisk.devices import Change, Devices
from perezvon.asterisk.errands import Errands
from perezvon.asterisk.pjsip import QUALIFY_PHONE_TIMEOUT_S
from perezvon.asterisk.replies import Reply
from perezvon.core.ids import SECOND, Duration, Instant

PROBE_MS: Duration = 350
PROBES_MAX = 10
"""Telephones asked at a time, the longest unasked first: with more that ring it takes longer to
find a dead one, and matters less."""

JUDGED_MS: Duration = 30
"""So long after the last moment for an answer the switch has drawn its conclusion."""

REGISTRATIONS_EVERY = 14
"""Periods of `PROBE_MS` between two questions after the registrations."""

ANSWER_S = 2
"""For the command line, which answers at once."""

REGISTRATION = re.compile(
    r"^\s*(?P<name>[^\s/]+)/\S.*\s(?P<status>[A-Z][a-z]+)\s*(?:\(exp\. [^)]*\))?\s*$", re.MULTILINE
)
"""A line of `pjsip show registrations`: name/URI, auth, status, and when it ends."""

log = logging.getLogger(__name__)


class LifeSigns:
    """`directory`: of the command line's socket. None: the polls of `upkeep` are all there is."""

    def __init__(
        self,
        directory: Path | None,
        errands: Errands,
        book: Book,
        devices: Devices,
        tell: Callable[[Change], None],
    ) -> None:
        self._directory = directory
        self._errands = errands
        self._book = book
        self._devices = devices
        self._tell = tell
        self._asked_at: dict[str, float] = {}
        """Of those that ring, when each was asked last."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._directory is not None:
            self._task = asyncio.create_task(self._run(self._directory), name="life-signs")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, directory: Path) -> None:
        periods = 0
        while True:
            await asyncio.sleep(PROBE_MS / SECOND)
            if not self._errands.linked:
                continue
            try:
                await self._probe(directory)
                if periods % REGISTRATIONS_EVERY == 0:
                    await self._look_at_registrations(directory)
            except console.NoAnswer as error:
                log.info("no life signs", extra={"error": str(error)})
            periods += 1

    async def _probe(self, directory: Path) -> None:
        ringing = {
            leg.telephone
            for leg in self._book
            if leg.telephone and leg.rang and not leg.answered and not leg.withdrawn
        }
        self._asked_at = {name: at for name, at in self._asked_at.items() if name in ringing}
        loop = asyncio.get_running_loop()
        longest_unasked = sorted(ringing, key=lambda name: (self._asked_at.get(name, 0.0), name))
        asked = longest_unasked[:PROBES_MAX]
        self._asked_at |= dict.fromkeys(asked, loop.time())
        commands = [f"pjsip qualify {name}" for name in asked]
        # A carrier that is back: the switch's own next try may be half a minute away.
        commands += [f"pjsip send register {name}" for name in self._devices.take_returned()]
        await console.ask(directory, *commands, timeout_s=ANSWER_S)
        for name in asked:
            loop.call_later(QUALIFY_PHONE_TIMEOUT_S + JUDGED_MS / SECOND, self._look, name)

    def _look(self, name: str) -> None:
        if name in self._asked_at:
            self._errands.send(
                "GET",
                f"endpoints/PJSIP/{part(name)}",
                still=lambda: name in self._asked_at,
                then=self._looked,
            )

    def _looked(self, reply: Reply) -> None:
        if reply.ok:
            self._tell_all(self._devices.changes([reply.body]))

    async def _look_at_registrations(self, directory: Path) -> None:
        if not self._devices.any_registers:
            return
        _, text = await console.ask(directory, "pjsip show registrations", timeout_s=ANSWER_S)
        now: Instant = int(asyncio.get_running_loop().time() * SECOND)
        for name, status in read_registrations(text):
            self._tell_all(self._devices.registration(name, status, now))

    def _tell_all(self, changes: list[Change]) -> None:
        for change in changes:
            self._tell(change)


def read_registrations(text: str) -> Iterator[tuple[str, str]]:
    """Name and status of each; a line that is none is passed over."""
    for line in REGISTRATION.finditer(text):
        yield line["name"], line["status"]
