"""Alerts of `up` reach an engine that is there, one that comes late, and one that starts anew."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from perezvon.bootstrap import alert_post
from perezvon.bootstrap.alert_post import AlertPost
from perezvon.runtime.actions import alert_actions
from perezvon.runtime.alerts import AlertKind, Alerts
from perezvon.runtime.board import Feed
from perezvon.runtime.local import LocalServer
from perezvon.runtime.supervisor import Happening, What

DEADLINE_S = 15


@asynccontextmanager
async def engine(place: Path) -> AsyncIterator[Alerts]:
    """As far as alerts go."""
    alerts = Alerts(lambda: 0)
    server = LocalServer(place / "engine.sock", alert_actions(alerts), Feed())
    await server.start()
    try:
        yield alerts
    finally:
        await server.stop()


@asynccontextmanager
async def posting(place: Path) -> AsyncIterator[AlertPost]:
    post = AlertPost(place / "engine.sock")
    task = asyncio.create_task(post.run())
    try:
        yield post
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.01)


def shown(alerts: Alerts) -> dict[AlertKind, str]:
    return {alert.kind: alert.detail for alert in alerts}


def test_a_hung_asterisk_is_an_alert_until_it_is_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine(tmp_path) as alerts, posting(tmp_path) as post:
            post.happened(Happening("asterisk", What.HUNG, 7, "ARI applications, ARI WebSocket"))
            await until(lambda: AlertKind.SWITCH_HUNG in shown(alerts))
            assert shown(alerts)[AlertKind.SWITCH_HUNG].endswith("ARI applications, ARI WebSocket")
            post.happened(Happening("asterisk", What.ENDED, 7, "SIGABRT"))
            post.happened(Happening("asterisk", What.READY, 8))
            await until(lambda: shown(alerts) == {})

    asyncio.run(story())


def test_what_an_engine_missed_while_it_was_away_is_told_when_it_is_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with posting(tmp_path) as post:
            for _ in range(3):
                post.happened(Happening("engine", What.ENDED, 7, "SIGKILL"))
            async with engine(tmp_path) as alerts:
                await until(lambda: "3 in" in shown(alerts).get(AlertKind.ENGINE_RESTARTED, ""))
                assert shown(alerts)[AlertKind.ENGINE_RESTARTED].startswith("SIGKILL")

    asyncio.run(story())


def test_a_new_engine_is_told_of_what_is_still_so(tmp_path: Path) -> None:
    async def story() -> None:
        async with posting(tmp_path) as post:
            async with engine(tmp_path) as first:
                post.happened(Happening("asterisk", What.HUNG, 7, "SIP"))
                await until(lambda: AlertKind.SWITCH_HUNG in shown(first))
            async with engine(tmp_path) as second:
                post.happened(Happening("engine", What.READY, 9))
                await until(lambda: AlertKind.SWITCH_HUNG in shown(second))

    asyncio.run(story())


def test_an_engine_that_never_comes_back_is_not_waited_for_with_a_growing_pile(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with posting(tmp_path) as post:
            for pid in range(3 * alert_post.KEPT_MAX):
                post.happened(Happening("engine", What.ENDED, pid, "exit 2"))
            async with engine(tmp_path) as alerts:
                await until(lambda: AlertKind.ENGINE_RESTARTED in shown(alerts))
                assert f"{alert_post.KEPT_MAX} in" in shown(alerts)[AlertKind.ENGINE_RESTARTED]

    asyncio.run(story())
