"""Telephones: what to type into one, so that it is an agent's."""

from typing import Annotated

import segno
from fastapi import APIRouter, Request

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, Ctx, PathId, Shown
from perezvon.api.errors import ApiError, not_found
from perezvon.api.plan import in_force
from perezvon.api.roles import Permission
from perezvon.core.plan import DeviceKind

router = APIRouter(tags=["phones"], responses=ERRORS)


class PhoneSettings(Shown):
    agent: str
    server: str
    port: int
    transport: str
    username: str
    secret: str
    text: str
    """All of it, a line each."""
    svg: str
    """The same as a picture, for a telephone's camera."""


@router.post("/phones/{agent}/settings")
def read_phone_settings(
    ctx: Ctx,
    _principal: Annotated[Principal, needs(Permission.CHANGE_PLAN)],
    request: Request,
    agent: PathId,
) -> PhoneSettings:
    """With the secret of one telephone. Not a GET: who saw it is in the audit log."""
    plan = in_force(ctx)
    known = next((each for each in plan.agents if each.id == agent), None)
    if known is None:
        raise not_found("agent")
    if DeviceKind.SIP not in known.devices:
        raise ApiError(422, "no_sip_phone", "this agent has no SIP telephone", "agent")
    secret = ctx.phones.secret_of(known.secret or known.id) if ctx.phones is not None else ""
    if ctx.phones is None or not secret:
        raise ApiError(503, "secrets_away", "this installation has made no secret for it yet")
    # As `asterisk.pjsip` names endpoints: his own device as him, another one after a `~` too.
    username = known.id if known.device is DeviceKind.SIP else f"{known.id}~{DeviceKind.SIP.value}"
    server = ctx.phones.host or request.url.hostname or ""
    lines = {
        "SIP server": f"{server}:{ctx.phones.port}",
        "Transport": "UDP",
        "User": username,
        "Password": secret,
    }
    text = "\n".join(f"{name}: {value}" for name, value in lines.items())
    picture = segno.make(text, error="m", micro=False).svg_inline(scale=4, border=2, light="#fff")
    return PhoneSettings(
        agent=known.id,
        server=server,
        port=ctx.phones.port,
        transport="UDP",
        username=username,
        secret=secret,
        text=text,
        svg=picture,
    )
