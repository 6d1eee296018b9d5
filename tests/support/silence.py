"""What callers hear, measured at their own ends; and whether anybody looks after them.

    with Ears(600) as ears, Sentry(running) as sentry:
        callers = [Call(number, to, ear=ears.port(n)) ...]
        ...
    silence = longest_silence(call, ears)         # seconds, of one caller
    sentry.longest_stranded_s                     # of all

Two measures, because each alone could be fooled. `Ears` are UDP ports named in the callers' SDP:
they note when sound arrives. A caller who was picked up and hears nothing is silent, whatever the
switch believes. But music hides that nobody comes, and before an answer a caller hears only his
own carrier's ringing; so `Sentry` asks the switch, twice a second, who stands in the engine's
application, in no talk, while the heartbeat is old.
"""

import http.client
import itertools
import json
import selectors
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from perezvon.asterisk import cel
from perezvon.asterisk.provision import application, heartbeat_variable
from tests.support.asterisk import PASSWORD, Running
from tests.support.ports import LOOPBACK
from tests.support.sipp import Happening

EAR_S = 0.25
SENTRY_S = 0.5
BEAT_AGE_S = 3
"""A younger heartbeat is that of a living engine: whole seconds, one a second, a slow machine."""

SOCKET_BYTES = 2_048
"""Room for a packet or two: what is to be known is whether any came."""

ENDS = ("hung_up", "ended_by_other", "left", "refused")


class _Watcher:
    """A thread that looks again and again until it is stopped."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=type(self).__name__)

    def _look(self) -> None:
        raise NotImplementedError

    def _watch(self) -> None:
        while not self._stopped.wait(self._period_s):
            self._look()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._stopped.set()
        self._thread.join()


class Ears(_Watcher):
    """Ports at which callers listen, used in turn: there must be more than calls at once."""

    def __init__(self, count: int) -> None:
        super().__init__(EAR_S)
        self._selector = selectors.DefaultSelector()
        self._sockets = [self._open() for _ in range(count)]
        self._heard: dict[int, list[float]] = {one.getsockname()[1]: [] for one in self._sockets}
        self._ports = list(self._heard)

    def port(self, place: int) -> int:
        return self._ports[place % len(self._ports)]

    def heard(self, port: int, since: float, until: float) -> list[float]:
        """When sound arrived there, to a quarter of a second."""
        return [at for at in list(self._heard[port]) if since <= at <= until]

    def _open(self) -> socket.socket:
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BYTES)
        ear.bind((LOOPBACK, 0))
        ear.settimeout(0)
        self._selector.register(ear, selectors.EVENT_READ)
        return ear

    def _look(self) -> None:
        now = time.time()
        for key, _ in self._selector.select(0):
            ear = key.fileobj
            assert isinstance(ear, socket.socket)
            self._heard[ear.getsockname()[1]].append(now)
            try:
                while True:
                    ear.recv(SOCKET_BYTES)
            except BlockingIOError:
                pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        super().__exit__(kind, error, trace)
        self._selector.close()
        for ear in self._sockets:
            ear.close()


@dataclass(frozen=True)
class Silence:
    """The longest of one caller."""

    length_s: float
    number: str
    when: str
    """`before any sign`, `after the answer`."""
    at: float
    """Its beginning, seconds since the epoch."""


def longest_silence(call: Sequence[Happening], ears: Ears, port: int) -> Silence:
    """Of one caller, from his own happenings: until he hears ringing or is picked up, and from
    then on whenever no sound reaches him. Rung to by his carrier he is the sentry's business.
    """
    at = {one.kind: one.at for one in reversed(call)}
    number = call[0].caller
    end = next((at[kind] for kind in ENDS if kind in at), time.time())
    sign = min((at[kind] for kind in ("rings", "answered", *ENDS) if kind in at), default=end)
    first = Silence(sign - at["called"], number, "before any sign", at["called"])
    if "answered" not in at:
        return first
    heard = [at["answered"], *ears.heard(port, at["answered"], end), end]
    gaps = [
        Silence(after - before, number, "after the answer", before)
        for before, after in itertools.pairwise(heard)
    ]
    return max([first, *gaps], key=lambda one: one.length_s)


class Sentry(_Watcher):
    """Asks the switch over ARI's HTTP; see the module."""

    def __init__(self, running: Running) -> None:
        super().__init__(SENTRY_S)
        tenant = running.plan.tenant
        self._app = application(tenant)
        self._beat = f"/ari/asterisk/variable?variable={heartbeat_variable(tenant)}"
        site = running.site
        login = b64encode(f"{site.ari_user}:{PASSWORD}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}"}
        self._http = http.client.HTTPConnection(site.http_host, site.http_port, timeout=5)
        self._since: dict[str, float] = {}
        """Since when he stands there and nobody talks to him."""
        self.longest_stranded_s = 0.0
        self.longest_away_s = 0.0
        self.looks = 0
        self._there = {"channels": 0, "bridges": 0}
        self.trouble = ""

    def _look(self) -> None:
        try:
            told = self._get(self._beat)["value"]
            channels, bridges = self._get("/ari/channels"), self._get("/ari/bridges")
        except (OSError, http.client.HTTPException, KeyError, ValueError) as error:
            self.trouble = repr(error)
            self._http.close()
            return
        now = time.time()
        self.looks += 1
        self._there = {"channels": len(channels), "bridges": len(bridges)}
        talking = {leg for bridge in bridges if len(bridge["channels"]) > 1
                   for leg in bridge["channels"]}  # fmt: skip
        waiting = {
            one["id"] for one in channels if self._is_in_our_hands(one) and one["id"] not in talking
        }
        self._since = {leg: self._since.get(leg, now) for leg in waiting}
        beaten_at = float(told or 0)
        if now - beaten_at < BEAT_AGE_S:
            return
        self.longest_away_s = max(self.longest_away_s, now - beaten_at)
        for since in self._since.values():
            self.longest_stranded_s = max(self.longest_stranded_s, now - max(since, beaten_at))

    def left_over(self) -> dict[str, int]:
        """Channels and bridges on the switch at the last look."""
        return self._there

    def _is_in_our_hands(self, channel: dict[str, Any]) -> bool:
        where = channel["dialplan"]
        return (
            where["app_name"] == "Stasis"
            and where["app_data"].startswith(f"{self._app},in,")
            and cel.OWN_SHAPE.fullmatch(channel["id"]) is not None
        )

    def _get(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON it is
        self._http.request("GET", path, headers=self._headers)
        return json.loads(self._http.getresponse().read())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        super().__exit__(kind, error, trace)
        self._http.close()
