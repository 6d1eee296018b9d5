"""The tables of both databases.

`JOURNAL` is written by the engine alone, `VIEWS` by everything else. Moments and lengths are
milliseconds as integers. A change here needs a migration; a test compares the two.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

NAMING = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
Big = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up only what is called INTEGER."""


class Words(TypeDecorator[str]):
    """Text from the world: what a database cannot hold (NUL, half a surrogate) is replaced."""

    impl = Text
    cache_ok = True

    @property
    def python_type(self) -> type[str]:
        """A decorator does not tell its own; cursors of pages are checked by it."""
        return str

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        del dialect
        if value is None:
            return None
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _moment(name: str, **options: Any) -> Column[int]:  # noqa: ANN401 - Column's own options
    return Column(name, BigInteger, **options)


JOURNAL = MetaData(naming_convention=NAMING)

meta = Table(
    "meta",
    JOURNAL,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
eras = Table(
    "eras",
    JOURNAL,
    Column("n", Integer, primary_key=True),
    Column("era", Text, nullable=False, unique=True),
    Column("from_fact", BigInteger, nullable=False),
    _moment("drawn_at", nullable=False),
)
leader = Table(
    "leader",
    JOURNAL,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("carried_out", BigInteger, nullable=False),
    Column("renewal", BigInteger, nullable=False, server_default="0"),
    Column("locked", Boolean, nullable=False, server_default=true()),
    Column("backend", BigInteger),
)
journal = Table(
    "journal",
    JOURNAL,
    Column("seq", Big, primary_key=True, autoincrement=False),
    _moment("at", nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("hash_prev", LargeBinary, nullable=False),
)
journal_facts = Table(
    "facts",
    JOURNAL,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("seq", BigInteger, nullable=False),
    Column("n", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("seq", "n"),
    sqlite_autoincrement=True,
)
snapshots = Table(
    "snapshots",
    JOURNAL,
    Column("seq", Big, primary_key=True, autoincrement=False),
    _moment("at", nullable=False),
    Column("data", LargeBinary, nullable=False),
)
poisoned = Table(
    "poisoned",
    JOURNAL,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("seq", BigInteger, nullable=False),
    _moment("at", nullable=False),
    Column("error", Words, nullable=False),
)
witness = Table(
    "witness",
    JOURNAL,
    Column("file", String(255), primary_key=True),
    Column("offset", BigInteger, nullable=False),
)
plans = Table(
    "plans",
    JOURNAL,
    Column("version", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    _moment("stored_at", nullable=False),
)
plans_applied = Table(
    "plans_applied",
    JOURNAL,
    Column("seq", Big, primary_key=True, autoincrement=False),
    _moment("at", nullable=False),
    Column("version", String(64), nullable=False),
    Column("by", Words, nullable=False, server_default=""),
    Column("comment", Words, nullable=False, server_default=""),
)
persons = Table(
    "persons",
    JOURNAL,
    Column("person", String(64), primary_key=True),
    Column("number", Words, nullable=True),
    Column("name", Words, nullable=False),
    _moment("erased_at", nullable=True),
)

VIEWS = MetaData(naming_convention=NAMING)

cursors = Table(
    "cursors",
    VIEWS,
    Column("era", Text, primary_key=True),
    Column("fact", BigInteger, nullable=False),
)
facts = Table(
    "facts",
    VIEWS,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("era", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("n", Integer, nullable=False),
    _moment("at", nullable=False),
    Column("type", String(64), nullable=False),
    Column("call", Words, nullable=True, index=True),
    Column("debt", Words, nullable=True, index=True),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("era", "seq", "n"),
    Index(None, "type", "at"),
    sqlite_autoincrement=True,
)
calls = Table(
    "calls",
    VIEWS,
    Column("id", Words, primary_key=True),
    Column("leg", Words, nullable=False),
    Column("person", Words, nullable=True, index=True),
    Column("number_class", Text, nullable=False),
    Column("did", Words, nullable=False),
    Column("known_number", Boolean, nullable=False),
    Column("trunk", Words, nullable=True),
    Column("queue", Words, nullable=False),
    Column("plan", Text, nullable=False),
    _moment("received_at", nullable=False),
    _moment("queued_at", nullable=True),
    _moment("answered_at", nullable=True),
    _moment("ended_at", nullable=True),
    Column("wait_ms", BigInteger, nullable=True),
    Column("talk_ms", BigInteger, nullable=True),
    Column("agent", Words, nullable=True),
    Column("ended_by", Words, nullable=True),
    Column("state", Text, nullable=False),
    Column("miss_reason", Text, nullable=True),
    Column("miss_cause", Text, nullable=True),
    Column("waiver", Text, nullable=True),
    Column("rule", Words, nullable=True),
    Column("debt", Words, nullable=True, index=True),
    Column("in_fallback", Boolean, nullable=False),
    _moment("cut_at", nullable=True),
    Column("witnessed", Boolean, nullable=False, server_default=false()),
    Column("difference", Text, nullable=True),
    Index(None, "received_at", "id"),
    Index(None, "state", "received_at"),
)
debts = Table(
    "debts",
    VIEWS,
    Column("id", Words, primary_key=True),
    Column("person", Words, nullable=False, index=True),
    Column("queue", Words, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("rule", Words, nullable=False),
    Column("owner", Words, nullable=True),
    Column("plan", Text, nullable=False),
    Column("first_call", Words, nullable=False),
    Column("calls", Integer, nullable=False),
    _moment("opened_at", nullable=False),
    _moment("due_at", nullable=True),
    _moment("overdue_at", nullable=True),
    _moment("next_attempt_at", nullable=True),
    Column("step", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("dials", Integer, nullable=False),
    _moment("reopened_at", nullable=True),
    _moment("settled_at", nullable=True),
    Column("settled_by", Words, nullable=True),
    Column("waiver", Text, nullable=True),
    Column("settled_reason", Words, nullable=True),
    _moment("first_at", nullable=True),
    _moment("last_at", nullable=True),
    Column("waited_ms", BigInteger, nullable=True),
    _moment("first_dialled_at", nullable=True),
    Index(None, "opened_at", "id"),
    Index(None, "state", "due_at"),
)
attempts = Table(
    "attempts",
    VIEWS,
    Column("debt", Words, primary_key=True),
    Column("dial", Integer, primary_key=True, autoincrement=False),
    Column("call", Words, nullable=False, index=True),
    Column("order", Text, nullable=False),
    Column("step", Integer, nullable=False),
    _moment("started_at", nullable=False),
    _moment("dialled_at", nullable=True),
    Column("leg", Words, nullable=True),
    Column("agent", Words, nullable=True),
    _moment("ended_at", nullable=True),
    Column("outcome", Text, nullable=True),
    Column("counted", Boolean, nullable=False),
    Column("talk_ms", BigInteger, nullable=True),
    _moment("cut_at", nullable=True),
    Index(None, "started_at"),
)
placed = Table(
    "placed",
    VIEWS,
    Column("id", Words, primary_key=True),
    Column("leg", Words, nullable=False),
    Column("agent", Words, nullable=False),
    Column("person", Words, nullable=False, index=True),
    Column("number_class", Text, nullable=False),
    Column("queue", Words, nullable=False),
    Column("did", Words, nullable=False),
    Column("trunk", Words, nullable=False),
    Column("plan", Text, nullable=False),
    _moment("placed_at", nullable=False),
    Column("by", Words, nullable=False),
    _moment("answered_at", nullable=True),
    _moment("ended_at", nullable=True),
    Column("wait_ms", BigInteger, nullable=True),
    Column("talk_ms", BigInteger, nullable=True),
    Column("outcome", Text, nullable=True),
    Column("ended_by", Words, nullable=True),
    Index(None, "agent", "placed_at"),
    Index(None, "placed_at", "id"),
)
offers = Table(
    "offers",
    VIEWS,
    Column("id", Words, primary_key=True),
    Column("call", Words, nullable=False, index=True),
    Column("agent", Words, nullable=False),
    Column("queue", Words, nullable=False),
    Column("debt", Words, nullable=True),
    Column("step", Integer, nullable=False),
    Column("ranking", Text, nullable=False),
    _moment("made_at", nullable=False),
    _moment("ended_at", nullable=True),
    Column("outcome", Text, nullable=True),
    Column("ring_ms", BigInteger, nullable=True),
    Index(None, "agent", "made_at"),
)
agents = Table(
    "agents",
    VIEWS,
    Column("id", Words, primary_key=True),
    Column("status", Text, nullable=False),
    _moment("since_at", nullable=False),
    Column("reason", Words, nullable=False),
    Column("by", Words, nullable=False),
    Column("call", Words, nullable=True),
    Column("reachable", Boolean, nullable=False),
    Column("device", Text, nullable=True),
)
loans = Table(
    "loans",
    VIEWS,
    Column("agent", Words, primary_key=True),
    Column("group", Words, primary_key=True),
    _moment("until_at", nullable=False),
    Column("by", Words, nullable=False),
)
agent_log = Table(
    "agent_log",
    VIEWS,
    Column("fact", Big, primary_key=True, autoincrement=False),
    Column("agent", Words, nullable=False),
    _moment("at", nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("by", Words, nullable=False),
    Column("call", Words, nullable=True),
    Index(None, "agent", "at"),
)
tokens = Table(
    "tokens",
    VIEWS,
    Column("id", String(16), primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("name", Words, nullable=False),
    Column("scopes", Text, nullable=False),
    _moment("created_at", nullable=False),
    _moment("last_used_at", nullable=True),
    _moment("revoked_at", nullable=True),
)
users = Table(
    "users",
    VIEWS,
    Column("id", String(16), primary_key=True),
    Column("login", Words, nullable=False, unique=True),
    Column("name", Words, nullable=False),
    Column("role", Text, nullable=False),
    Column("agent", Words, nullable=True),
    Column("projects", Words, nullable=False),
    Column("language", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("has_totp", Boolean, nullable=False),
    Column("totp", LargeBinary, nullable=True),
    Column("totp_step", BigInteger, nullable=False),
    Column("must_change_password", Boolean, nullable=False),
    _moment("created_at", nullable=False),
    _moment("signed_in_at", nullable=True),
    _moment("disabled_at", nullable=True),
)
sessions = Table(
    "sessions",
    VIEWS,
    Column("id", String(16), primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("user", String(16), nullable=True, index=True),
    Column("link", String(16), nullable=True, index=True),
    _moment("created_at", nullable=False),
    _moment("seen_at", nullable=False),
    _moment("expires_at", nullable=False),
    Column("address", Words, nullable=False),
    Column("program", Words, nullable=False),
)
board_links = Table(
    "board_links",
    VIEWS,
    Column("id", String(16), primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("name", Words, nullable=False),
    _moment("created_at", nullable=False),
    Column("created_by", Words, nullable=False),
    _moment("expires_at", nullable=False),
    _moment("revoked_at", nullable=True),
)
saved_views = Table(
    "saved_views",
    VIEWS,
    Column("id", String(16), primary_key=True),
    Column("user", String(16), nullable=False),
    Column("page", String(40), nullable=False),
    Column("name", Words, nullable=False),
    Column("query", Words, nullable=False),
    _moment("created_at", nullable=False),
    UniqueConstraint("user", "page", "name"),
)
sign_in_tries = Table(
    "sign_in_tries",
    VIEWS,
    Column("key", String(80), primary_key=True),
    Column("tries", Integer, nullable=False),
    _moment("last_at", nullable=False),
    _moment("until_at", nullable=False),
)
audit = Table(
    "audit",
    VIEWS,
    Column("id", Big, primary_key=True, autoincrement=True),
    _moment("at", nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("who", Words, nullable=False),
    Column("who_id", Words, nullable=False),
    Column("address", Words, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Words, nullable=False),
    Column("status", Integer, nullable=False),
    Column("detail", Words, nullable=False),
    sqlite_autoincrement=True,
)
results = Table(
    "results",
    VIEWS,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("call", Words, nullable=False),
    Column("person", Words, nullable=True, index=True),
    Column("agent", Words, nullable=True),
    Column("result", Words, nullable=False),
    Column("tags", Words, nullable=False),
    Column("comment", Words, nullable=False),
    _moment("next_at", nullable=True),
    Column("by", Words, nullable=False),
    _moment("at", nullable=False),
    Index(None, "call", "id"),
    Index(None, "agent", "next_at"),
    sqlite_autoincrement=True,
)
recorded_legs = Table(
    "recorded_legs",
    VIEWS,
    Column("stem", Words, primary_key=True),
    Column("call", Words, nullable=False, index=True),
    _moment("at", nullable=False),
    _moment("over_at", nullable=True),
)
recordings = Table(
    "recordings",
    VIEWS,
    Column("id", String(100), primary_key=True),
    Column("call", Words, nullable=False, index=True),
    _moment("started_at", nullable=False),
    Column("duration_ms", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("file", String(200), nullable=False),
    Column("agent_peaks", LargeBinary, nullable=False),
    Column("client_peaks", LargeBinary, nullable=False),
    _moment("made_at", nullable=False),
)
