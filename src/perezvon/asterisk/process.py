"""One Asterisk process in a directory of ours: written down, started, reloaded, stopped.

It dies with the process that started it, is ended by its own id and never by name, and its log
cannot fill the disk. A start that fails says why, with the last lines of the log.
"""

import asyncio
import contextlib
import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perezvon.asterisk import console
from perezvon.asterisk.install import Pbx

BOOT_S = 30
"""The full boot takes under two seconds; a busy machine may need more."""

CLI_S = 20
STOP_S = 8
KILL_S = 5
POLL_S = 0.05

LOG_BYTES_MAX = 20_000_000
CEL_BYTES_MAX = 50_000_000
"""Some fifty thousand calls; then a new segment is begun."""
CEL_KEPT_S = 31 * 24 * 3_600
TAIL_BYTES = 4_000

ROOT_PATH_MAX = 200
"""Asterisk reads its configuration through buffers of 256 bytes."""

SOCKET_PATH_MAX = 100
"""The kernel takes 107 bytes; a little is left for Asterisk's own use."""

PR_SET_PDEATHSIG = 1

RELOAD = (
    "module reload res_pjsip.so",
    "module reload res_pjsip_endpoint_identifier_ip.so",
    "module reload res_pjsip_outbound_registration.so",
    "module reload res_musiconhold.so",
    "module reload res_rtp_asterisk.so",
    "dialplan reload",
    "queue reload all",
)
"""All that a new plan can change. None of them touches a call."""


class AsteriskFailed(Exception):  # noqa: N818 - the condition, as a person would call it
    """Asterisk did not start, does not answer, or died."""


@dataclass(frozen=True)
class Directories:
    """Where one Asterisk keeps what is its own."""

    root: Path
    socket: Path
    """Of the command line's socket: short, whatever the length of `root`."""
    recordings: Path

    @property
    def etc(self) -> Path:
        return self.root / "etc"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def cel(self) -> Path:
        """The second witness of every attempt."""
        return self.log / "cel-custom" / "cel.csv"

    @property
    def queue_log(self) -> Path:
        return self.log / "queue_log"


def directories(
    root: Path, recordings: Path | None = None, socket: Path | None = None
) -> Directories:
    """The layout of a run directory; nothing is made yet. `socket`: a short directory of ours."""
    root = root.absolute()
    socket = (socket or root / "run").absolute()
    if len(os.fsencode(socket / console.SOCKET)) > SOCKET_PATH_MAX:
        # The same root always gives the same place, so that another process finds it too.
        name = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
        socket = Path(tempfile.gettempdir()) / f"perezvon-{os.getuid()}-{name}"
    return Directories(root, socket, (recordings or root / "recordings").absolute())


