"""The audit log: who changed what, when and from where. Rows are added and never changed: the
database itself refuses it.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import insert, select

from perezvon.core.ids import Instant
from perezvon.store.database import Database
from perezvon.store.paging import LIMIT_DEFAULT, Page, between, fetch
from perezvon.store.schema import audit

DETAIL_LENGTH_MAX: Final = 20_000
TEXT_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class AuditRow:
    id: int
    at: int
    kind: str
    """Of who did it: a user, a key, nobody yet."""
    who: str
    who_id: str
    address: str
    action: str
    object: str
    """Which one, as JSON of the ids in the route."""
    status: int
    """What was answered; a refusal is in the log too."""
    detail: str
    """What it was and what was asked for, as JSON, without secrets."""


def note(
    database: Database,
    at: Instant,
    *,
    kind: str,
    who: str,
    who_id: str,
    address: str,
    action: str,
    object_: dict[str, str],
    status: int,
    detail: dict[str, Any],
) -> None:
    told = json.dumps(detail, ensure_ascii=False, default=str)
    if len(told) > DETAIL_LENGTH_MAX:
        told = json.dumps({"too_long": len(told)})
    with database.write() as connection:
        connection.execute(
            insert(audit).values(
                at=at,
                kind=kind,
                who=who[:TEXT_MAX],
                who_id=who_id[:TEXT_MAX],
                address=address[:TEXT_MAX],
                action=action[:TEXT_MAX],
                object=json.dumps(object_, ensure_ascii=False)[: 5 * TEXT_MAX],
                status=status,
                detail=told,
            )
        )


def list_audit(
    database: Database,
    *,
    since: Instant | None = None,
    until: Instant | None = None,
    who: str | None = None,
    action: str | None = None,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
) -> Page[AuditRow]:
    """Newest first."""
    wanted = between(select(audit), audit.c.at, since, until)
    for column, value in ((audit.c.who, who), (audit.c.action, action)):
        if value is not None:
            wanted = wanted.where(column == value)
    with database.read() as connection:
        return fetch(
            connection,
            wanted,
            (audit.c.id,),
            lambda row: AuditRow(**row),
            limit=limit,
            cursor=cursor,
        )
