"""Bodies have a limit, and answers tell browsers to take them literally."""

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from perezvon.api.errors import answer

BODY_BYTES_MAX: Final = 64 * 1024
PLAN_BODY_BYTES_MAX: Final = 7 * 1024 * 1024
"""A plan's text of 1 MiB, were every sign of it escaped."""

_COMMON: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
API_HEADERS: Final = {
    **_COMMON,
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
PAGE_HEADERS: Final = {
    **_COMMON,
    # Styles: the components of the pages set them on elements; scripts: our files alone.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; media-src 'self' blob:; "
        "worker-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}
API: Final = "/api/"
HSTS: Final = {"Strict-Transport-Security": "max-age=15552000"}
"""Half a year; of this name alone, for others under it may be anybody's."""


class Limits:
    def __init__(self, app: ASGIApp, plan_path: str, *, hsts: bool = False) -> None:
        self._app = app
        self._plan_path = plan_path
        self._hsts = hsts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, plan = scope["path"], self._plan_path
        is_plan = path == plan or path.startswith(f"{plan}/")
        most = PLAN_BODY_BYTES_MAX if is_plan else BODY_BYTES_MAX
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdecimal() or len(declared) > 18 or int(declared) > most:  # noqa: PLR2004
            refusal = answer(413, "too_large", f"a body has {most} bytes at most")
            await refusal(scope, receive, _with_headers(send, API_HEADERS))
            return
        ours = API_HEADERS if scope["path"].startswith(API) else PAGE_HEADERS
        if self._hsts and _has_the_name(scope):
            ours = ours | HSTS
        await self._app(scope, _counted(receive, most), _with_headers(send, ours))


def _has_the_name(scope: Scope) -> bool:
    """Whether all of the name's https is ours. Browsers would demand it of the other ports too,
    on which somebody else may serve this machine's http.
    """
    host = Headers(scope=scope).get("host", "")
    return scope["scheme"] == "https" and ":" not in host and host != ""


def _counted(receive: Receive, most: int) -> Receive:
    """What is sent without a declared length is counted as it comes."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise HTTPException(413, f"a body has {most} bytes at most")
        return message

    return counted


def _with_headers(send: Send, ours: Mapping[str, str]) -> Send:
    async def headed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in ours.items():
                headers.setdefault(name, value)
        await send(message)

    return headed
