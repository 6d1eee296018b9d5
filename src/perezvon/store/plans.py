"""Plans as content: one immutable stored plan per version, and the version is its digest.

The digest is over the canonical JSON with the version blank, so that a stored plan proves its
own version, in this release and in any later one.
"""

import dataclasses
import hashlib

import msgspec
from sqlalchemy import Connection, select

from perezvon.core.ids import Instant, PlanVersion
from perezvon.core.plan import Plan, PlanError
from perezvon.runtime.ports import Unavailable
from perezvon.store import schema
from perezvon.store.codec import CodecError
from perezvon.store.database import Location, insert_into, open_journal_reader
from perezvon.store.paging import LIMIT_DEFAULT, Page, fetch

VERSION_LENGTH = 16


@dataclasses.dataclass(frozen=True, slots=True)
class AppliedPlan:
    version: PlanVersion
    seq: int
    at: Instant
    by: str
    """Empty: the plan that the very first start found in its file."""
    comment: str


def encode_plan(plan: Plan) -> bytes:
    """Canonical JSON: keys in order, version blank."""
    blank = dataclasses.replace(plan, version=PlanVersion(""))
    return msgspec.json.encode(blank, order="sorted")


def version_of(plan: Plan) -> PlanVersion:
    return _digest(encode_plan(plan))


def with_version(plan: Plan) -> Plan:
    """The same plan under the version that its content has."""
    return dataclasses.replace(plan, version=version_of(plan))


def decode_plan(data: bytes, where: str = "plan") -> Plan:
    try:
        plan = msgspec.json.decode(data, type=Plan)
    except (msgspec.MsgspecError, UnicodeDecodeError, PlanError) as error:
        raise CodecError(where, f"not a plan: {error}") from error
    return dataclasses.replace(plan, version=_digest(data))


def store_plan(connection: Connection, plan: Plan, now: Instant) -> None:
    """Keep it, unless it is kept already. Only the engine's writer calls this."""
    body = encode_plan(plan)
    if _digest(body) != plan.version:
        raise ValueError(f"plan {plan.version!r} is not what its version says; use with_version")
    connection.execute(
        insert_into(connection, schema.plans)
        .values(version=plan.version, body=body, stored_at=now)
        .on_conflict_do_nothing()
    )


def get_plan(connection: Connection, version: PlanVersion) -> Plan | None:
    body = connection.scalar(select(schema.plans.c.body).where(schema.plans.c.version == version))
    if body is None:
        return None
    plan = decode_plan(body, f"plan {version}")
    if plan.version != version:
        raise CodecError(f"plan {version}", f"its content has the digest {plan.version}")
    return plan


def newest_plan(connection: Connection) -> Plan | None:
    """The plan applied last by an event that did no harm; None before the first."""
    applied = schema.plans_applied
    version = connection.scalar(
        select(applied.c.version)
        .where(applied.c.seq.not_in(select(schema.poisoned.c.seq)))
        .order_by(applied.c.seq.desc())
        .limit(1)
    )
    return None if version is None else get_plan(connection, PlanVersion(version))


def applied_plan(location: Location) -> Plan | None:
    """The same, of a store that nobody has open; None too when no engine ran there yet, or when
    it cannot be read: whoever opens it for writing hears why.
    """
    try:
        database = open_journal_reader(location)
    except Unavailable:
        return None
    try:
        with database.read() as connection:
            return newest_plan(connection)
    except Unavailable:
        return None
    finally:
        database.close()


def list_plans(
    connection: Connection, limit: int = LIMIT_DEFAULT, cursor: str | None = None
) -> Page[AppliedPlan]:
    """Which plans were applied by events that did no harm, newest first."""
    applied = schema.plans_applied
    wanted = select(applied).where(applied.c.seq.not_in(select(schema.poisoned.c.seq)))
    return fetch(
        connection,
        wanted,
        (applied.c.seq,),
        lambda row: AppliedPlan(**row),
        limit=limit,
        cursor=cursor,
    )


def _digest(data: bytes) -> PlanVersion:
    return PlanVersion(hashlib.sha256(data).hexdigest()[:VERSION_LENGTH])
