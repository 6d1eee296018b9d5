"""Results: what a call came to, with tags, a comment and when to call next."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, MOMENT_MAX, Ctx, Id, PathId, Shown
from perezvon.api.desk_plan import project_of, results_for
from perezvon.api.errors import ApiError, not_found
from perezvon.api.roles import Permission, Reach
from perezvon.store.any_call import find_call
from perezvon.store.history import was_offered
from perezvon.store.results import ResultRow, list_notes, note_result

router = APIRouter(tags=["results"], responses=ERRORS)

COMMENT_LENGTH_MAX = 2_000
TAGS_MAX = 10

_LINES = r"^[^\x00-\x09\x0b-\x1f\x7f]*$"
"""Printable, and ends of lines."""
Tag = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=40, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]
Comment = Annotated[str, StringConstraints(max_length=COMMENT_LENGTH_MAX, pattern=_LINES)]


class ResultBody(Shown):
    result: Id
    tags: list[Tag] = Field(default_factory=list, max_length=TAGS_MAX)
    comment: Comment = ""
    next_at: Annotated[int | None, Field(ge=0, le=MOMENT_MAX)] = None
    """When the client was promised another call."""


class Result(Shown):
    result: str
    tags: list[str]
    comment: str
    next_at: int | None
    by: str
    at: int


class Results(Shown):
    permitted: list[str]
    items: list[Result]
    """Newest first; the first one holds."""


# A call-back's id has a slash in it.
@router.get("/calls/{call:path}/results")
def read_results(
    ctx: Ctx, principal: Annotated[Principal, needs(Permission.SEE_CALLS)], call: PathId
) -> Results:
    """What may be noted of this call, and what was."""
    stored = ctx.books.fresh()
    found = find_call(stored, call, ctx.within(principal, Permission.SEE_CALLS))
    if found is None:
        raise not_found("call")
    permitted = results_for(project_of(ctx.books.plan(), found.queue, found.did))
    items = [Result.model_validate(row) for row in list_notes(stored, call)]
    return Results(permitted=list(permitted), items=items)


@router.put("/calls/{call:path}/result")
def write_result(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.NOTE_RESULT)],
    call: PathId,
    body: ResultBody,
) -> Result:
    """The last one holds; those before it are kept. An agent notes what rang him, though of his
    colleagues' call-backs he sees more.
    """
    stored = ctx.books.fresh()
    found = find_call(stored, call, ctx.within(principal, Permission.NOTE_RESULT))
    is_own_only = principal.reach(Permission.NOTE_RESULT) is Reach.OWN
    if found is None or (is_own_only and not was_offered(stored, principal.own_agent(), call=call)):
        raise not_found("call")
    permitted = results_for(project_of(ctx.books.plan(), found.queue, found.did))
    if body.result not in permitted:
        raise ApiError(422, "unknown_result", "the call's project has no such result", "result")
    row = ResultRow(
        call=call,
        person=found.person,
        agent=principal.agent or found.agent,
        result=body.result,
        tags=tuple(dict.fromkeys(body.tags)),
        comment=body.comment.strip(),
        next_at=body.next_at,
        by=principal.by,
        at=ctx.now(),
    )
    note_result(stored, row)
    return Result.model_validate(row)
