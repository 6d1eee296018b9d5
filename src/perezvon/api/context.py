"""What every route needs: the books, the way to the engine, and who asks.

Everything is a value given to `create_app`; nothing here reads settings.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

from fastapi import Depends, Query, Request
from fastapi import Path as InPath
from pydantic import BaseModel, StringConstraints
from starlette.requests import HTTPConnection

from perezvon.api.access import Principal, of_key
from perezvon.api.errors import ErrorBody
from perezvon.api.pages import Pages
from perezvon.runtime.local import ask
from perezvon.runtime.masking import mask_number
from perezvon.runtime.ports import Person
from perezvon.store.books import Books
from perezvon.store.paging import LIMIT_DEFAULT, LIMIT_MAX
from perezvon.store.tokens import Token

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

CheckToken: TypeAlias = Callable[[str], Token | None]


@dataclass(frozen=True, slots=True)
class Context:
    books: Books
    engine: Path
    """Socket of the engine."""
    check: CheckToken
    origins: tuple[str, ...] = ()
    """Of pages that may open the live feed, besides our own."""
    pages: Pages | None = None
    """None: they were not built."""

    def principal_of(self, request: HTTPConnection) -> Principal | None:
        """Who sent it; None: nobody we know."""
        return self.holder(request.headers.get("authorization"))

    def holder(self, header: str | None) -> Principal | None:
        """Whose key the header has. One way to read it for HTTP and for the feed."""
        kind, _, secret = (header or "").partition(" ")
        if kind.lower() != "bearer" or not secret.strip():
            return None
        token = self.check(secret.strip())
        return None if token is None else of_key(token)

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