class AsteriskProcess:
    """Start it from a thread that lives as long as it shall: the kernel ends it with that thread.

    Not bound to an event loop: one loop may start it and another stop it.
    """

    def __init__(
        self, pbx: Pbx, places: Directories, *, death_signal: signal.Signals = signal.SIGTERM
    ) -> None:
        self.pbx = pbx
        self.places = places
        self._death_signal = death_signal
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """None when it does not run."""
        if self._child is None or self._child.poll() is not None:
            return None
        return self._child.pid

    def write(self, files: Mapping[str, str]) -> None:
        """Put the configuration down, each file whole, readable by us alone: secrets are in it."""
        self._make_places()
        for name, text in files.items():
            assert "/" not in name, name
            draft = self.places.etc / f".{name}"
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
                f.write(text)
            draft.replace(self.places.etc / name)

    async def start(
        self, timeout_s: float = BOOT_S, *, promises: Mapping[str, str] | None = None
    ) -> None:
        """Return when it has booted fully and keeps what `provision.promises` says.

        `AsteriskFailed` with the end of its log otherwise.
        """
        assert self.pid is None, "runs already"
        self._child = self._spawn()
        try:
            await self._boot(self._child, time.monotonic() + timeout_s)
            await self._see(promises or {})
        except BaseException:
            await self.stop()
            raise

    async def _see(self, promises: Mapping[str, str]) -> None:
        for command, promise in promises.items():
            if promise not in await self.cli(command):
                raise AsteriskFailed(
                    f"Asterisk came up, but not {promise}: is that port taken?\n{self.log_tail()}"
                )

    async def _boot(self, child: subprocess.Popen[bytes], give_up_at: float) -> None:
        while time.monotonic() < give_up_at:
            if (code := child.poll()) is not None:
                raise AsteriskFailed(f"Asterisk ended with code {code}.\n{self.log_tail()}")
            with contextlib.suppress(AsteriskFailed):
                who, answer = await self._ask("core waitfullybooted", CLI_S)
                # Another may live in this directory; ours is about to see it and to end.
                if f"/{child.pid}/" in who and "fully booted" in answer:
                    # Its last commands are registered a moment after it says so (measured).
                    _, version = await self._ask("core show version", CLI_S)
                    if version.startswith("Asterisk "):
                        return
            await asyncio.sleep(POLL_S)
        raise AsteriskFailed(f"Asterisk did not boot in time.\n{self.log_tail()}")

    async def cli(self, command: str, timeout_s: float = CLI_S) -> str:
        """What Asterisk's command line answers. The command is a fixed text of ours.

        `AsteriskFailed` when it does not answer.
        """
        _, answer = await self._ask(command, timeout_s)
        return answer

    async def _ask(self, command: str, timeout_s: float) -> tuple[str, str]:
        """Who answers, and what."""
        try:
            return await console.ask(self.places.socket, command, timeout_s=timeout_s)
        except console.NoAnswer as error:
            raise AsteriskFailed(str(error)) from error

    async def reload(self) -> None:
        """Take the written configuration over; calls go on."""
        for command in RELOAD:
            await self.cli(command)

    async def wait(self) -> int:
        """Its exit code, when it has ended."""
        assert self._child is not None, "was never started"
        # Polled: the child belongs to no event loop, whose child watcher would end with it.
        while (code := self._child.poll()) is None:  # noqa: ASYNC110
            await asyncio.sleep(POLL_S * 4)
        return code

    async def stop(self, grace_s: float = STOP_S) -> None:
        """End it: politely, so that recordings are closed, then by force."""
        child = self._child
        if child is None:
            return
        for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, KILL_S)):
            if child.poll() is not None:
                break
            child.send_signal(number)
            give_up_at = time.monotonic() + patience_s
            while child.poll() is None and time.monotonic() < give_up_at:  # noqa: ASYNC110 - so
                await asyncio.sleep(POLL_S)
        self._child = None
        if self.places.socket.parent != self.places.root:
            # Others may have sockets in it too.
            with contextlib.suppress(OSError):
                self.places.socket.rmdir()

    def signal(self, number: signal.Signals) -> None:
        """For a watchdog, and for tests that freeze it."""
        if self._child is not None:
            self._child.send_signal(number)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def tend(self) -> None:
        """Keep log and CEL within their limits; to be called now and then.

        Asterisk opens the log for appending, so it can be cut under it. Its own rotation would
        also rotate queue_log, in which the import has a place. CEL is opened anew for each row,
        so it is put aside by its name; the witness reads an old segment to its end.
        """
        self._tend_cel()
        log = self.places.log / "messages"
        with contextlib.suppress(FileNotFoundError):
            if log.stat().st_size > LOG_BYTES_MAX:
                shutil.copyfile(log, log.with_name("messages.1"))
                os.truncate(log, 0)

    def _tend_cel(self) -> None:
        cel = self.places.cel
        now = time.time()
        with contextlib.suppress(FileNotFoundError):
            if cel.stat().st_size > CEL_BYTES_MAX:
                cel.rename(cel.with_name(f"{cel.name}.{int(now)}"))
        for segment in cel.parent.glob(f"{cel.name}.*"):
            with contextlib.suppress(FileNotFoundError):
                if now - segment.stat().st_mtime > CEL_KEPT_S:
                    segment.unlink()

    def log_tail(self) -> str:
        """The last lines that say why it failed."""
        for name in ("messages", "console"):
            text = _tail(self.places.log / name)
            if text:
                return text
        return "It left no log."

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._make_places()
        with (self.places.log / "console").open("wb") as console:
            return subprocess.Popen(
                [*self.pbx.command, "-f", "-C", str(self.places.etc / "asterisk.conf")],
                env={**os.environ, **self.pbx.env},
                cwd=self.places.root,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                # Ctrl-C in a terminal is for our supervisor, which stops things in order.
                start_new_session=True,
                preexec_fn=die_with_parent(self._death_signal),  # noqa: PLW1509 - one system call
            )

    def _make_places(self) -> None:
        places = self.places
        if len(os.fsencode(places.root)) > ROOT_PATH_MAX:
            raise AsteriskFailed(f"{places.root} is too long a path for Asterisk.")
        spool = ("tmp", "outgoing", "recording", "system", "uniqueid")
        made: Sequence[Path] = (
            places.root, places.etc, places.log, places.state, places.spool, places.recordings,
            places.state / "keys",
            # Without these two every row of the witness would be lost with one line in the log.
            places.log / "cel-custom", places.log / "cdr-csv",
            *(places.spool / name for name in spool),
        )  # fmt: skip
        for place in made:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if places.socket.parent == places.root:
            places.socket.mkdir(mode=0o700, exist_ok=True)
        else:
            _own(places.socket)
        monitor = places.spool / "monitor"
        if not monitor.is_symlink():
            # The dialplan names recordings relatively: no path can break its syntax.
            monitor.symlink_to(places.recordings)


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """To be called in a child between fork and exec: the kernel then ends it with its parent."""
    # Looked up before the fork: after it nothing may be allocated safely.
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:
            os._exit(1)

    return ask_the_kernel


def _own(place: Path) -> None:
    """Make a directory that only we can enter; somebody else's is refused."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if place.is_symlink() or place.stat().st_uid != os.getuid():
        raise AsteriskFailed(f"{place} belongs to somebody else.")


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - TAIL_BYTES))
            return log.read().decode(errors="replace").strip()
    except OSError:
        return ""
