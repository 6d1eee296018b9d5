"""Real SIP callers and telephones: SIPp processes, and what happened to each call of theirs.

    phones = Phone(running, ["anna", "boris"], Answering(answer_after_ms=500), tmp_path)
    callers = Caller(running, [Call("79161112233", "74951234567")], tmp_path, talk_ms=3_000)
    with phones, callers:
        await until(lambda: callers.finished(), 20)
    assert callers.of("answered") ...

One `Phone` process serves any number of agents that behave alike; another way of behaving is
another `Phone`, which takes the agents over by registering them anew.
"""

import asyncio
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.asterisk import Running, sipp
from tests.support.patience import PATIENCE
from tests.support.ports import LOOPBACK, free_udp_port
from tests.support.registration import OK, register
from tests.support.scenarios import FOREVER_MS, VOICE, Answering, caller, phone

STOP_S = 3
POLL_S = 0.02
CALLS_AT_ONCE_MAX = 2_000


@dataclass(frozen=True)
class Happening:
    """One line of what happened to one call.

    Of callers: called, rings, answered, refused (detail: code), hung_up, ended_by_other,
    left (gave up before an answer). Of telephones: invited, rings, answered, pressed,
    refused, cancelled (detail: text of the Reason header), hung_up, ended_by_other (the same).
    """

    kind: str
    agent: str
    """Who was rung; for callers the number that was called."""
    caller: str
    call: str
    """Call-ID: the same in all lines of a call, as that telephone saw it."""
    at: float
    """Seconds since the epoch."""
    detail: str


@dataclass(frozen=True)
class Call:
    """One call that shall be made."""

    number: str
    """Whose: shown as the caller's."""
    to: str
    name: str = ""
    ear: int | None = None
    """The port at which he hears; None: one of SIPp's own, where nobody listens."""


