"""The web process beside an engine of a test, on a free port.

with EngineProcess(running, root) as engine, WebProcess(engine) as web:
    web.address     # http://127.0.0.1:40123
    web.key()       # an API key that may read

Also by TLS, where the settings that are changed say so.
"""

import http.client
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from perezvon.store.books import Books
from perezvon.store.database import Location
from perezvon.store.journal import wall_clock
from perezvon.store.tokens import create_token
from tests.support.engine import EngineProcess
from tests.support.ports import LOOPBACK
from tests.support.sipp import until_now

READY_S = 30
STOP_S = 10


class WebProcess:
    def __init__(
        self,
        engine: EngineProcess,
        *,
        port: int | None = None,
        changes: Mapping[str, str] | None = None,
    ) -> None:
        """`port`: of a second one beside that of the engine's settings; `changes`: of settings."""
        self._settings = engine.settings
        self._log = engine.root / f"web-{port or ''}.log"
        self._child: subprocess.Popen[bytes] | None = None
        self.port = port or engine.settings.web_port
        self._changes = {f"PEREZVON_{key.upper()}": value for key, value in (changes or {}).items()}
        self._secure = "PEREZVON_WEB_TLS" in self._changes
        self.address = f"{'https' if self._secure else 'http'}://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """None while it is not running."""
        return None if self._child is None else self._child.pid

    def key(self, *scopes: str) -> str:
        books = Books.open(Location(self._settings.data_dir, self._settings.database_url or ""))
        try:
            return create_token(books.stored, "test", scopes or ("read",), wall_clock())[1]
        finally:
            books.close()

    def start(self) -> Self:
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "perezvon", "web"],
                env={
                    **os.environ,
                    **self._settings.environment(),
                    "PEREZVON_WEB_PORT": str(self.port),
                    **self._changes,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            until_now(self._answers, READY_S, self.log_tail)
        except AssertionError:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def log_tail(self) -> str:
        return self._log.read_text(errors="replace")[-3_000:] if Path(self._log).exists() else ""

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=2)
        if self._secure:
            # Whether it is to be trusted is another question.
            unasked = ssl._create_unverified_context()  # noqa: S323 - see above
            connection = http.client.HTTPSConnection(
                LOOPBACK, self.port, timeout=2, context=unasked
            )
        try:
            connection.request("GET", "/api/v1/health")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
