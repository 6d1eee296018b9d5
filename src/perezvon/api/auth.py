"""Who am I: what a token may do. Tokens are made and revoked by `perezvon token`."""

from fastapi import APIRouter

from perezvon.api.context import ERRORS, SCOPES, Reader, Shown, may

router = APIRouter(tags=["auth"], responses=ERRORS)


class Me(Shown):
    name: str
    scopes: list[str]


@router.get("/auth")
def read_me(token: Reader) -> Me:
    return Me(name=token.name, scopes=[scope for scope in SCOPES if may(token, scope)])
