"""How a supervisor hears a talk: a tap on the agent's channel, in a bridge with the supervisor's.

The tap (`snoop`) hears what the agent says and hears, and carries what the supervisor says to
nobody, to the agent, or to both; measured with tones in each mode. Nothing of it is in the bridge
of the talk, so it can fail without anybody there noticing. Another mode is another tap, under an id
of its own, and only then the old one goes. A tap ends with the channel that it is on.

To be heard it needs the sound that it is laid over: a telephone that sends nothing at all lets
nobody barge through it, and a client who sends nothing lets nobody whisper (measured).
"""

import asyncio
import logging
from collections.abc import Collection
from functools import partial

from perezvon.asterisk.ari import part
from perezvon.asterisk.book import Book, Leg
from perezvon.asterisk.dialling import NOT_FOUND, Dialling
from perezvon.asterisk.errands import Errands
from perezvon.asterisk.hearing import Hearing
from perezvon.asterisk.replies import Reply
from perezvon.asterisk.translate import TAP
from perezvon.core.commands import Supervise, SupervisionMode
from perezvon.core.ids import SECOND, CallId, Duration, LegId

HEARD_BY = {
    SupervisionMode.LISTEN: "none",
    SupervisionMode.WHISPER: "out",
    SupervisionMode.BARGE: "both",
}

RETRY_MS: Duration = 50
TRIES_MAX = 40
"""A tap is not in the application yet when it is to be bridged."""

log = logging.getLogger(__name__)


def owner(tap: str) -> LegId:
    """The supervisor's leg that a tap is for."""
    return LegId(tap.rpartition("x")[0])


class Supervising:
    def __init__(
        self, errands: Errands, book: Book, dialling: Dialling, hearing: Hearing, app: str
    ) -> None:
        self._errands = errands
        self._book = book
        self._dialling = dialling
        self._hearing = hearing
        self._app = app
        self._taps: dict[LegId, str] = {}
        """The newest of each supervisor's leg."""
        self._there: set[str] = set()
        """All that may exist."""

    def supervise(self, command: Supervise) -> None:
        """Safe to repeat: what is there already stays."""
        leg, agent = self._book.get(command.leg), self._book.get(command.agent)
        if leg is None or leg.withdrawn:
            return
        tap = f"{leg.id}x{command.count}"
        if agent is None:
            # He is on his way out, and the core hears of it.
            return
        self._taps[leg.id] = tap
        self._there.add(tap)
        self._book.join(leg, CallId(leg.id))
        self._hearing.guard(leg, self._hearing.talk_ms_max)
        self._errands.send(
            "POST",
            "bridges",
            query={"type": "mixing", "bridgeId": leg.id},
            still=partial(self._is_wanted, leg, tap),
        )
        self._errands.send(
            "POST",
            f"channels/{part(agent.channel)}/snoop/{part(tap)}",
            query={
                "spy": "both",
                "whisper": HEARD_BY[command.mode],
                "app": self._app,
                "appArgs": TAP,
            },
            still=partial(self._is_wanted, leg, tap),
            then=partial(self._made, leg, tap),
        )

    def leg_gone(self, leg: Leg) -> None:
        """A leg has ended; were it a supervisor's, his taps go with it."""
        if self._taps.pop(leg.id, None) is not None:
            self._drop_all_but(leg.id, "")

    def tidy(self, there: Collection[str]) -> None:
        """What an audit found: only the newest tap of a leg that lives is wanted.

        After a new link all are kept whose leg is there: the core says anew which it wants.
        """
        for tap in there:
            leg_id = owner(tap)
            wanted = self._taps.get(leg_id, tap) if self._book.get(leg_id) is not None else ""
            self._there.add(tap)
            if tap != wanted:
                self._drop(tap)

    def forget(self) -> None:
        """A new link: what was asked on the one before may not have been done."""
        self._taps.clear()
        self._there.clear()

    def _is_wanted(self, leg: Leg, tap: str) -> bool:
        return self._book.get(leg.id) is leg and self._taps.get(leg.id) == tap

    def _made(self, leg: Leg, tap: str, reply: Reply) -> None:
        if reply.ok:
            self._bridge(leg, tap, 1)
        elif self._is_wanted(leg, tap) and reply.status != NOT_FOUND:
            # It may be there already: asked for twice, its id gives 500 (measured).
            self._errands.send(
                "GET",
                f"channels/{part(tap)}",
                still=partial(self._is_wanted, leg, tap),
                then=partial(self._looked, leg, tap),
            )

    def _looked(self, leg: Leg, tap: str, reply: Reply) -> None:
        if reply.ok:
            self._bridge(leg, tap, 1)
        elif self._is_wanted(leg, tap):
            self._give_up(leg, reply)

    def _bridge(self, leg: Leg, tap: str, tries: int) -> None:
        if self._is_wanted(leg, tap):
            self._errands.send(
                "POST",
                f"bridges/{part(leg.id)}/addChannel",
                query={"channel": f"{tap},{leg.channel}"},
                still=partial(self._is_wanted, leg, tap),
                then=partial(self._bridged, leg, tap, tries),
            )

    def _bridged(self, leg: Leg, tap: str, tries: int, reply: Reply) -> None:
        if reply.ok:
            # Not sooner: he would be deaf in between.
            self._drop_all_but(leg.id, tap)
        elif self._is_wanted(leg, tap) and tries < TRIES_MAX:
            loop = asyncio.get_running_loop()
            loop.call_later(RETRY_MS / SECOND, self._bridge, leg, tap, tries + 1)
        elif self._is_wanted(leg, tap):
            self._give_up(leg, reply)

    def _give_up(self, leg: Leg, reply: Reply) -> None:
        """Better no supervisor than one who hears silence and thinks that nobody speaks."""
        log.warning("nothing to hear", extra={"leg": leg.id, "status": reply.status})
        self._dialling.withdraw(leg, "normal")

    def _drop_all_but(self, leg_id: LegId, kept: str) -> None:
        for tap in sorted(self._there):
            if owner(tap) == leg_id and tap != kept:
                self._drop(tap)

    def _drop(self, tap: str) -> None:
        self._there.discard(tap)
        self._errands.send("DELETE", f"channels/{part(tap)}")
