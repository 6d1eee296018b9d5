"""After a new link: what the switch has of ours, how the rest ended, and since when it runs.

Events are not replayed, so a link begins with a look at everything. The book is written anew from
it, for what is not on the switch is gone; what the ends were, CEL tells where it can.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from pathlib import Path

from perezvon.asterisk import audit
from perezvon.asterisk.ari import Ari, LinkError, part
from perezvon.asterisk.audit import Found
from perezvon.asterisk.book import Book, Leg
from perezvon.asterisk.translate import Side
from perezvon.asterisk.witness import Listing
from perezvon.core.events import Caller, EndCause, Resynced
from perezvon.core.ids import SECOND, CallId, Instant, LegId

UNSURE_S = 60
"""A prompt that was begun before our start is over by then."""

CEL_GRACE_MS = 500
"""CEL is written a moment after the fact."""


class Relink:
    """`follow` is told of each caller's leg that was found; `beat_variable` is the guard's."""

    def __init__(
        self,
        ari: Ari,
        book: Book,
        tenant: str,
        *,
        beat_variable: str,
        cel_path: Path | None,
        identify: Callable[[str, str], Caller],
        follow: Callable[[Leg], None],
    ) -> None:
        self._ari = ari
        self._book = book
        self._tenant = tenant
        self._beat_variable = beat_variable
        self._cel_path = cel_path
        self._identify = identify
        self._follow = follow
        self._started_at: Instant | None = None
        self.listing: Listing | None = None
        """What channels there were when it was last asked: for the second witness."""

    async def audit(self) -> Found:
        """All that the switch has of ours now. Raises `LinkError` when it does not say."""
        asked_at = time.monotonic()
        channels, bridges = await asyncio.gather(
            self._ari.listing("channels"), self._ari.listing("bridges")
        )
        if not (channels.ok and bridges.ok):
            raise LinkError("no listing")
        self.listing = Listing(asked_at, audit.channel_ids(channels.body), self._started_at)
        return audit.look(channels.body, bridges.body, tenant=self._tenant, identify=self._identify)

    async def look(self, asked: Collection[LegId]) -> tuple[Found, Resynced]:
        """Also what became of the legs `asked` for. Raises `LinkError` as `audit` does."""
        found, gone = await self._look_once(asked)
        if EndCause.NEVER_MADE in gone.values():
            await asyncio.sleep(CEL_GRACE_MS / SECOND)
            found, gone = await self._look_once(asked)
        # Last: should it restart between the questions, the link is lost and all is asked anew.
        info, beat = await asyncio.gather(
            self._ari.listing("asterisk/info"),
            self._ari.listing(f"asterisk/variable?variable={part(self._beat_variable)}"),
        )
        if not info.ok:
            # Still booting: this part of ARI is loaded after the one that links us. Without its
            # answer a restart would pass for a gap, and who was cut off for one who hung up.
            raise LinkError("it does not say since when it runs")
        self._started_at = audit.started_at(info.body)
        deaf_since = audit.last_beat(beat.body) if beat.ok else None
        return found, Resynced(found.legs, tuple(gone.items()), self._started_at, deaf_since)

    async def _look_once(self, asked: Collection[LegId]) -> tuple[Found, dict[LegId, EndCause]]:
        found = await self.audit()
        there = {seen.leg for seen in found.legs}
        return found, await asyncio.to_thread(audit.ends, self._cel_path, there, asked)

    def rewrite_book(self, found: Found) -> None:
        """The book says what was found, and keeps what only we know of the legs still there."""
        known = {leg.id: leg for leg in self._book}
        self._book.clear()
        for seen in found.legs:
            old = known.get(seen.leg)
            leg = Leg(found.sides[seen.leg], id=seen.leg, dialled=True)
            leg.answered = seen.state.value == "up"
            leg.rang = leg.answered or seen.state.value == "ringing"
            if old is None:
                leg.unsure_until = asyncio.get_running_loop().time() + UNSURE_S
            else:
                leg.playbacks, leg.withdrawn = old.playbacks, old.withdrawn
                leg.hears_music, leg.hears_ringing = old.hears_music, old.hears_ringing
                leg.rings_to, leg.telephone = old.rings_to, old.telephone
            self._book.add(leg)
            bridge = found.bridges.get(seen.leg)
            if bridge is not None:
                self._book.join(leg, CallId(bridge))
            if leg.side is Side.CALLER:
                self._follow(leg)
        for bridge in found.empty_bridges:
            self._ari.submit("DELETE", f"bridges/{part(bridge)}")
