"""Legs that we make: created, dialled when they are ready, withdrawn for certain.

A request without an answer is *unknown*: whether a channel is there is then asked, never assumed.

- `create`: the channel is there and is gone on with, or it is not and is made again, under the
  same id. It cannot have rung meanwhile: it is dialled by us alone, after it was seen. (After a
  crash nobody knows whether it was dialled; there the audit asks the second witness.)
- `dial`: done twice it *ends* the leg (measured: 204, then the channel goes with cause 16). But
  the switch says of each dial that it has begun; without that word it has not, and is asked again.

Nothing waits without an alarm, and no alarm is repeated without a bound.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial

from perezvon.asterisk import numbers
from perezvon.asterisk.ari import Ari, part
from perezvon.asterisk.book import Book, Leg
from perezvon.asterisk.errands import Errands
from perezvon.asterisk.pjsip import trunk_endpoint
from perezvon.asterisk.replies import Reply
from perezvon.asterisk.translate import Side
from perezvon.core.events import EndCause
from perezvon.core.ids import SECOND, CallId, Duration
from perezvon.core.plan import Trunk

START_MS = 2 * SECOND
"""A created leg enters the application at once; later, we ask."""

MAKES_MAX = 5
"""How often a leg is made again of which nothing came."""

HEARD_MS = 200
"""What the switch had said before an answer of its has reached us by then."""

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
        errands: Errands,
        book: Book,
        app: str,
        *,
        end: Callable[[Leg, EndCause], None],
        left: Callable[[Leg], None],
    ) -> None:
        self._ari = ari
        self._errands = errands
        self._book = book
        self._app = app
        self._end = end
        self._left = left

    def make(self, leg: Leg, endpoint: str, variables: Mapping[str, str]) -> None:
        """Create the leg's channel; it is dialled when the switch reports it (`started`)."""
        leg.recipe = {
            "endpoint": endpoint,
            "app": self._app,
            "appArgs": leg.side.value,
            "channelId": leg.id,
            "variables": {
                "TIMEOUT(absolute)": seconds(leg.ring_ms + DEAD_MAN_SLACK_MS),
                **variables,
            },
        }
        leg.tries = 0
        self._create(leg)

    def started(self, leg: Leg) -> None:
        """It is in the application."""
        if leg.withdrawn or leg.dialled:
            return
        leg.dialled = True
        leg.tries = 0
        self._dial(leg)

    def calling(self, leg: Leg) -> None:
        """The switch dials it."""
        leg.is_calling = True

    def withdraw(self, leg: Leg, reason: str) -> None:
        """Hang it up, whatever it is just doing; asked again until it is gone."""
        leg.withdrawn = True
        leg.tries = 0
        self._delete(leg, reason)

    def look(self, leg: Leg, cause: EndCause = EndCause.LOST) -> None:
        """Ask whether it is there. Gone: it ends with `cause`, unless its end was told before."""
        self._errands.send(
            "GET",
            f"channels/{part(leg.channel)}",
            still=partial(self._lives, leg),
            then=partial(self._looked, leg, cause, leg.is_being_made),
        )

    def look_later(self, leg: Leg) -> None:
        """Its end should be reported in a moment: make sure of it."""
        self._arm(leg, START_MS, self.look)

    def _create(self, leg: Leg) -> None:
        leg.disarm()
        self._errands.once(
            "POST", "channels/create", body=leg.recipe, then=partial(self._made, leg)
        )

    def _made(self, leg: Leg, reply: Reply) -> None:
        if not self._lives(leg) or leg.dialled:
            return
        if reply.ok:
            if not leg.withdrawn:
                self._arm(leg, START_MS, self.look)
            return
        if reply.status in {None, CONFLICT}:
            # There already, or unknown.
            self.look(leg)
            return
        log.info("leg not made", extra={"leg": leg.id, "status": reply.status})
        if leg.withdrawn:
            cause = EndCause.CANCELLED
        elif leg.side is Side.AGENT:
            cause = EndCause.UNREACHABLE
        else:
            cause = EndCause.TRUNK_FAILED
        self._end(leg, cause)

    def _make_again(self, leg: Leg) -> None:
        """It is not there, and nobody said that it ever was."""
        leg.tries += 1
        if leg.tries > MAKES_MAX:
            self._end(leg, EndCause.NEVER_MADE)
        else:
            self._create(leg)

    def _dial(self, leg: Leg) -> None:
        self._errands.once(
            "POST",
            f"channels/{part(leg.channel)}/dial",
            query={"timeout": seconds(leg.ring_ms + SLACK_MS)},
            then=partial(self._dialled, leg),
        )
        self._arm(leg, leg.ring_ms + 2 * SLACK_MS, self._rang_out)

    def _dialled(self, leg: Leg, reply: Reply) -> None:
        if reply.ok or not self._is_to_be_dialled(leg):
            return
        if reply.status is None:
            # What it has said of the dial is on its way before the answer to a later question.
            self._errands.send(
                "GET",
                f"channels/{part(leg.channel)}",
                still=partial(self._is_to_be_dialled, leg),
                then=partial(self._dial_is_unknown, leg),
            )
        elif reply.status == CONFLICT:
            self._dial_later(leg, DIAL_RETRY_MS)
        else:
            self.look_later(leg)

    def _dial_is_unknown(self, leg: Leg, reply: Reply) -> None:
        if not self._is_to_be_dialled(leg):
            return
        if reply.ok:
            self._dial_later(leg, HEARD_MS)
        else:
            self.look_later(leg)

    def _dial_later(self, leg: Leg, after_ms: Duration) -> None:
        leg.tries += 1
        if leg.tries > DIAL_TRIES_MAX:
            self.withdraw(leg, "normal")
        else:
            self._arm(leg, after_ms, self._dial_again)

    def _dial_again(self, leg: Leg) -> None:
        if self._is_to_be_dialled(leg):
            self._dial(leg)
        elif not (leg.withdrawn or leg.answered):
            self._arm(leg, leg.ring_ms + 2 * SLACK_MS, self._rang_out)

    def _is_to_be_dialled(self, leg: Leg) -> bool:
        done = leg.withdrawn or leg.is_calling or leg.rang or leg.answered
        return self._lives(leg) and not done

    def _rang_out(self, leg: Leg) -> None:
        """The switch's own bound is over and nothing was heard."""
        if not leg.answered:
            self.withdraw(leg, "normal")

    def _delete(self, leg: Leg, reason: str) -> None:
        leg.disarm()
        self._errands.send(
            "DELETE",
            f"channels/{part(leg.channel)}",
            query={"reason": reason},
            still=partial(self._lives, leg),
            then=partial(self._deleted, leg, reason),
        )

    def _delete_again(self, leg: Leg, *, reason: str) -> None:
        leg.tries += 1
        if leg.tries <= DELETE_TRIES_MAX:
            self._delete(leg, reason)
        else:
            # The switch does not obey; an audit of a new link will tell what there is.
            log.error("leg cannot be hung up", extra={"leg": leg.id})
            self._ari.cut()

    def _deleted(self, leg: Leg, reason: str, reply: Reply) -> None:
        if not self._lives(leg):
            return
        if reply.status == NOT_FOUND:
            # Usually its end is on its way to us already, with a better cause.
            self._arm(leg, DIAL_RETRY_MS, self.look)
        else:
            self._arm(leg, DELETE_RETRY_MS, partial(self._delete_again, reason=reason))

    def _looked(self, leg: Leg, cause: EndCause, was_being_made: bool, reply: Reply) -> None:  # noqa: FBT001 - by partial
        if not self._lives(leg):
            return
        if reply.status == NOT_FOUND:
            if leg.withdrawn:
                self._end(leg, EndCause.CANCELLED)
            elif leg.recipe is not None and not leg.dialled:
                self._make_again(leg)
            else:
                self._end(leg, cause)
        elif not is_in(self._app, reply.body):
            if not was_being_made:
                self._left(leg)
            elif leg.is_being_made:
                # Created a moment ago, and on its way into the application.
                self._look_for_start(leg)
        elif leg.side is not Side.CALLER and not leg.dialled:
            self.started(leg)

    def _look_for_start(self, leg: Leg) -> None:
        if leg.timer is not None:
            # A sweep has looked in between: only those that are due count.
            return
        leg.tries += 1
        if leg.tries > MAKES_MAX:
            self._left(leg)
        else:
            self._arm(leg, START_MS, self.look)

    def _lives(self, leg: Leg) -> bool:
        return self._book.get(leg.id) is leg

    def _arm(self, leg: Leg, after_ms: Duration, then: Callable[[Leg], None]) -> None:
        leg.disarm()

        def fall_due() -> None:
            leg.timer = None
            then(leg)

        leg.timer = asyncio.get_running_loop().call_later(after_ms / SECOND, fall_due)


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


def headers(call: CallId, *, auto: bool = False) -> dict[str, str]:
    """What a telephone of ours is told besides: which call it is, and to answer it by itself.

    Set with the channel, they are in its first INVITE (measured). Not for a trunk: no carrier
    needs to know.
    """
    told = {"PJSIP_HEADER(add,X-Perezvon-Call)": str(call)}
    if auto:
        told["PJSIP_HEADER(add,X-Perezvon-Answer)"] = "auto"
    return told