class _Sipp:
    """One process, its files, its log."""

    def __init__(self, name: str, place: Path, port: int) -> None:
        self.port = port
        self._place = place / f"{name}-{port}"
        self._child: subprocess.Popen[bytes] | None = None

    def _start(self, scenario: str, server: tuple[str, int] | None, options: list[str]) -> None:
        self._place.mkdir(parents=True, exist_ok=True)
        (self._place / "scenario.xml").write_text(scenario)
        target = [f"{server[0]}:{server[1]}"] if server else []
        with (self._place / "screen").open("wb") as screen:
            self._child = subprocess.Popen(
                [
                    *sipp(), *target, "-sf", "scenario.xml", "-i", LOOPBACK, "-p", str(self.port),
                    "-mi", LOOPBACK, "-mp", str(free_udp_port()), "-nostdin", "-aa",
                    "-l", str(CALLS_AT_ONCE_MAX), "-recv_timeout", str(FOREVER_MS),
                    "-trace_logs", "-log_file", "log", "-trace_err", "-error_file", "errors",
                    "-watchdog_interval", "0", "-timer_resol", "10", *options,
                ],
                cwd=self._place, env={**os.environ, "TERM": "dumb"},
                stdin=subprocess.DEVNULL, stdout=screen, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def happenings(self) -> list[Happening]:
        """All so far, in order."""
        try:
            text = (self._place / "log").read_text(errors="replace")
        except FileNotFoundError:
            return []
        return [
            one for line in text.splitlines(keepends=True) if (one := _parsed(line)) is not None
        ]

    def of(self, *kinds: str) -> list[Happening]:
        return [one for one in self.happenings() if one.kind in kinds]

    def by_call(self) -> dict[str, list[Happening]]:
        calls: dict[str, list[Happening]] = {}
        for one in self.happenings():
            calls.setdefault(one.call, []).append(one)
        return calls

    def finished(self) -> bool:
        """It has ended by itself: all calls are over."""
        return self._child is not None and self._child.poll() is not None

    def trouble(self) -> str:
        """What SIPp did not expect, and its last words."""
        parts = []
        for name in ("errors", "screen"):
            path = self._place / name
            if path.is_file():
                parts.append(path.read_text(errors="replace")[-3_000:])
        return "\n".join(parts)

    def stop(self) -> None:
        """At once: its calls are left as they are, as when a cable is pulled."""
        if self._child is None:
            return
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait(STOP_S)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.stop()


class Caller(_Sipp):
    """Makes calls at a rate, as if a trunk brought them; ends by itself when all are over."""

    def __init__(
        self, running: Running, calls: Sequence[Call], place: Path, *, port: int,
        rate: float = 5, patience_ms: int = 30_000, talk_ms: int = 3_000,
    ) -> None:  # fmt: skip
        """`port` is the one by which the trunk is known (`Trunk.match` or its own)."""
        super().__init__("caller", place, port)
        self._running = running
        self._calls = calls
        self._rate = rate
        self._scenario = caller(patience_ms=patience_ms, talk_ms=talk_ms)

    def start(self) -> Self:
        self._place.mkdir(parents=True, exist_ok=True)
        deaf = free_udp_port()
        rows = [f"{call.number};{call.to};{call.name};{call.ear or deaf}" for call in self._calls]
        (self._place / "calls.csv").write_text("\n".join(("SEQUENTIAL", *rows)) + "\n")
        options = ["-inf", "calls.csv", "-m", str(len(rows)), "-r", str(int(self._rate * 10)),
                   "-rp", "10000"]  # fmt: skip
        self._start(self._scenario, (LOOPBACK, self._running.sip_port), options)
        return self

    def assert_calling(self) -> None:
        """A SIPp that ended by itself must not pass for a quiet day."""
        assert self._child is not None
        assert self._child.poll() is None, self.trouble()

    def call_no_more(self) -> None:
        """Those who are on the line stay; `finished` when they are done."""
        assert self._child is not None
        self._child.send_signal(signal.SIGUSR1)

    def __enter__(self) -> Self:
        return self.start()


class Phone(_Sipp):
    """Telephones of agents that behave alike, registered with their passwords.

    With no agents it is whoever is reached through a trunk: clients, and agents' mobiles.
    """

    def __init__(
        self, running: Running, agents: Sequence[str], how: Answering, place: Path, *,
        port: int | None = None, passwords: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__("phone", place, port or free_udp_port())
        self._running = running
        self._agents = list(agents)
        self._how = how
        names = {str(agent.id): agent.secret or agent.id for agent in running.plan.agents}
        self._passwords = passwords or {
            agent: running.secrets[names[agent]] for agent in self._agents
        }

    def start(self) -> Self:
        self.register()
        if self._how.speaks:
            self._place.mkdir(parents=True, exist_ok=True)
            (self._place / VOICE).write_bytes(bytes(range(256)) * 31)
        self._start(phone(self._how), None, ["-m", "1000000"])
        try:
            until_now(lambda: _listens(self.port), STOP_S, self.trouble)
        except AssertionError:
            self.stop()
            raise
        return self

    def register(self, expires: int = 3_600) -> None:
        """Before SIPp listens, or after it stopped."""
        server = (LOOPBACK, self._running.sip_port)
        for agent in self._agents:
            code = register(server, self.port, agent, self._passwords[agent], expires=expires)
            assert code == OK, f"registering {agent}: {code}"

    def leave(self) -> None:
        """Stop, and say good-bye to the switch: it knows at once that nobody is there."""
        self.stop()
        self.register(expires=0)

    def __enter__(self) -> Self:
        return self.start()


async def until(
    condition: Callable[[], bool], timeout_s: float, explain: Callable[[], object] = str
) -> None:
    """Wait for a condition; an AssertionError with `explain()` when it does not come."""
    give_up_at = time.monotonic() + timeout_s * PATIENCE
    while not condition():
        assert time.monotonic() < give_up_at, f"not in {PATIENCE} × {timeout_s} s: {explain()}"
        await asyncio.sleep(POLL_S)


def until_now(
    condition: Callable[[], bool], timeout_s: float, explain: Callable[[], object] = str
) -> None:
    """The same without an event loop."""
    pause = threading.Event()
    give_up_at = time.monotonic() + timeout_s * PATIENCE
    while not condition():
        assert time.monotonic() < give_up_at, f"not in {PATIENCE} × {timeout_s} s: {explain()}"
        pause.wait(POLL_S)


def _listens(port: int) -> bool:
    wanted = f"0100007F:{port:04X}"
    return any(
        line.split()[1] == wanted for line in Path("/proc/net/udp").read_text().splitlines()[1:]
    )


def _parsed(line: str) -> Happening | None:
    found = re.fullmatch(r"EV\|(\w+)\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\n", line)
    if found is None:
        # Another program's line, or one that is being written at this moment.
        return None
    kind, agent, who, call, at, detail = found.groups()
    return Happening(kind, agent, who, call, float(at.split("\t")[-1]), detail)
