"""What we know of a browser that asks: from which page, from where, and with which cookies.

A page of somebody else can make a browser send our cookies, but not our Origin: whatever changes
something and comes with a cookie has to come from a page of ours, and as JSON, which no form can
send. Programs with a key send no cookie and are not looked at.
"""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from perezvon.api.errors import ApiError

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SESSION: Final = "perezvon_session"
BOARD: Final = "perezvon_board"
SECURE: Final = {SESSION: "__Host-perezvon", BOARD: "__Host-perezvon-board"}
"""Over https: browsers keep cookies so named to this one host, and send them encrypted only."""


def is_own_page(request: HTTPConnection, origins: Collection[str]) -> bool:
    """Whether the page that asks is ours; programs send no Origin."""
    origin = request.headers.get("origin")
    if origin is None or origin in origins:
        return True
    try:
        page = urlsplit(origin)
    except ValueError:
        return False
    # A page that came over http anybody on the way could have written. The other way round is a
    # proxy that we were not told of.
    as_safe = page.scheme == "https" or not _came_by_https(request)
    return as_safe and page.netloc == request.headers.get("host")


def check_own_page(
    request: HTTPConnection, origins: Collection[str], *, program: bool = False
) -> None:
    """For what changes something and is authorised by a cookie, or gives one. `ApiError`.

    `program`: one that is no browser may ask too; those tell neither of the two headers.
    """
    if request.scope["method"] in SAFE:
        return
    headers = request.headers
    if "origin" in headers:
        own = is_own_page(request, origins)
    else:
        site = headers.get("sec-fetch-site")
        own = site in {"same-origin", "none"} or (program and site is None)
    if not own:
        raise ApiError(403, "foreign_page", "asked by a page that is not ours")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and (kind or headers.get("content-length", "0") != "0"):
        raise ApiError(415, "not_json", "a body is JSON, Content-Type: application/json")


def address_of(request: HTTPConnection) -> str:
    """Who asks, a proxy of ours apart (see `proxies`)."""
    return request.client.host if request.client is not None else ""


def cookie_of(request: HTTPConnection, name: str) -> str:
    """Its value, empty when there is none. One that was set over https goes first, and over
    https no other counts: a neighbour on the network could have set it.
    """
    found = request.cookies.get(SECURE[name], "")
    if not found and not _came_by_https(request):
        found = request.cookies.get(name, "")
    return found


def has_cookie(request: HTTPConnection) -> bool:
    """Whether it is a page that was signed in, maybe long ago."""
    return any(cookie_of(request, name) for name in SECURE)


def give_cookie(
    request: HTTPConnection, response: Response, name: str, secret: str, life_ms: int
) -> None:
    secure = _is_https(request)
    response.set_cookie(
        SECURE[name] if secure else name,
        secret,
        max_age=life_ms // 1000,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def take_cookie(request: HTTPConnection, response: Response, name: str) -> None:
    for each in (name, SECURE[name]):
        if each in request.cookies:
            response.delete_cookie(
                each, path="/", secure=each != name, httponly=True, samesite="strict"
            )


def _came_by_https(request: HTTPConnection) -> bool:
    return request.scope["scheme"] in {"https", "wss"}


def _is_https(request: HTTPConnection) -> bool:
    """Also behind a proxy that says nothing: the page's Origin, checked before, tells."""
    return _came_by_https(request) or request.headers.get("origin", "").startswith("https://")
