"""A WebSocket whose frames go out together: what one turn asks of the switch is one write.

aiohttp writes each frame alone, and a write to a socket costs more than all else about a small
frame, at both ends. Whatever else is written meanwhile (a pong) keeps its place among them.
"""

import asyncio
from typing import Any

import aiohttp


class _Gathering:
    """Stands before a connection's transport, and holds back what is written until `flush`."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: list[bytes] | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else is the transport's
        return getattr(self._transport, name)

    def hold(self) -> None:
        if self._held is None:
            self._held = []

    def write(self, data: bytes) -> None:
        if self._held is None:
            self._transport.write(data)
        else:
            self._held.append(data)

    def drop(self) -> None:
        self._held = None

    def flush(self) -> None:
        held, self._held = self._held, None
        if held:
            self._transport.write(b"".join(held))


class BurstSocket(aiohttp.ClientWebSocketResponse):
    """Give it to a session as `ws_response_class`."""

    def __init__(self, reader: Any, writer: Any, *args: Any, **options: Any) -> None:  # noqa: ANN401 - aiohttp's
        super().__init__(reader, writer, *args, **options)
        self._gathering = _Gathering(writer.transport)
        writer.transport = self._gathering

    async def gather(self, text: bytes) -> None:
        """Send it at the next `flush`, at the latest."""
        self._gathering.hold()
        await self.send_frame(text, aiohttp.WSMsgType.TEXT)

    def flush(self) -> None:
        """Write what was gathered, at once."""
        self._gathering.flush()

    async def close(self, **how: Any) -> bool:  # noqa: ANN401 - aiohttp's
        """Nothing that was held back is sent any more."""
        self._gathering.drop()
        return await super().close(**how)
