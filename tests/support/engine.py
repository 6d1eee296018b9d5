"""The engine as its own process beside a private Asterisk: started, killed, started again.

with asterisk(plan, root) as running, EngineProcess(running, root) as engine:
    engine.sign_in("anna", "boris")
    ...
    engine.kill()                       # as a crash does it
    engine.start()
    assert engine.ledger()["balanced"]
    engine.freeze()                     # as a machine that stalls does it
    engine.thaw()

Two on one store: `EngineProcess(running, root, name="other")`, started with `"--standby"`. Both
are asked at one socket, where the one that leads answers.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import select

from perezvon.asterisk import cel
from perezvon.asterisk.console import SOCKET
from perezvon.bootstrap.asterisk import places
from perezvon.core.facts import Fact
from perezvon.core.ids import LegId
from perezvon.runtime.local import ask
from perezvon.runtime.ports import Unavailable
from perezvon.settings import Settings, load
from perezvon.store import plan_export
from perezvon.store.codec import decode_fact
from perezvon.store.database import Location, open_journal_reader
from perezvon.store.schema import journal_facts
from tests.support.asterisk import PASSWORD, Running
from tests.support.loops import run
from tests.support.ports import free_port
from tests.support.sipp import until_now

PROGRAM = ("-m", "perezvon")
READY_S = 60
STOP_S = 10


class EngineProcess:
    def __init__(
        self,
        running: Running,
        root: Path,
        *,
        database_url: str = "",
        ari_port: int | None = None,
        program: Sequence[str] = PROGRAM,
        environment: Mapping[str, str] | None = None,
        name: str = "engine",
        changes: Mapping[str, object] | None = None,
    ) -> None:
        """`ari_port`: where the engine finds ARI, when it is not to ask the switch itself.
        `program` is what Python runs instead of ours, `environment` comes on top of settings,
        `changes` are settings besides those of the switch.
        """
        self.running = running
        self.root = root
        self._program = program
        self._environment = environment or {}
        self.name = name
        self._log = root / f"{name}.log"
        self._child: subprocess.Popen[bytes] | None = None
        self.restart_s = 0.0
        """From the last start to the first heartbeat."""
        root.chmod(0o700)
        plan = root / "plan.yaml"
        plan.write_text(plan_export.dump(running.plan), encoding="utf-8")
        secrets = root / "secrets.json"
        secrets.write_text(json.dumps({"ari_password": PASSWORD, "secrets": dict(running.secrets)}))
        secrets.chmod(0o600)
        site = running.site
        self.settings: Settings = load(
            data_dir=root,
            plan_file=plan,
            database_url=database_url or None,
            sip_port=site.sip_port,
            http_port=ari_port or site.http_port,
            web_port=free_port(),
            hep_port=site.hep_port,
            rtp_from=site.rtp_ports[0],
            rtp_to=site.rtp_ports[1],
            **(changes or {}),
        )
        self.settings.prepare()

    def start(self, *options: str, wait: bool = True) -> Self:
        """`options` of `perezvon engine`. Without `wait` it may not even have begun."""
        assert self._child is None
        self._link_command_line()
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, *self._program, "engine", *options],
                env={**os.environ, **self.settings.environment(), **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if wait:
            begun_at = time.monotonic()
            try:
                self.until_beating()
            except AssertionError:
                self.kill()
                raise
            self.restart_s = time.monotonic() - begun_at
        return self

    @property
    def pid(self) -> int | None:
        """None while it is not running."""
        return None if self._child is None else self._child.pid

    def until_beating(self) -> None:
        """The guard lets calls in."""
        until_now(lambda: bool(self.health().get("beating")), READY_S, self.log_tail)

    def kill(self) -> None:
        """As a crash does it: no time for anything."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        status = self._end(signal.SIGTERM)
        self._unlink_command_line()
        return status

    def _link_command_line(self) -> None:
        """An Asterisk that several tests share does not live where this engine looks for it."""
        ours, theirs = places(self.settings).socket, self.running.process.places.socket
        if ours != theirs and not (ours / SOCKET).is_symlink():
            ours.mkdir(mode=0o700, parents=True, exist_ok=True)
            (ours / SOCKET).symlink_to(theirs / SOCKET)

    def _unlink_command_line(self) -> None:
        ours = places(self.settings).socket
        if (ours / SOCKET).is_symlink():
            with suppress(OSError):
                (ours / SOCKET).unlink()
                ours.rmdir()

    def freeze(self) -> None:
        """It does nothing more, and the world does not learn of it."""
        assert self._child is not None
        self._child.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._child is not None
        self._child.send_signal(signal.SIGCONT)

    def until_ended(self, within_s: float = STOP_S) -> int:
        """It ends by itself; its exit status."""
        assert self._child is not None
        status = self._child.wait(within_s)
        self._child = None
        return status

    def _end(self, number: signal.Signals) -> int:
        child, self._child = self._child, None
        if child is None:
            return 0
        child.send_signal(number)
        child.send_signal(signal.SIGCONT)  # one that is frozen would not hear of it
        try:
            return child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait(STOP_S)

    def ask(self, action: str, **args: object) -> dict[str, Any]:
        return run(ask(self.settings.engine_socket, action, args))

    def health(self) -> dict[str, Any]:
        try:
            return self.ask("health")
        except Unavailable:
            assert self._child is None or self._child.poll() is None, self.log_tail()
            return {}

    def ledger(self) -> dict[str, Any]:
        """What the engine itself says."""
        return self.ask("ledger")

    def told_ledger(self) -> tuple[int, dict[str, Any]]:
        """`perezvon ledger --json`: exit status and what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "perezvon", "ledger", "--json"],
            env={**os.environ, **self.settings.environment()},
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.stdout, done.stderr.decode()
        return done.returncode, json.loads(done.stdout)

    def sign_in(self, *agents: str) -> None:
        self.set_status("available", agents)

    def set_status(self, status: str, agents: Iterable[str]) -> None:
        for agent in agents:
            self.ask("agent.status", agent=agent, status=status, by="test")

    def until_told(self) -> None:
        """All that happened so far is durable: others may read it. At once when it is away."""
        if self.pid is not None:
            until_now(lambda: self.health().get("told", True), READY_S, self.log_tail)

    def facts(self) -> list[Fact]:
        """All so far, in order; of an engine that is away, all that is durable."""
        self.until_told()
        database = open_journal_reader(
            Location(self.settings.data_dir, self.settings.database_url or "")
        )
        try:
            with database.read() as connection:
                bodies = connection.scalars(
                    select(journal_facts.c.body).order_by(journal_facts.c.seq, journal_facts.c.n)
                )
                return [decode_fact(body) for body in bodies]
        finally:
            database.close()

    def arrivals_in_cel(self) -> list[LegId]:
        """Inbound attempts by the second witness."""
        rows = (cel.parse_line(line) for line in self.running.cel_rows())
        tenant = self.running.plan.tenant
        return [row.leg for row in rows if row is not None and cel.is_arrival(row, tenant)]

    def log_tail(self) -> str:
        return self._log.read_text(errors="replace")[-4_000:] if self._log.exists() else ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
