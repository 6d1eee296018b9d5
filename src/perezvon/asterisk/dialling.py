"""Legs that we make: created, dialled when they are ready, withdrawn for certain.

A request without an answer is *unknown*: whether a channel is there is then asked, never assumed.
Nothing waits without an alarm, and no alarm is repeated without a bound.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial

from perezvon.asterisk import numbers
from perezvon.asterisk.ari import Ari, Reply, part
from perezvon.asterisk.book import Book, Leg
from perezvon.asterisk.pjsip import trunk_endpoint
from perezvon.asterisk.translate import Side
from perezvon.core.events import EndCause
from perezvon.core.ids import SECOND, Duration
from perezvon.core.plan import Trunk

START_MS = 2 * SECOND
"""A created leg enters the application at once; later, we ask."""

DIAL_RETRY_MS = 20
DIAL_TRIES_MAX = 25
"""A leg is dialled a moment too early now and then (409)."""

DELETE_RETRY_MS = 1_500
DELETE_TRIES_MAX = 20
SLACK_MS = 3 * SECOND
"""The switch's own bounds lie so much behind those of the core."""

DEAD_MAN_SLACK_MS = 30 * SECOND
"""What a leg may live beyond its ringing without a word from us: a prompt, a pressed 1."""

CONFLICT = 409
NOT_FOUND = 404

log = logging.getLogger(__name__)


