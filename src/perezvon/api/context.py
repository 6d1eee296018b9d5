"""What every route needs: the books, the way to the engine, and who asks.

Everything is a value given to `create_app`; nothing here reads settings.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

from fastapi import Depends, Query, Request
from fastapi import Path as InPath
from pydantic import BaseModel, StringConstraints
from starlette.requests import HTTPConnection

from perezvon.api.access import Principal, of_key, of_screen, of_user
from perezvon.api.browser import BOARD, SESSION, cookie_of
from perezvon.api.errors import ErrorBody
from perezvon.api.pages import Pages
from perezvon.api.roles import Permission, Reach
from perezvon.core.ids import Instant
from perezvon.runtime.local import ask
from perezvon.runtime.masking import mask_number
from perezvon.runtime.ports import Person
from perezvon.store.books import Books
from perezvon.store.paging import LIMIT_DEFAULT, LIMIT_MAX
from perezvon.store.sessions import check_session, user_of
from perezvon.store.tokens import check_token
from perezvon.store.vault import Vault
from perezvon.store.within import OfAgent, OfProjects, Within

MOMENT_MAX: Final = 4_102_444_800_000
"""The year 2100: a moment beyond it is a slip of the pen."""

_PRINTABLE: Final = r"^[^\x00-\x1f\x7f]*$"
_text = StringConstraints(max_length=200, pattern=_PRINTABLE)
_id = StringConstraints(min_length=1, max_length=100, pattern=_PRINTABLE)

Text: TypeAlias = Annotated[str, _text]
SomeText: TypeAlias = Annotated[str, _text, StringConstraints(min_length=1)]
Id: TypeAlias = Annotated[str, _id]
PathId: TypeAlias = Annotated[str, InPath(max_length=100, pattern=_PRINTABLE)]
QueryId: TypeAlias = Annotated[str | None, Query(max_length=100, pattern=_PRINTABLE)]
Moment: TypeAlias = Annotated[
    int | None, Query(ge=0, le=MOMENT_MAX, description="Milliseconds since 1970, UTC")
]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
Cursor: TypeAlias = Annotated[
    str | None, Query(max_length=1_000, description="`next` of the page before")
]
LIMIT: Final = LIMIT_DEFAULT

HASHING_AT_ONCE: Final = 2
"""Passwords that are looked at: each takes a processor and 32 MiB for a moment."""


@dataclass(frozen=True, slots=True)
class Phones:
    """How SIP telephones reach the switch."""

    host: str
    """Empty: by the address at which the pages are."""
    port: int
    secret_of: Callable[[str], str]
    """Of a secret's name; empty when it was not made yet."""


@dataclass(frozen=True, slots=True)
class Softphones:
    """Where softphones lead, and how their sound gets through."""

    url: str = ""
    """Where the switch takes SIP over WebSocket; empty: nowhere."""
    stun: str = ""
    turn: str = ""
    turn_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Context:
    books: Books
    engine: Path
    """Socket of the engine."""
    now: Callable[[], Instant]
    origins: tuple[str, ...] = ()
    """Of pages that are ours, besides those of the address that was asked."""
    pages: Pages | None = None
    """None: they were not built."""
    softphones: Softphones = field(default_factory=Softphones)
    vault: Vault | None = None
    """For the seeds of codes; None: there can be none."""
    proxies: tuple[str, ...] = ()
    """Addresses of our own reverse proxies, which say for whom they ask."""
    hsts: bool = False
    """Whether browsers may be told to come over https only, from now on."""
    phones: Phones | None = None
    """None: there is no switch of our own."""
    setup_file: Path | None = None
    """Has the code with which the first user is made."""
    recordings: Path | None = None
    """Where they lie; None: none can be heard here."""
    evidence: Callable[[str], Awaitable[bytes]] | None = None
    """Gathers all that is known of a call, as a zip."""
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HASHING_AT_ONCE))

    def principal_of(self, request: HTTPConnection) -> Principal | None:
        """Who sent it; None: nobody we know. Who sends a key is its holder and nobody else."""
        header = request.headers.get("authorization")
        return self.holder(header) if header is not None else self.signed_in(request)

    def holder(self, header: str) -> Principal | None:
        """Whose key the header has."""
        kind, _, secret = header.partition(" ")
        if kind.lower() != "bearer" or not secret.strip():
            return None
        token = check_token(self.books.stored, secret.strip(), self.now())
        return None if token is None else of_key(token)

    def signed_in(self, request: HTTPConnection) -> Principal | None:
        """Whose session the cookie has: a user's, else a screen's."""
        for name in (SESSION, BOARD):
            secret = cookie_of(request, name)
            session = check_session(self.books.stored, secret, self.now()) if secret else None
            if session is not None and session.link is not None:
                return of_screen(session.link, session.id)
            user = user_of(self.books.stored, session) if session is not None else None
            if session is not None and user is not None:
                return of_user(user, session.id)
        return None

    def within(self, principal: Principal, permission: Permission) -> Within:
        """Over which calls and debts he has it: for every query on his behalf."""
        match principal.reach(permission):
            case Reach.ALL:
                return None
            case Reach.PROJECTS:
                return OfProjects.of(self.books.plan(), principal.projects)
            case Reach.OWN:
                return OfAgent.of(self.books.plan(), principal.agent)

    async def ask(
        self, action: str, args: Mapping[str, Any] | None = None, timeout_s: float = 5
    ) -> dict[str, Any]:
        return await ask(self.engine, action, args, timeout_s)


def context_of(request: Request) -> Context:
    context = request.app.state.context
    assert isinstance(context, Context)
    return context


Ctx: TypeAlias = Annotated[Context, Depends(context_of)]


ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": ErrorBody} for status in (401, 403, 404, 422, 503)
}


class Shown(BaseModel):
    """A body that we send; made from a row of the store by its field names."""

    model_config = {"from_attributes": True}


def client_of(
    person: str | None, persons: Mapping[str, Person], principal: Principal
) -> dict[str, str | None]:
    known = persons.get(person) if person is not None else None
    if known is None:
        return {"number": None, "name": None}
    if principal.sees_numbers:
        return {"number": known.number, "name": known.name or None}
    return {"number": mask_number(known.number), "name": None}
