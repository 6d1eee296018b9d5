"""Offers: one row for each ringing of an agent for a call, folded from its facts."""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from perezvon.core import facts as f
from perezvon.core.ids import Instant
from perezvon.store.database import Database, insert_into
from perezvon.store.paging import LIMIT_DEFAULT, Page, between, fetch
from perezvon.store.schema import offers


@dataclass(frozen=True, slots=True)
class OfferRow:
    id: str
    call: str
    agent: str
    queue: str
    debt: str | None
    step: int
    ranking: str
    made_at: int
    ended_at: int | None
    outcome: str | None
    """None while it rings."""
    ring_ms: int | None


def list_offers(
    database: Database,
    *,
    call: str | None = None,
    agent: str | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
) -> Page[OfferRow]:
    """Newest first, by when the ringing began."""
    wanted = between(select(offers), offers.c.made_at, since, until)
    if call is not None:
        wanted = wanted.where(offers.c.call == call)
    if agent is not None:
        wanted = wanted.where(offers.c.agent == agent)
    with database.read() as connection:
        return fetch(
            connection,
            wanted,
            (offers.c.made_at, offers.c.id),
            lambda row: OfferRow(**row),
            limit=limit,
            cursor=cursor,
        )


def fold(connection: Connection, fact: f.Fact) -> None:
    match fact:
        case f.OfferMade():
            connection.execute(
                insert_into(connection, offers)
                .values(
                    id=fact.offer,
                    call=fact.call,
                    agent=fact.agent,
                    queue=fact.queue,
                    debt=fact.debt,
                    step=fact.step,
                    ranking=fact.ranking.value,
                    made_at=fact.at,
                )
                .on_conflict_do_nothing()
            )
        case f.OfferEnded():
            connection.execute(
                update(offers)
                .where(offers.c.id == fact.offer)
                .values(ended_at=fact.at, outcome=fact.outcome.value, ring_ms=fact.ring_ms)
            )
        case _:
            pass