class Dialling:
    """`end` is told the one end of a leg; `left` that a leg lives outside our application."""

    def __init__(
        self,
        ari: Ari,
        book: Book,
        app: str,
        *,
        end: Callable[[Leg, EndCause], None],
        left: Callable[[Leg], None],
    ) -> None:
        self._ari = ari
        self._book = book
        self._app = app
        self._end = end
        self._left = left

    def make(self, leg: Leg, endpoint: str, variables: Mapping[str, str]) -> None:
        """Create the leg's channel; it is dialled when the switch reports it (`started`)."""
        made = self._ari.submit(
            "POST",
            "channels/create",
            body={
                "endpoint": endpoint,
                "app": self._app,
                "appArgs": leg.side.value,
                "channelId": leg.id,
                "variables": {
                    "TIMEOUT(absolute)": seconds(leg.ring_ms + DEAD_MAN_SLACK_MS),
                    **variables,
                },
            },
        )
        made.add_done_callback(partial(self._made, leg))
        self._arm(leg, START_MS, self._not_started)

    def started(self, leg: Leg) -> None:
        if leg.withdrawn or leg.dialled:
            return
        leg.dialled = True
        leg.tries = 0
        self._dial(leg)

    def withdraw(self, leg: Leg, reason: str) -> None:
        """Hang it up, whatever it is just doing; asked again until it is gone."""
        leg.withdrawn = True
        leg.tries = 0
        self._delete(leg, reason)

    def look(self, leg: Leg, cause: EndCause = EndCause.LOST) -> None:
        """Ask whether it is there. Gone: it ends with `cause`, unless its end was told before."""
        reply = self._ari.submit("GET", f"channels/{part(leg.channel)}")
        reply.add_done_callback(partial(self._looked, leg, cause))

    def look_later(self, leg: Leg) -> None:
        """Its end should be reported in a moment: make sure of it."""
        self._arm(leg, START_MS, self.look)

    def _made(self, leg: Leg, future: "asyncio.Future[Reply]") -> None:
        reply = future.result()
        if not self._lives(leg) or reply.ok or reply.status in {None, CONFLICT}:
            return
        log.info("leg not made", extra={"leg": leg.id, "status": reply.status})
        if leg.withdrawn:
            cause = EndCause.CANCELLED
        elif leg.side is Side.AGENT:
            cause = EndCause.UNREACHABLE
        else:
            cause = EndCause.TRUNK_FAILED
        self._end(leg, cause)

    def _not_started(self, leg: Leg) -> None:
        self.look(leg)
        self._arm(leg, START_MS, self._not_started)

    def _dial(self, leg: Leg) -> None:
        reply = self._ari.submit(
            "POST",
            f"channels/{part(leg.channel)}/dial",
            query={"timeout": seconds(leg.ring_ms + SLACK_MS)},
        )
        reply.add_done_callback(partial(self._dialled, leg))
        self._arm(leg, leg.ring_ms + 2 * SLACK_MS, self._rang_out)

    def _dialled(self, leg: Leg, future: "asyncio.Future[Reply]") -> None:
        status = future.result().status
        if status != CONFLICT or not self._lives(leg) or leg.withdrawn or leg.rang or leg.answered:
            return
        leg.tries += 1
        if leg.tries > DIAL_TRIES_MAX:
            self.withdraw(leg, "normal")
        else:
            self._arm(leg, DIAL_RETRY_MS, self._dial)

    def _rang_out(self, leg: Leg) -> None:
        """The switch's own bound is over and nothing was heard."""
        if not leg.answered:
            self.withdraw(leg, "normal")

    def _delete(self, leg: Leg, reason: str) -> None:
        reply = self._ari.submit(
            "DELETE", f"channels/{part(leg.channel)}", query={"reason": reason}
        )
        reply.add_done_callback(partial(self._deleted, leg))
        self._arm(leg, DELETE_RETRY_MS, partial(self._delete_again, reason=reason))

    def _delete_again(self, leg: Leg, *, reason: str) -> None:
        leg.tries += 1
        if leg.tries <= DELETE_TRIES_MAX:
            self._delete(leg, reason)
        else:
            # The switch does not obey; an audit of a new link will tell what there is.
            log.error("leg cannot be hung up", extra={"leg": leg.id})
            self._ari.cut()

    def _deleted(self, leg: Leg, future: "asyncio.Future[Reply]") -> None:
        if future.result().status == NOT_FOUND and self._lives(leg):
            # Usually its end is on its way to us already, with a better cause.
            self._arm(leg, DIAL_RETRY_MS, self.look)

    def _looked(self, leg: Leg, cause: EndCause, future: "asyncio.Future[Reply]") -> None:
        reply = future.result()
        if not self._lives(leg) or reply.status is None:
            return
        if reply.status == NOT_FOUND:
            self._end(leg, EndCause.CANCELLED if leg.withdrawn else cause)
        elif not is_in(self._app, reply.body):
            self._left(leg)
        elif leg.side is not Side.CALLER and not leg.dialled:
            self.started(leg)

    def _lives(self, leg: Leg) -> bool:
        return self._book.get(leg.id) is leg

    def _arm(self, leg: Leg, after_ms: Duration, then: Callable[[Leg], None]) -> None:
        leg.disarm()
        loop = asyncio.get_running_loop()
        leg.timer = loop.call_later(after_ms / SECOND, then, leg)


def is_in(app: str, channel: object) -> bool:
    """Whether a channel, as GET shows it, is in our application now."""
    match channel:
        case {"dialplan": {"app_name": "Stasis", "app_data": str(data)}}:
            return data.split(",", 1)[0] == app
        case _:
            return False


def seconds(length_ms: Duration) -> str:
    """Whole seconds, rounded up, as the switch wants them."""
    return str(-(-length_ms // SECOND))


def through(trunk: Trunk, number: str) -> str | None:
    """An endpoint's name is made of a checked number only: no dial string gets in."""
    dialled = numbers.to_dial(number, trunk.number_format)
    return f"PJSIP/{dialled}@{trunk_endpoint(trunk.id)}" if dialled is not None else None


def shows(number: str, name: str) -> dict[str, str]:
    """What the called telephone displays as the other party."""
    safe = number if numbers.DIALABLE.fullmatch(number) else "anonymous"
    return {"CONNECTEDLINE(num,i)": safe, "CONNECTEDLINE(name,i)": name}
