"""Requests that have to be carried out: repeated until the switch answers, or nobody wants them.

A request without a reply is *unknown*: it may have been lost on its way there, or its reply on the
way back. What is sent through here may therefore be done twice without harm, which was measured
of each kind: the bridge of an id (409), a channel put into the bridge that it is in, ringing,
music, an answer, a variable, a subscription, every DELETE and every question. Three are not of
this kind and are asked about before they are repeated: `create` and `dial` (see `dialling`), and
`play` (see `hearing`).
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from perezvon.asterisk.ari import Ari
from perezvon.asterisk.replies import Reply
from perezvon.core.ids import SECOND, Duration
from perezvon.runtime.alerts import AlertKind, Alerts

REPLY_MS: tuple[Duration, ...] = (500, 500, 1_000)
"""How long each try waits for its reply, the last for all further ones. A reply takes 1–2 ms at
real load; somebody may hear silence meanwhile."""

TRIES_MAX = 20
PAUSE_MS = 50
"""A request that was not even sent must not be repeated in a circle."""

log = logging.getLogger(__name__)


def always() -> bool:
    return True


def never() -> bool:
    return False


def ignore(_reply: Reply) -> None:
    """Whatever the answer is."""


@dataclass(slots=True)
class _Errand:
    method: str
    uri: str
    query: Mapping[str, str] | None
    still: Callable[[], bool]
    aside: Callable[[], bool]
    then: Callable[[Reply], None]
    link: object | None
    tries: int = field(default=0)


class Errands:
    """The alert `reply_lost` tells how many replies did not come."""

    def __init__(self, ari: Ari, alerts: Alerts | None) -> None:
        self._ari = ari
        self._alerts = alerts
        self._lost_count = 0

    @property
    def linked(self) -> bool:
        """Whether there is anybody to send to."""
        return self._ari.linked

    def send(
        self,
        method: str,
        uri: str,
        *,
        query: Mapping[str, str] | None = None,
        still: Callable[[], bool] = always,
        aside: Callable[[], bool] = never,
        then: Callable[[Reply], None] = ignore,
    ) -> None:
        """Send now, in order with all else; again while no reply comes and it is `still` wanted.

        `then` gets the reply, once, and never an unknown one. `aside` asks of each try whether it
        may have to wait in the switch and therefore goes by HTTP. A new link ends the errand: its
        audit tells what there is.
        """
        self._try(_Errand(method, uri, query, still, aside, then, self._ari.link))

    def once(
        self,
        method: str,
        uri: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        then: Callable[[Reply], None],
    ) -> None:
        """Send what must not be repeated blindly: `then` gets the reply, `UNKNOWN` if none came
        on this link. After a new link nothing is told.
        """
        link = self._ari.link
        sent = self._ari.submit(method, uri, query=query, body=body, timeout_ms=REPLY_MS[0])
        sent.add_done_callback(lambda future: self._once_done(link, future.result(), then))

    def _once_done(self, link: object | None, reply: Reply, then: Callable[[Reply], None]) -> None:
        if self._ari.link is not link:
            return
        if reply.status is None:
            self._lost()
        then(reply)

    def _try(self, errand: _Errand) -> None:
        errand.tries += 1
        if errand.aside():
            sent = self._ari.aside(errand.method, errand.uri, query=errand.query or {})
        else:
            wait_ms = REPLY_MS[min(errand.tries, len(REPLY_MS)) - 1]
            sent = self._ari.submit(
                errand.method, errand.uri, query=errand.query, timeout_ms=wait_ms
            )
        sent.add_done_callback(lambda future: self._done(errand, future.result()))

    def _done(self, errand: _Errand, reply: Reply) -> None:
        if reply.status is not None:
            errand.then(reply)
            return
        if self._ari.link is None or self._ari.link is not errand.link:
            return
        self._lost()
        if not errand.still():
            return
        if errand.tries >= TRIES_MAX:
            # The switch does not obey; an audit of a new link will tell what there is.
            log.error("no reply: link cut", extra={"method": errand.method, "uri": errand.uri})
            self._ari.cut()
            return
        asyncio.get_running_loop().call_later(PAUSE_MS / SECOND, self._again, errand)

    def _again(self, errand: _Errand) -> None:
        if self._ari.link is errand.link and errand.still():
            self._try(errand)

    def _lost(self) -> None:
        self._lost_count += 1
        if self._alerts is not None:
            self._alerts.note(AlertKind.REPLY_LOST, "", f"{self._lost_count} replies")
