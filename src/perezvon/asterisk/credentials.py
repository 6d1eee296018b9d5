"""Passwords of browser telephones: given for a while, kept in the switch's memory only.

An object `auth` of the endpoint's name is put by ARI, without a reload, and taken away when its
time is over; without one the endpoint lets nobody in (measured: REGISTER is answered 500). A
switch that was restarted is told again after the next link.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from perezvon.asterisk.ari import Ari, part
from perezvon.asterisk.replies import Reply
from perezvon.core.ids import MINUTE, Duration, Instant
from perezvon.runtime.clock import wall_ms
from perezvon.runtime.ports import Unavailable

LIFE_MS: Final = 10 * MINUTE
SAME_MS: Final = 5 * MINUTE
"""One with so much left is given again: a second page must not lock out the first."""
PUT_MS: Final = (500, 1_000, 2_000)
"""How long each try waits for its reply. Doing it twice is no harm."""


@dataclass(frozen=True, slots=True)
class Credential:
    username: str
    password: str = field(repr=False)
    expires_at: Instant


class Credentials:
    """`tend` has to be called every second or so. `now` is the clock of `expires_at`."""

    def __init__(self, ari: Ari, now: Callable[[], Instant] = wall_ms) -> None:
        self._ari = ari
        self._now = now
        self._given: dict[str, Credential] = {}
        self._ends_at: dict[str, Instant] = {}
        """When the switch has to be told to forget; those of an engine before us too."""
        self._link: object | None = None
        """Which was told all of them."""

    async def give(self, endpoint: str) -> Credential:
        """Valid when it returns. `Unavailable` when the switch does not take it."""
        now, known = self._now(), self._given.get(endpoint)
        if known is None or known.expires_at - now < SAME_MS:
            known = Credential(endpoint, secrets.token_urlsafe(24), now + LIFE_MS)
            self._given[endpoint] = known
            self._ends_at[endpoint] = known.expires_at
        for wait_ms in PUT_MS:
            reply = await self._put(known, wait_ms)
            if reply.ok:
                return known
            if reply.status is not None:
                break
        raise Unavailable("the switch takes no password now")

    def forget(self, endpoint: str) -> None:
        """Nobody gets in by it any more."""
        self._ends_at[endpoint] = self._now()
        self.tend()

    def learn(self, endpoints: Iterable[str]) -> None:
        """All browser telephones. An engine before us may have given them passwords, which live
        no longer than ours.
        """
        for endpoint in endpoints:
            self._ends_at.setdefault(endpoint, self._now() + LIFE_MS)

    def tend(self) -> None:
        """Take away what is over; tell a new link of the rest."""
        if not self._ari.linked:
            return
        if self._link is not self._ari.link:
            self._link = self._ari.link
            for known in self._given.values():
                self._put(known, PUT_MS[-1])
        now = self._now()
        for endpoint in [one for one, ends_at in self._ends_at.items() if ends_at <= now]:
            del self._ends_at[endpoint]
            self._given.pop(endpoint, None)
            self._ari.submit("DELETE", _uri(endpoint))

    def _put(self, known: Credential, wait_ms: Duration) -> asyncio.Future[Reply]:
        fields = {
            "auth_type": "userpass",
            "username": known.username,
            "password": known.password,
        }
        return self._ari.submit(
            "PUT",
            _uri(known.username),
            body={"fields": [{"attribute": k, "value": v} for k, v in fields.items()]},
            timeout_ms=wait_ms,
        )


def _uri(endpoint: str) -> str:
    return f"asterisk/config/dynamic/res_pjsip/auth/{part(endpoint)}"
