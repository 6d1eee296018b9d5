"""Accounts of the demo: one for each role, with passwords that can be typed from the terminal.

They are made anew at each start, and the demo listens on this machine only. Short words are enough
there: the store counts the tries.
"""

import secrets
from dataclasses import dataclass
from typing import Final

from perezvon.api.roles import Role
from perezvon.core.plan import Agent, DeviceKind, Plan
from perezvon.runtime.clock import SystemClock
from perezvon.settings import Settings
from perezvon.store.database import Location, open_views
from perezvon.store.passwords import hashed
from perezvon.store.tokens import create_token
from perezvon.store.users import LOGIN, create_user, login_of

WORDS: Final = (
    "aist", "baza", "beda", "bor", "buket", "volna", "gora", "grom", "dom", "dub", "duga", "zima",
    "kedr", "kit", "klen", "kot", "krona", "leto", "lisa", "luna", "most", "mysh", "neva", "noch",
    "oblako", "okno", "osen", "pero", "pole", "reka", "roza", "sad", "sova", "sneg", "sosna",
    "tigr", "trava", "tuman", "utro", "chay", "vesna", "zarya", "zebra", "zvon",
)  # fmt: skip
"""Typed alike on any keyboard's Latin letters, by who reads Russian or English."""
NUMBERS: Final = 90
AGENTS_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Account:
    role: Role
    login: str
    password: str
    """Of an integrator, the key."""


def make(settings: Settings, plan: Plan) -> list[Account]:
    agents = sorted(filter(_has_login, plan.agents), key=_in_browser_first)[:AGENTS_MAX]
    people = [
        *((role, role.value, None) for role in (Role.OWNER, Role.ADMIN, Role.SUPERVISOR)),
        (Role.CONTROLLER, Role.CONTROLLER.value, None),
        *((Role.AGENT, str(agent.id), agent) for agent in agents),
        (Role.VIEWER, Role.VIEWER.value, None),
    ]
    now = SystemClock().now()
    made = []
    views = open_views(Location(settings.data_dir, settings.database_url or ""))
    try:
        for role, login, agent in people:
            password = _password()
            create_user(
                views,
                login=login,
                name=agent.name if agent is not None else role.value.title(),
                role=role.value,
                password=hashed(password),
                agent=agent.id if agent is not None else None,
                projects=[project.id for project in plan.projects] if role is Role.VIEWER else (),
                language=settings.language,
                now=now,
            )
            made.append(Account(role, login, password))
        _, key = create_token(views, "demo", {Role.INTEGRATOR.value}, now)
        made.append(Account(Role.INTEGRATOR, "", key))
    finally:
        views.close()
    return made


def _has_login(agent: Agent) -> bool:
    """Ids of somebody's own plan may be no logins, or those of the roles."""
    return LOGIN.fullmatch(agent.id) is not None and login_of(agent.id) not in set(Role)


def _in_browser_first(agent: Agent) -> bool:
    return agent.device is not DeviceKind.WEBRTC


def _password() -> str:
    first, second = secrets.choice(WORDS), secrets.choice(WORDS)
    return f"{first}-{second}-{10 + secrets.randbelow(NUMBERS)}"
