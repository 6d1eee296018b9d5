"""Our own programs as children to supervise: how each is started, and how one knows that it lives.

The engine's figures are the caller's: one whose agent hangs up while the engine stands still
hears nothing until there is an engine again. So it is looked after more closely than the others,
and a second one is loaded already.
"""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import aiohttp

from perezvon.core.ids import SECOND, Duration
from perezvon.runtime.local import Refused, ask
from perezvon.runtime.ports import Unavailable
from perezvon.runtime.supervisor import Backoff, Child, names
from perezvon.settings import Settings

HEALTH_WAIT_S: Final = 2

ENGINE_BACKOFF: Final = Backoff(waits_ms=(50, 200, 500, 1 * SECOND, 2 * SECOND))
"""A caller waits in its dead-man's time: the engine must be back in less than 4 s."""

ENGINE_ALIVE_MS: Final[Duration] = 1 * SECOND
"""Between two questions to the engine, and the longest wait for an answer. With three misses, one
that stands still is ended after 6 s."""


def engine_child(settings: Settings, log: Path) -> Child:
    async def answers() -> bool:
        return await engine_health(settings) is not None

    return Child(
        name="engine",
        argv=_argv("engine", "--wait"),
        env=settings.environment(),
        log=log,
        ready=answers,
        alive=names(answers, "health"),
        alive_every_ms=ENGINE_ALIVE_MS,
        alive_wait_ms=ENGINE_ALIVE_MS,
        backoff=ENGINE_BACKOFF,
        spare=True,
    )


def web_child(settings: Settings, log: Path) -> Child:
    answers = _answers_http(f"{settings.web_url}api/v1/health")
    return Child(
        name="web",
        argv=_argv("web"),
        env=settings.environment(),
        log=log,
        ready=answers,
        alive=names(answers, "http"),
        follows=False,
    )


def worker_child(settings: Settings, log: Path) -> Child:
    return Child(
        name="worker",
        argv=_argv("worker"),
        env=settings.environment(),
        log=log,
        follows=False,
    )


async def engine_health(settings: Settings) -> dict[str, Any] | None:
    """What it says of itself; None when it does not answer."""
    try:
        return await ask(settings.engine_socket, "health", timeout_s=HEALTH_WAIT_S)
    except (Unavailable, Refused):
        return None


def _argv(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "perezvon", *arguments)


def _answers_http(url: str) -> Callable[[], Awaitable[bool]]:
    """Whether somebody speaks HTTP there; what he says is not our business here."""

    async def check() -> bool:
        timeout = aiohttp.ClientTimeout(total=HEALTH_WAIT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.get(url, ssl=False),  # our own, by its address
            ):
                return True
        except (aiohttp.ClientError, OSError):
            return False

    return check
