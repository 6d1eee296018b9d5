"""Alerts of `perezvon up` on their way to the engine, which logs, counts and shows them.

`up` sees what the engine cannot: that it ended itself, that Asterisk hangs. Those alerts are handed
over in order and kept until the engine has taken them; an engine that starts anew is told again of
what is still so.
"""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from perezvon.core.ids import SECOND, Duration
from perezvon.runtime.alerts import AlertKind
from perezvon.runtime.local import Refused, ask
from perezvon.runtime.ports import Unavailable
from perezvon.runtime.supervisor import Happening, What

KEPT_MAX: Final = 100
"""Of an engine that does not come back the oldest are dropped: `up` told each on its screen."""

STORM_S: Final = 600
"""Over so long the ends of the engine are counted."""

AGAIN_MS: Final[Duration] = 500


class Act(StrEnum):
    """The engine's actions."""

    RAISE = "alert.raise"
    NOTE = "alert.note"
    CLEAR = "alert.clear"


@dataclass(frozen=True, slots=True)
class _Letter:
    act: Act
    kind: AlertKind
    about: str
    detail: str


class AlertPost:
    """Put from the event loop's thread; `run` delivers until it is cancelled."""

    def __init__(self, engine_socket: Path) -> None:
        self._socket = engine_socket
        self._letters: deque[_Letter] = deque(maxlen=KEPT_MAX)
        self._open: dict[tuple[AlertKind, str], _Letter] = {}
        self._engine_ends: deque[float] = deque(maxlen=KEPT_MAX)
        self._woken = asyncio.Event()

    def happened(self, happening: Happening) -> None:
        """What a supervised program did, as alerts."""
        match happening.name, happening.what:
            case "asterisk", What.HUNG:
                detail = f"silent: {happening.detail}"
                self.raise_(AlertKind.SWITCH_HUNG, "asterisk", detail)
            case "asterisk", What.READY:
                self.clear(AlertKind.SWITCH_HUNG, "asterisk")
            case "engine", What.ENDED:
                times = self._count_end()
                detail = f"{happening.detail}; {times} in {STORM_S // 60} minutes"
                self.note(AlertKind.ENGINE_RESTARTED, "engine", detail)
            case "engine", What.READY:
                self.repeat()
            case _:
                pass

    def raise_(self, kind: AlertKind, about: str, detail: str) -> None:
        letter = self._open[kind, about] = _Letter(Act.RAISE, kind, about, detail)
        self._put(letter)

    def note(self, kind: AlertKind, about: str, detail: str) -> None:
        self._put(_Letter(Act.NOTE, kind, about, detail))

    def clear(self, kind: AlertKind, about: str) -> None:
        if self._open.pop((kind, about), None) is not None:
            self._put(_Letter(Act.CLEAR, kind, about, ""))

    def repeat(self) -> None:
        """A new engine is there, and knows nothing of what was raised."""
        for letter in self._open.values():
            self._put(letter)

    async def run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._letters:
                # It stays in its place until it is delivered: its turn comes first again.
                letter = self._letters[0]
                if not await self._delivered(letter):
                    await asyncio.sleep(AGAIN_MS / SECOND)
                elif self._letters and self._letters[0] is letter:
                    self._letters.popleft()

    def _count_end(self) -> int:
        now = time.monotonic()
        self._engine_ends.append(now)
        while now - self._engine_ends[0] > STORM_S:
            self._engine_ends.popleft()
        return len(self._engine_ends)

    def _put(self, letter: _Letter) -> None:
        self._letters.append(letter)
        self._woken.set()

    async def _delivered(self, letter: _Letter) -> bool:
        args = {"kind": letter.kind.value, "about": letter.about, "detail": letter.detail}
        try:
            await ask(self._socket, letter.act.value, args)
        except Unavailable:
            return False
        except Refused:
            pass  # by an engine of another version: it will not take it the next time either
        return True
