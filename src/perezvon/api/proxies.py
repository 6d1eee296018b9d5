"""The outermost layer: who asks, and over what, when a reverse proxy of ours asks on his behalf.

All layers below see the one who asked, his address and his scheme, as if there were no proxy. Of
anybody else what he says of himself is not believed: it would let him try passwords without limit.
"""

from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

ADDRESS_LENGTH_MAX: Final = 60
_SCHEMES: Final = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_OF_SOCKETS: Final = {"http": "ws", "https": "wss"}
_MAPPED: Final = "::ffff:"
"""Before the IPv4 address of who comes to a socket that takes both kinds."""


class Proxied:
    def __init__(self, app: ASGIApp, proxies: Collection[str]) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"} and scope.get("client") is not None:
            scope = {**scope, **self._seen(scope)}
        await self._app(scope, receive, send)

    def _seen(self, scope: Scope) -> dict[str, object]:
        host, port = scope["client"]
        peer = host.removeprefix(_MAPPED) if "." in host else host
        if peer not in self._proxies:
            return {"client": (peer, port)}
        headers = Headers(scope=scope)
        hops = _listed(headers.getlist("x-forwarded-for"))
        asked = next((hop for hop in reversed(hops) if hop not in self._proxies), None)
        seen: dict[str, object] = {
            "client": (asked[:ADDRESS_LENGTH_MAX], 0) if asked else (peer, port)
        }
        # The last is what the proxy next to us says; those before it came from outside.
        told = _listed(headers.getlist("x-forwarded-proto"))[-1:]
        scheme = _SCHEMES.get(told[0].lower()) if told else None
        if scheme is not None:
            seen["scheme"] = scheme if scope["type"] == "http" else _OF_SOCKETS[scheme]
        return seen


def _listed(values: list[str]) -> list[str]:
    parts = [part.strip() for value in values for part in value.split(",")]
    return [part for part in parts if part]
