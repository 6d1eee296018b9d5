"""The audit log: who changed what, when, from where. It is written by `trail`, only read here."""

import json
from typing import Annotated, Any

from fastapi import APIRouter

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, LIMIT, Ctx, Cursor, Limit, Moment, QueryId, Shown
from perezvon.api.roles import Permission
from perezvon.store import audit

router = APIRouter(tags=["audit"], responses=ERRORS)


class Change(Shown):
    id: int
    at: int
    kind: str
    who: str
    who_id: str
    address: str
    action: str
    """The route."""
    object: dict[str, Any]
    status: int
    detail: dict[str, Any]


class Changes(Shown):
    items: list[Change]
    next: str | None


@router.get("/audit")
def read_audit(
    ctx: Ctx,
    _principal: Annotated[Principal, needs(Permission.SEE_AUDIT)],
    *,
    since: Moment = None,
    until: Moment = None,
    who: QueryId = None,
    action: QueryId = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Changes:
    """Newest first. Refused tries are in it too, with their `status`."""
    page = audit.list_audit(
        ctx.books.stored,
        since=since,
        until=until,
        who=who,
        action=action,
        limit=limit,
        cursor=cursor,
    )
    items = [
        Change(
            id=row.id,
            at=row.at,
            kind=row.kind,
            who=row.who,
            who_id=row.who_id,
            address=row.address,
            action=row.action,
            object=_parsed(row.object),
            status=row.status,
            detail=_parsed(row.detail),
        )
        for row in page.items
    ]
    return Changes(items=items, next=page.next)


def _parsed(text: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(text)
    return parsed
