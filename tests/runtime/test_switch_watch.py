"""A switch that is away, or another than before, is told by an alert; a short gap is not."""

import asyncio
from collections.abc import Callable

import pytest

from perezvon.core.events import Resynced
from perezvon.runtime import switch_watch
from perezvon.runtime.alerts import AlertKind, Alerts
from perezvon.runtime.switch_watch import SwitchWatch
from tests.runtime.lives import ScriptedSwitch

DEADLINE_S = 15


def kinds(alerts: Alerts) -> list[AlertKind]:
    return [alert.kind for alert in alerts]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.01)


def test_a_switch_that_is_away_is_an_alert_until_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(switch_watch, "LOOK_MS", 10)
    monkeypatch.setattr(switch_watch, "AWAY_MS", 300)

    async def story() -> None:
        switch, alerts = ScriptedSwitch(), Alerts(lambda: 0)
        watching = asyncio.create_task(SwitchWatch(switch, alerts, lambda: None).run())
        since = asyncio.get_running_loop().time()
        switch.linked = False
        await until(lambda: kinds(alerts) == [AlertKind.SWITCH_AWAY])
        assert asyncio.get_running_loop().time() - since >= 0.3
        switch.linked = True
        await until(lambda: kinds(alerts) == [])
        watching.cancel()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (None, 5_000, []),
        (5_000, 5_000, []),
        (5_000, None, []),
        (5_000, 9_000, [AlertKind.SWITCH_RESTARTED]),
    ],
)
def test_only_another_start_than_the_one_known_is_a_restart(
    before: int | None, now: int | None, told: list[AlertKind]
) -> None:
    alerts = Alerts(lambda: 0)
    watch = SwitchWatch(ScriptedSwitch(), alerts, lambda: before)
    watch.hear(Resynced((), switch_started_at=now))
    assert kinds(alerts) == told
