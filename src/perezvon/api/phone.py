"""The softphone: its line to the switch, its password for a while, and how its sound gets through.

The line is a WebSocket with the subprotocol `sip` (see `phone_relay`): `?page=` names the page that
has it, `?got=` how much of the line it has, should it come back after a cut.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import re
import time
from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Request, WebSocket, WebSocketDisconnect
from pydantic import BaseModel

from perezvon.api.access import Principal, needs
from perezvon.api.browser import is_own_page
from perezvon.api.context import ERRORS, Context, Ctx
from perezvon.api.errors import ApiError
from perezvon.api.phone_relay import NOT_ALLOWED, UNAUTHORISED, Relay
from perezvon.api.roles import Permission
from perezvon.api.trail import trail_of
from perezvon.runtime.local import Refused
from perezvon.runtime.ports import Unavailable

router = APIRouter(tags=["phone"], responses=ERRORS)

ICE_S: Final = 3_600
"""For how long a page may begin to use the relay of sound. It asks anew with each password; a talk
that began goes on.
"""

User: TypeAlias = Annotated[Principal, needs(Permission.USE_PHONE)]

_PAGE: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")
_COUNT: Final = re.compile(r"\d{1,9}")


class PhoneCredentials(BaseModel):
    """What the softphone registers with, until `expires_at`."""

    username: str
    password: str
    expires_at: int


class IceServer(BaseModel):
    """As a browser takes it."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class Ice(BaseModel):
    servers: list[IceServer]
    expires_at: int


def agent_of(principal: Principal) -> str:
    if principal.agent is None:
        raise ApiError(404, "no_phone", "you are no agent of the plan")
    return principal.agent


def turn_password(secret: str, name: str) -> str:
    """That of a name, where we and the TURN server know the secret."""
    digest = hmac.new(secret.encode(), name.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


@router.post("/phone/credentials")
async def create_phone_credentials(request: Request, ctx: Ctx, principal: User) -> PhoneCredentials:
    agent = agent_of(principal)
    trail_of(request).quiet = True
    return PhoneCredentials.model_validate(await ctx.ask("phone.credentials", {"agent": agent}))


@router.get("/phone/ice")
def read_ice(ctx: Ctx, principal: User) -> Ice:
    agent = agent_of(principal)
    way = ctx.softphones
    until_s = int(time.time()) + ICE_S
    servers = [IceServer(urls=[way.stun])] if way.stun else []
    if way.turn:
        # The relay of sound knows no agents: a name with an end, and our signature under it.
        name = f"{until_s}:{agent}"
        credential = turn_password(way.turn_secret, name)
        servers.append(IceServer(urls=[way.turn], username=name, credential=credential))
    return Ice(servers=servers, expires_at=until_s * 1_000)


@router.websocket("/phone")
async def connect(socket: WebSocket) -> None:
    context: Context = socket.app.state.context
    relay: Relay = socket.app.state.softphones
    page, got = socket.query_params.get("page", ""), socket.query_params.get("got", "0")
    known = is_own_page(socket, context.origins) and "sip" in socket.scope["subprotocols"]
    if not known or not _PAGE.fullmatch(page) or not _COUNT.fullmatch(got):
        # Before the handshake is accepted: the browser's page learns nothing at all.
        await socket.close(NOT_ALLOWED)
        return
    await socket.accept(subprotocol="sip")
    code = UNAUTHORISED
    agent = await _who(socket, context)
    if agent is not None:

        async def allowed() -> bool:
            return await _who(socket, context, otherwise=agent) == agent

        code = await relay.serve(socket, agent, page, int(got), allowed)
        if code == UNAUTHORISED and not relay.pages_of(agent):
            with contextlib.suppress(Unavailable, Refused):
                await context.ask("phone.forget", {"agent": agent})
    # He may be gone already, and then there is nothing left to close.
    with contextlib.suppress(RuntimeError, WebSocketDisconnect, OSError):
        await socket.close(code)


async def _who(socket: WebSocket, context: Context, otherwise: str | None = None) -> str | None:
    """Which agent asks; None when it is none, or he may not."""
    try:
        principal = await asyncio.to_thread(context.principal_of, socket)
    except Unavailable:
        # The store is away: who was let in before goes on.
        return otherwise
    if principal is None or not principal.may(Permission.USE_PHONE):
        return None
    return None if principal.must_change_password else principal.agent
