"""The audit log, written in one place: whatever changes something leaves a row when it is done.

A route need not do anything for it. It may put into the trail what was there before. The row is
written before the answer leaves, so who has seen an answer finds its row.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from perezvon.api.access import Principal
from perezvon.api.browser import SAFE, address_of
from perezvon.api.context import Context
from perezvon.runtime.masking import mask_number
from perezvon.runtime.ports import Unavailable
from perezvon.store import audit

log = structlog.get_logger("audit")

BODY_BYTES_MAX: Final = 16 * 1024
"""Of a longer one (a plan) only the length is kept: the plan itself is in its versions."""
TEXT_MAX: Final = 500
ITEMS_MAX: Final = 50
SECRETS: Final = ("password", "secret", "code", "token", "totp")
"""Parts of the names of fields whose values are never kept."""
NUMBERS: Final = ("number", "to_number")
"""Of clients: masked, for the log outlives a client's wish to be forgotten."""
FORBIDDEN: Final = 403


@dataclass(slots=True)
class Trail:
    """Of one request; routes find it with `trail_of`."""

    principal: Principal | None = None
    who: str = ""
    """Who says that he is this, where nobody is signed in."""
    before: object = None
    object: dict[str, str] = field(default_factory=dict)
    """What was made, where the address does not have it."""
    always: bool = False
    """Refusals too: tries to sign in."""
    quiet: bool = False
    """It only asked, by a question too long for an address; or a page does it each few minutes."""
    reading: bool = False
    """It changes nothing, and is to be in the log all the same: who listened to whom."""


def trail_of(request: HTTPConnection) -> Trail:
    trail = request.scope["state"]["trail"]
    assert isinstance(trail, Trail)
    return trail


class Audited:
    """The layer around all routes."""

    def __init__(self, app: ASGIApp, context: Context, prefix: str) -> None:
        self._app = app
        self._context = context
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trail = Trail()
        scope.setdefault("state", {})["trail"] = trail
        is_safe = scope["method"] in SAFE
        body = bytearray()

        async def heard() -> Message:
            message = await receive()
            if len(body) <= BODY_BYTES_MAX:
                body.extend(message.get("body", b""))
            return message

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and (trail.reading or not is_safe):
                await self._note(scope, trail, int(message["status"]), bytes(body))
            await send(message)

        await self._app(scope, heard, told)

    async def _note(self, scope: Scope, trail: Trail, status: int, body: bytes) -> None:
        if trail.quiet:
            return
        who = trail.principal
        refused = status >= 400  # noqa: PLR2004 - HTTP
        if refused and not trail.always and not (who is not None and status == FORBIDDEN):
            return
        connection = HTTPConnection(scope)
        route = scope.get("route")
        path = str(getattr(route, "path_format", scope["path"])).removeprefix(self._prefix)
        ids = {str(name): str(value) for name, value in scope.get("path_params", {}).items()}
        try:
            await asyncio.to_thread(
                audit.note,
                self._context.books.stored,
                self._context.now(),
                kind=who.kind.value if who is not None else "nobody",
                who=who.name if who is not None else trail.who,
                who_id=who.id if who is not None else "",
                address=address_of(connection),
                action=f"{scope['method']} {path}",
                object_=ids | trail.object,
                status=status,
                detail=_detail(trail.before, body),
            )
        except Unavailable:
            # It is done by now; that it is not in the log must at least be in the other one.
            log.exception("audit_lost", method=scope["method"], path=path, status=status)


def _detail(before: object, body: bytes) -> dict[str, Any]:
    detail: dict[str, Any] = {}
    if before is not None:
        detail["before"] = shown(before)
    if len(body) > BODY_BYTES_MAX:
        detail["after"] = {"too_long": True}
    elif body:
        try:
            detail["after"] = shown(json.loads(body))
        except (ValueError, RecursionError):
            detail["after"] = {"malformed": True}
    return detail


def shown(value: object, name: str = "", depth: int = 0) -> object:
    """As the log may have it: without secrets, numbers masked, bounded."""
    if any(part in name for part in SECRETS):
        return "***"
    match value:
        case Mapping() if depth < 5:  # noqa: PLR2004 - deeper, nobody reads it
            pairs = list(value.items())[:ITEMS_MAX]
            return {
                str(key)[:TEXT_MAX]: shown(each, str(key).lower(), depth + 1) for key, each in pairs
            }
        case list() | tuple() if depth < 5:  # noqa: PLR2004 - the same
            return [shown(each, name, depth + 1) for each in value[:ITEMS_MAX]]
        case str():
            return mask_number(value) if name in NUMBERS else value[:TEXT_MAX]
        case bool() | int() | float() | None:
            return value
        case _:
            return "…"
