"""A whole house without telephones: real engine, store, socket and API, joined as they will be."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from perezvon.api.access import Principal, of_key
from perezvon.api.app import create_app
from perezvon.api.browser import SESSION
from perezvon.api.context import Context, Phones
from perezvon.api.pages import Pages
from perezvon.api.roles import Role
from perezvon.bootstrap.engine import target_of
from perezvon.bootstrap.plan_actions import plan_actions
from perezvon.core.commands import Command
from perezvon.core.engine import Engine
from perezvon.core.events import (
    AgentStatusSet,
    ArrivalWitnessed,
    CallArrived,
    Caller,
    ChosenStatus,
    EndCause,
    Event,
    LegEnded,
    NumberClass,
    PlanChanged,
    TimePassed,
)
from perezvon.core.facts import Fact
from perezvon.core.ids import DAY, Instant, LegId, PersonId
from perezvon.core.plan import Plan
from perezvon.runtime.actions import alert_actions, engine_actions
from perezvon.runtime.alerts import Alerts
from perezvon.runtime.board import Feed, board
from perezvon.runtime.call_actions import Target, call_actions
from perezvon.runtime.local import Action, LocalServer
from perezvon.runtime.measures import Measures
from perezvon.runtime.ports import Batch, Row, StoredFact
from perezvon.store import tokens
from perezvon.store.board_links import create_link
from perezvon.store.books import Books
from perezvon.store.database import Location
from perezvon.store.journal import SqlJournal
from perezvon.store.passwords import hashed
from perezvon.store.persons import SqlDirectory
from perezvon.store.plans import with_version
from perezvon.store.sessions import open_session
from perezvon.store.users import User, create_user, find_user
from perezvon.store.vault import Vault
from tests.core.office import ANA, BOB, DID, START, Office, office_plan

IVAN, OLGA, PETR = "+79161234567", "+74951112299", "+79165550303"
BASE = "http://perezvon.test/api/v1"


PASSWORD = "крылатые-качели 7"


@cache
def kept_password() -> str:
    """Slow to make, so it is made once for all tests."""
    return hashed(PASSWORD)


class Diary(Office):
    """An office that keeps what it was told, so that it can be journalled."""

    def __init__(self, plan: Plan, era: str) -> None:
        self.plan = plan
        self.engine = Engine(era, plan)
        self.now = START
        self.commands: list[Command] = []
        self.facts: list[Fact] = []
        self.rows: list[tuple[Instant, Event, list[Fact]]] = []
        self.tell(PlanChanged(plan))
        for agent in plan.agents:
            self.tell(AgentStatusSet(agent.id, ChosenStatus.AVAILABLE))

    def tell(self, *events: Event) -> list[Command]:
        commands = []
        for event in events:
            before = len(self.facts)
            commands += super().tell(event)
            self.rows.append((self.now, event, self.facts[before:]))
        return commands

    def _advance(self, now: Instant) -> None:
        before = len(self.facts)
        super()._advance(now)
        self.rows.append((now, TimePassed(), self.facts[before:]))


class House:
    """`office` is moved by the test; `save` makes all that it did durable."""

    def __init__(
        self, directory: Path, socket: Path | None = None, plan: Plan | None = None
    ) -> None:
        self.location = Location(directory / "data")
        self.socket = socket or directory / "e.sock"
        self.plan = with_version(plan or office_plan(ANA, BOB))
        self.journal = SqlJournal.open(self.location, tenant=self.plan.tenant, wait_ms=0)
        self.directory = SqlDirectory.open(self.location)
        self.office = Diary(self.plan, self.journal.era)
        self.books = Books.open(self.location)
        self.tokens: dict[str, str] = {}
        for scope in ("read", "act", "admin"):
            _, secret = tokens.create_token(self.books.stored, f"the {scope}er", {scope}, START)
            self.tokens[scope] = secret
        self.alerts = Alerts(lambda: self.office.now)
        self.beating = True
        self.origins: tuple[str, ...] = ()
        self.pages: Pages | None = None
        self.vault = Vault(Vault.new_key())
        self.proxies: tuple[str, ...] = ()
        self.hsts = False
        self.setup_file = directory / "setup-code"
        self.phones = Phones(
            "192.0.2.5", 5060, lambda name: "the secret of Ana" if name == ANA else ""
        )
        self.recordings = directory / "data" / "recordings"
        self.evidence: Callable[[str], Awaitable[bytes]] | None = None
        self.wall = START
        """The web process's clock."""
        self.feed = Feed()
        self.seq = 0
        self.save()

    def apply(self, plan: Plan) -> None:
        """Another plan comes into force."""
        self.plan = plan
        self.office.tell(PlanChanged(plan))
        self.save()

    def principal(self, scope: str) -> Principal:
        token = tokens.check_token(self.books.stored, self.tokens[scope], START)
        assert token is not None
        return of_key(token)

    def call(self, number: str, did: str = DID) -> LegId:
        person = self.directory.person_of(number, "Иван <b>")
        leg = LegId(f"1.{len(self.office.facts)}")
        self.office.tell(CallArrived(leg, did, Caller(person, NumberClass.MOBILE)))
        return leg

    def witness(self, number: str, *, in_fallback: bool) -> None:
        """The second witness tells of an attempt that never came to us."""
        caller = Caller(self.directory.person_of(number, "Пётр"), NumberClass.MOBILE)
        leg, now = LegId(f"1.{len(self.office.facts)}"), self.office.now
        self.office.tell(
            ArrivalWitnessed(leg, DID, caller, now - 9_000, now - 2_000, in_fallback=in_fallback)
        )

    def hang_up(self, leg: LegId) -> None:
        self.office.tell(LegEnded(leg, EndCause.NORMAL))

    def save(self) -> None:
        rows, facts = [], []
        for now, event, told in self.office.rows:
            self.seq += 1
            rows.append(Row(self.seq, now, event))
            facts += [StoredFact(self.seq, n, fact) for n, fact in enumerate(told)]
        self.office.rows.clear()
        if rows:
            self.journal.commit(Batch(rows, facts, persons=self.directory.drain()))
        self.feed.publish(board(self.office.engine, self.office.now, self.who, self.alerts))

    def who(self, person: PersonId) -> tuple[str, str]:
        return self.directory.number_of(person) or "", self.directory.name_of(person)

    def actions(self) -> dict[str, Action]:
        async def submit(event: Event) -> None:
            self.office.tell(event)
            self.save()

        async def health(_args: dict[str, Any]) -> dict[str, Any]:
            return {"beating": self.beating}

        async def metrics(_args: dict[str, Any]) -> dict[str, Any]:
            return {"text": Measures().text()}

        own = {"health": health, "metrics": metrics}

        def target(number: str) -> Target:
            return target_of(number, self.office.engine.plan, self.directory)

        known = engine_actions(lambda: self.office.engine, submit) | alert_actions(self.alerts)
        plans = plan_actions(lambda: self.office.engine.plan, submit)
        return known | call_actions(lambda: self.office.engine, submit, target) | plans | own

    def app(self) -> FastAPI:
        return create_app(
            Context(
                self.books,
                self.socket,
                lambda: self.wall,
                self.origins,
                self.pages,
                vault=self.vault,
                proxies=self.proxies,
                hsts=self.hsts,
                setup_file=self.setup_file,
                phones=self.phones,
                recordings=self.recordings,
                evidence=self.evidence,
            )
        )

    def close(self) -> None:
        self.books.close()
        self.directory.close()
        self.journal.close()

    @contextlib.asynccontextmanager
    async def engine(self) -> AsyncIterator[None]:
        server = LocalServer(self.socket, self.actions(), self.feed)
        await server.start()
        try:
            yield
        finally:
            await server.stop()

    def client(self, app: FastAPI, scope: str | None) -> httpx.AsyncClient:
        headers = {} if scope is None else {"Authorization": f"Bearer {self.tokens[scope]}"}
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)

    def user(self, role: str, login: str = "", **values: Any) -> User:  # noqa: ANN401
        """Somebody who may sign in with `PASSWORD`."""
        return create_user(
            self.books.stored,
            login=login or role,
            name=f"the {role}",
            role=role,
            password=kept_password(),
            now=START,
            **values,
        )

    def session(self, role: str) -> str:
        """The cookie of a new session of somebody in this role, or of a screen on the wall."""
        store, now = self.books.stored, self.wall
        if role == "screen":
            link, _ = create_link(store, name="tv", by="t", expires_at=now + DAY, now=now)
            return open_session(store, now, link=link.id, until=link.expires_at)[1]
        agent = "ana" if role == Role.AGENT else None
        known = find_user(store, role) or self.user(role, agent=agent)
        return open_session(store, now, user=known.id)[1]

    def page(self, app: FastAPI, role: str | None = None) -> httpx.AsyncClient:
        """A browser on a page of ours, signed in or not."""
        client = self.client(app, None)
        client.headers["Origin"] = "http://perezvon.test"
        if role is not None:
            client.cookies.set(SESSION, self.session(role))
        return client

    def anybody(self, app: FastAPI, who: str | None) -> httpx.AsyncClient:
        """Nobody, a key with this scope, or a browser in this role."""
        is_key = who is None or (who in self.tokens and not isinstance(who, Role))
        return self.client(app, who) if is_key else self.page(app, who)

    def serve(
        self, scenario: Callable[[httpx.AsyncClient], Awaitable[None]], scope: str | None = "read"
    ) -> None:
        """Let a client with this scope ask the API while the engine runs."""

        async def run() -> None:
            async with self.engine(), self.client(self.app(), scope) as client:
                async with asyncio.timeout(60):
                    await scenario(client)

        asyncio.run(run())


def a_story(house: House) -> None:
    """Ivan talks with Ana; Olga leaves after 12 s and is owed a call."""
    house.call(IVAN)
    house.office.all_ring()
    house.office.later(4_000)
    house.office.answer(ANA)
    house.office.later(6_000)
    leg = house.call(OLGA)
    house.office.all_ring()
    house.office.later(12_000)
    house.hang_up(leg)
    house.save()
