"""The manager interface (AMI): for the few things that ARI does not tell, and for nothing else.

Promises: a link that ends is made again; nothing that is read grows without a bound; a line or a
block that is not as it should be is skipped. What is sent is not kept and not repeated: who asks
is answered by events, or asks again. Nothing read here is logged: an answer may hold a password.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from perezvon.core.ids import Duration

Block: TypeAlias = Mapping[str, str]
"""One answer or event; of a key that comes twice the last value."""

CONNECT_MS: Duration = 3_000
BACK_OFF_MS = (200, 500, 1_000, 2_000, 5_000)
PING_MS: Duration = 10_000
SILENT_MS: Duration = 25_000
"""So long without a word, though we ping: the link is dead."""

LINE_BYTES_MAX = 8 * 1024
LINES_MAX = 200
"""Of one block. The rest of a longer one is skipped."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """On the loopback only: it speaks in clear."""

    port: int
    user: str
    secret: str = field(repr=False)
    host: str = "127.0.0.1"


class LoginError(Exception):
    """The switch has another secret, or no such user."""


class Ami:
    """`on_link` is called when the login is through, `on_event` with each event."""

    def __init__(
        self,
        address: Address,
        *,
        on_event: Callable[[Block], None],
        on_link: Callable[[], None],
    ) -> None:
        self._address = address
        self._on_event = on_event
        self._on_link = on_link
        self._writer: asyncio.StreamWriter | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.linked = False

    def start(self) -> None:
        """Return at once; the link comes when the switch is there."""
        self._keeper = asyncio.create_task(self._keep_linked(), name="ami-link")

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    def send(self, action: str, **fields: str) -> bool:
        """False: there is no link, and nothing was sent. Values must be ours: they are one line."""
        if not self.linked:
            return False
        self._write(action, fields)
        return True

    def _write(self, action: str, fields: Mapping[str, str]) -> None:
        assert self._writer is not None
        lines = [f"{key}: {value}" for key, value in {"Action": action, **fields}.items()]
        assert all(line.isprintable() for line in lines), action
        self._writer.write("\r\n".join((*lines, "", "")).encode())

    async def _keep_linked(self) -> None:
        failures = 0
        while True:
            try:
                await self._link_once()
            except (OSError, TimeoutError, EOFError, LoginError) as error:
                log.info("no link to the manager", extra={"error": type(error).__name__})
            except Exception:
                # A fault of ours in one event must not leave us deaf.
                log.exception("link to the manager broken by a fault of ours")
            failures = 0 if self.linked else failures + 1
            self.linked = False
            await asyncio.sleep(BACK_OFF_MS[min(failures, len(BACK_OFF_MS) - 1)] / 1_000)

    async def _link_once(self) -> None:
        async with asyncio.timeout(CONNECT_MS / 1_000):
            reader, self._writer = await asyncio.open_connection(
                self._address.host, self._address.port, limit=LINE_BYTES_MAX
            )
        try:
            async with asyncio.timeout(CONNECT_MS / 1_000):
                await self._log_in(reader)
            self.linked = True
            self._on_link()
            pinging = asyncio.create_task(self._ping(), name="ami-ping")
            try:
                await self._listen(reader)
            finally:
                pinging.cancel()
        finally:
            writer, self._writer = self._writer, None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _log_in(self, reader: asyncio.StreamReader) -> None:
        await _read_line(reader)  # its name and version
        secret = self._address.secret
        self._write("Login", {"Username": self._address.user, "Secret": secret})
        while (answer := await read_block(reader)).get("Response") is None:
            pass
        if answer["Response"] != "Success":
            raise LoginError

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            async with asyncio.timeout(SILENT_MS / 1_000):
                block = await read_block(reader)
            if "Event" in block:
                self._on_event(block)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_MS / 1_000)
            self._write("Ping", {})


async def read_block(reader: asyncio.StreamReader) -> dict[str, str]:
    """Up to the next empty line. `EOFError` at the end of the stream."""
    block: dict[str, str] = {}
    count = 0
    while (line := await _read_line(reader)).strip():
        key, colon, value = line.partition(":")
        count += 1
        if colon and count <= LINES_MAX:
            block[key.strip()] = value.strip()
    return block


async def _read_line(reader: asyncio.StreamReader) -> str:
    """One line; of a longer one than we take only a mark that makes no sense."""
    too_long = False
    while True:
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            await reader.readexactly(error.consumed)
            too_long = True
            continue
        except asyncio.IncompleteReadError as error:
            raise EOFError from error
        return "too long" if too_long else line.decode(errors="replace")
