"""Looks at Asterisk itself, past any proxy, while a test runs: who is connected with whom, when.

    with Onlooker(running) as onlooker:
        ...
    assert onlooker.never_connected() == []

It asks by plain HTTP a few times a second, in a thread of its own.
"""

import http.client
import json
import re
import threading
import time
from base64 import b64encode
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.support.asterisk import PASSWORD, Running
from tests.support.ports import LOOPBACK

PERIOD_S = 0.2
ASK_S = 5
CLIENT_LEG = re.compile(r".+/\d+c")


@dataclass(slots=True)
class Seen:
    """One client's leg of a call-back. Seconds, monotonic; the resolution is the period."""

    leg: str
    up_at: float
    """First seen with its call answered."""
    seen_at: float
    """Last seen at all."""
    connected_at: float | None = None
    """First seen in one bridge with somebody else."""

    @property
    def silent_s(self) -> float:
        return (self.connected_at or self.seen_at) - self.up_at


class Onlooker:
    def __init__(self, running: Running) -> None:
        site = running.site
        login = b64encode(f"{site.ari_user}:{PASSWORD}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}"}
        self._port = site.http_port
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="onlooker", daemon=True)
        self.clients: dict[str, Seen] = {}
        """Of those whose telephone was answered, by leg."""

    def never_connected(self) -> list[Seen]:
        return [seen for seen in self.clients.values() if seen.connected_at is None]

    def left_behind(self) -> list[str]:
        """Channels and bridges that there are now."""
        return [str(one["id"]) for what in ("channels", "bridges") for one in self._get(what)]

    def together(self) -> list[frozenset[str]]:
        """Who is connected with whom now: the channels of each bridge that has two or more."""
        members = (frozenset(map(str, one["channels"])) for one in self._get("bridges"))
        return [inside for inside in members if len(inside) > 1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(2 * ASK_S)

    def _run(self) -> None:
        while not self._over.wait(PERIOD_S):
            channels = self._get("channels")
            self._note(channels, self._get("bridges"))

    def _note(self, channels: list[dict[str, Any]], bridges: list[dict[str, Any]]) -> None:
        now = time.monotonic()
        together = {leg for one in bridges if len(one["channels"]) > 1 for leg in one["channels"]}
        for channel in channels:
            leg = str(channel["id"])
            if channel["state"] != "Up" or not CLIENT_LEG.fullmatch(leg):
                continue
            seen = self.clients.setdefault(leg, Seen(leg, now, now))
            seen.seen_at = now
            if seen.connected_at is None and leg in together:
                seen.connected_at = now

    def _get(self, what: str) -> list[dict[str, Any]]:
        link = http.client.HTTPConnection(LOOPBACK, self._port, timeout=ASK_S)
        try:
            link.request("GET", f"/ari/{what}", headers=self._headers)
            listed: list[dict[str, Any]] = json.load(link.getresponse())
        finally:
            link.close()
        return listed
