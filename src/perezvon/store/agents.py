"""Agents: status, device and loans of each, and the log of how his status changed."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from perezvon.core import facts as f
from perezvon.core.ids import Instant
from perezvon.store.database import Database, insert_into
from perezvon.store.paging import LIMIT_DEFAULT, LIMIT_MAX, Page, between, fetch
from perezvon.store.schema import agent_log, agents, loans


@dataclass(frozen=True, slots=True)
class AgentRow:
    id: str
    status: str
    since_at: int
    reason: str
    by: str
    call: str | None
    reachable: bool
    device: str | None
    """Chosen last, by whomever; None: never, so it is his own."""


@dataclass(frozen=True, slots=True)
class LoanRow:
    agent: str
    group: str
    until_at: int
    by: str


@dataclass(frozen=True, slots=True)
class StatusRow:
    fact: int
    agent: str
    at: int
    status: str
    reason: str
    by: str
    call: str | None


def list_agents(database: Database) -> list[AgentRow]:
    """All that ever had a status, by id; `LIMIT_MAX` at most."""
    with database.read() as connection:
        rows = connection.execute(select(agents).order_by(agents.c.id).limit(LIMIT_MAX))
        return [AgentRow(**row) for row in rows.mappings()]


def list_loans(database: Database) -> list[LoanRow]:
    """All that have not ended, by agent and group; `LIMIT_MAX` at most."""
    with database.read() as connection:
        wanted = select(loans).order_by(loans.c.agent, loans.c.group).limit(LIMIT_MAX)
        return [LoanRow(**row) for row in connection.execute(wanted).mappings()]


def list_statuses(
    database: Database,
    *,
    agent: str | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
) -> Page[StatusRow]:
    """The log, newest first."""
    wanted = between(select(agent_log), agent_log.c.at, since, until)
    if agent is not None:
        wanted = wanted.where(agent_log.c.agent == agent)
    with database.read() as connection:
        return fetch(
            connection,
            wanted,
            (agent_log.c.at, agent_log.c.fact),
            lambda row: StatusRow(**row),
            limit=limit,
            cursor=cursor,
        )


def next_status_at(database: Database, agent: str, at: Instant) -> Instant | None:
    """When the status that he took at this moment was over; None: it holds still."""
    of_him = (agent_log.c.agent == agent, agent_log.c.at > at)
    with database.read() as connection:
        return connection.execute(select(func.min(agent_log.c.at)).where(*of_him)).scalar()


def fold(connection: Connection, fact: f.Fact, number: int) -> None:
    """`number` is the fact's own in this database: key of its line in the log."""
    match fact:
        case f.AgentStatusChanged():
            told = {
                "status": fact.status.value,
                "reason": fact.reason,
                "by": fact.by,
                "call": fact.call,
            }
            _know(connection, fact.agent, **told, since_at=fact.at)
            connection.execute(
                insert_into(connection, agent_log)
                .values(fact=number, agent=fact.agent, at=fact.at, **told)
                .on_conflict_do_nothing()
            )
        case f.AgentReachableChanged():
            _know(connection, fact.agent, reachable=fact.reachable)
        case f.AgentDeviceChosen():
            _know(connection, fact.agent, device=fact.device.value)
        case f.LoanBegan():
            until: dict[str, object] = {"until_at": fact.until_at, "by": fact.by}
            connection.execute(
                insert_into(connection, loans)
                .values({"agent": fact.agent, "group": fact.group, **until})
                .on_conflict_do_update(index_elements=["agent", "group"], set_=until)
            )
        case f.LoanEnded():
            of_him = (loans.c.agent == fact.agent, loans.c.group == fact.group)
            connection.execute(delete(loans).where(*of_him))
        case _:
            pass


def _know(connection: Connection, agent: str, **values: object) -> None:
    unknown: dict[str, object] = {
        "status": f.Status.SIGNED_OUT.value,
        "since_at": 0,
        "reason": "",
        "by": "",
        "reachable": True,
    }
    connection.execute(
        insert_into(connection, agents)
        .values({"id": agent, **unknown, **values})
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )
