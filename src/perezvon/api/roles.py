"""Who may do what: one table of roles, permissions and how far each reaches.

A route declares one permission (`access.needs`); the table here says who has it. What is not in
the table is not allowed. An API key has scopes instead of a role: old broad ones, `read`, `act`
and `admin`, a role's name (`integrator`), or single permissions.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    CONTROLLER = "controller"
    AGENT = "agent"
    VIEWER = "viewer"
    """A client of a project: reads what is his project's."""
    INTEGRATOR = "integrator"
    """A program; usually an API key."""


class Permission(StrEnum):
    """What a route needs. The values are shown by the API and are scopes of keys."""

    WHO_AM_I = "self.see"
    ACCOUNT = "self.manage"
    """One's own password, codes and sessions: for people, not for keys."""

    SEE_BOARD = "board.see"
    SHARE_BOARD = "board.share"
    SEE_ALERTS = "alerts.see"
    SEE_LEDGER = "ledger.see"
    SEE_METRICS = "metrics.see"

    SEE_CALLS = "calls.see"
    EXPLAIN = "calls.explain"
    SEE_NUMBERS = "numbers.see"
    """Of clients, with their names; without it they are masked, and nobody is found by them."""
    SEE_PERSONS = "persons.see"
    HEAR_RECORDINGS = "recordings.hear"
    DIAL = "calls.dial"
    HANDLE_CALLS = "calls.handle"
    """Hold, transfer, rejoin: what one does with a call that one talks on."""
    SUPERVISE = "calls.supervise"
    """Listen, whisper, barge."""
    NOTE_RESULT = "calls.note"

    SEE_AGENTS = "agents.see"
    SEE_STATUSES = "statuses.see"
    """How an agent's status changed."""
    CHOOSE_STATUS = "statuses.choose"
    CHOOSE_DEVICE = "devices.choose"
    USE_PHONE = "phone.use"
    """Credentials of the softphone."""
    LEND_AGENTS = "agents.lend"

    SEE_DEBTS = "debts.see"
    CALLBACK = "debts.callback"
    ASSIGN_DEBTS = "debts.assign"
    WAIVE_DEBTS = "debts.waive"

    SEE_PLAN = "plan.see"
    CHANGE_PLAN = "plan.change"
    DIAGNOSE = "diagnostics.see"
    """Evidence, registrations, what the doctor says."""
    MANAGE_USERS = "users.manage"
    MANAGE_KEYS = "keys.manage"
    SEE_AUDIT = "audit.see"


class Reach(StrEnum):
    """Over which objects somebody has a permission."""

    ALL = "all"
    PROJECTS = "projects"
    """What came to numbers and queues of his projects."""
    OWN = "own"
    """An agent's: himself, calls that he was offered or talked on, debts of his and his groups."""


P = Permission
Grants: TypeAlias = Mapping[Permission, Reach]


def _over(reach: Reach, *permissions: Permission) -> dict[Permission, Reach]:
    return dict.fromkeys(permissions, reach)


_PERSONAL: Final = _over(Reach.ALL, P.WHO_AM_I, P.ACCOUNT)
_FIGURES: Final = (P.SEE_BOARD, P.SEE_ALERTS, P.SEE_LEDGER, P.SEE_METRICS)
_READ: Final = (
    P.WHO_AM_I,
    *_FIGURES,
    P.SEE_CALLS,
    P.EXPLAIN,
    P.SEE_AGENTS,
    P.SEE_STATUSES,
    P.SEE_DEBTS,
)
_ACT: Final = (
    *_READ,
    P.SEE_NUMBERS,
    P.SEE_PERSONS,
    P.HEAR_RECORDINGS,
    P.DIAL,
    P.HANDLE_CALLS,
    P.SUPERVISE,
    P.NOTE_RESULT,
    P.CHOOSE_STATUS,
    P.CHOOSE_DEVICE,
    P.LEND_AGENTS,
    P.CALLBACK,
    P.ASSIGN_DEBTS,
    P.WAIVE_DEBTS,
)
_ALL: Final = _over(Reach.ALL, *Permission)
_OF_PEOPLE_ONLY: Final = (P.ACCOUNT,)

ROLES: Final[Mapping[Role, Grants]] = MappingProxyType(
    {
        Role.OWNER: _ALL,
        Role.ADMIN: _PERSONAL
        | _over(
            Reach.ALL,
            *_FIGURES,
            P.SHARE_BOARD,
            P.SEE_AGENTS,
            P.SEE_STATUSES,
            P.SEE_PLAN,
            P.CHANGE_PLAN,
            P.DIAGNOSE,
            P.MANAGE_USERS,
            P.MANAGE_KEYS,
            P.SEE_AUDIT,
        ),
        Role.SUPERVISOR: _PERSONAL | _over(Reach.ALL, *_ACT, P.SHARE_BOARD, P.USE_PHONE),
        Role.CONTROLLER: _PERSONAL
        | _over(
            Reach.ALL,
            P.SEE_BOARD,
            P.SEE_CALLS,
            P.EXPLAIN,
            P.SEE_AGENTS,
            P.HEAR_RECORDINGS,
            P.SEE_LEDGER,
        ),
        Role.AGENT: _PERSONAL
        | _over(Reach.ALL, P.SEE_NUMBERS, P.SEE_AGENTS)
        | _over(
            Reach.OWN,
            P.SEE_BOARD,
            P.SEE_CALLS,
            P.EXPLAIN,
            P.SEE_PERSONS,
            P.DIAL,
            P.HANDLE_CALLS,
            P.NOTE_RESULT,
            P.SEE_STATUSES,
            P.CHOOSE_STATUS,
            P.CHOOSE_DEVICE,
            P.USE_PHONE,
            P.SEE_DEBTS,
            P.CALLBACK,
        ),
        Role.VIEWER: _PERSONAL
        | _over(Reach.PROJECTS, P.SEE_CALLS, P.SEE_DEBTS, P.HEAR_RECORDINGS, P.SEE_LEDGER),
        Role.INTEGRATOR: _over(
            Reach.ALL,
            P.WHO_AM_I,
            P.SEE_CALLS,
            P.EXPLAIN,
            P.SEE_NUMBERS,
            P.SEE_AGENTS,
            P.SEE_STATUSES,
            P.SEE_DEBTS,
            P.SEE_LEDGER,
            P.SEE_PLAN,
            P.DIAL,
            P.NOTE_RESULT,
            P.CALLBACK,
        ),
    }
)

BROAD: Final[Mapping[str, Grants]] = MappingProxyType(
    {
        "read": _over(Reach.ALL, *_READ),
        "act": _over(Reach.ALL, *_ACT),
        "admin": _over(Reach.ALL, *(each for each in Permission if each not in _OF_PEOPLE_ONLY)),
        Role.INTEGRATOR.value: ROLES[Role.INTEGRATOR],
    }
)
"""Scopes of keys that stand for many permissions; any single permission is a scope too."""

SCOPES: Final = (*BROAD, *(each.value for each in Permission if each not in _OF_PEOPLE_ONLY))
"""All that a key may be given."""

BOARD_LINK: Final[Grants] = _over(Reach.ALL, P.WHO_AM_I, P.SEE_BOARD)
"""Of a screen on the wall: the board, numbers masked."""


def grants_of(scopes: Iterable[str]) -> Grants:
    """Of a key. A scope that nobody knows any more grants nothing."""
    granted: dict[Permission, Reach] = {}
    for scope in scopes:
        if scope in BROAD:
            granted |= BROAD[scope]
        elif scope in SCOPES:
            granted |= _over(Reach.ALL, P.WHO_AM_I, Permission(scope))
    return granted
