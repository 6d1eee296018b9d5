"""Trunks that fail, on a real Asterisk: lost registrations, silent carriers."""

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from perezvon.core.events import TrunkChanged
from perezvon.core.ids import TrunkId
from perezvon.core.plan import Trunk
from perezvon.runtime.alerts import Alert, AlertKind
from tests.asterisk.carrier import SILENT, Carrier
from tests.asterisk.office import Office, office
from tests.asterisk.phone import until
from tests.support.asterisk import Running, asterisk
from tests.support.plans import CARRIER, plan_of
from tests.support.ports import free_udp_port

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("trunks")]

MEMBER = TrunkId("member")
"""The trunk that registers; `CARRIER` is known by its address."""

ALERT_MS = 30_000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    plan = plan_of(callers_port=free_udp_port())
    member = Trunk(
        MEMBER, "127.0.0.1", port=free_udp_port(), username="u", secret="member", register=True
    )
    plan = dataclasses.replace(plan, trunks=(*plan.trunks, member))
    with asterisk(plan, tmp_path_factory.mktemp("trunks"), qualify_trunk_s=3) as one:
        yield one


@asynccontextmanager
async def registrar(running: Running) -> AsyncIterator[Carrier]:
    one = Carrier()
    one.grants_s = 12
    await one.open(running.plan.trunks[1].port)
    try:
        yield one
    finally:
        one.close()


def play(
    running: Running, test: Callable[[Office, Carrier], Awaitable[None]], *, well: bool = True
) -> None:
    async def run() -> None:
        async with registrar(running) as carrier, office(running) as place:
            if well:
                await place.heard(TrunkChanged(MEMBER, up=True), ALERT_MS)
            await test(place, carrier)

    asyncio.run(run())


def alert(place: Office, kind: AlertKind) -> Alert | None:
    return next((one for one in place.alerts if one.kind is kind), None)


def lost_of(place: Office) -> str:
    found = alert(place, AlertKind.REGISTRATION_LOST)
    return found.detail if found is not None else ""


def test_a_registration_that_the_carrier_refuses_is_told_and_taken_back_when_it_holds_again(
    running: Running,
) -> None:
    async def test(place: Office, carrier: Carrier) -> None:
        carrier.answers["REGISTER"] = 403
        lost = await until(lambda: alert(place, AlertKind.REGISTRATION_LOST), ALERT_MS)
        assert lost.about == MEMBER
        assert "refuses" in lost.detail
        await place.heard(TrunkChanged(MEMBER, up=False))
        # A carrier that comes back from a silence is asked at once; else every 20 seconds.
        carrier.answers["OPTIONS"] = SILENT
        await until(lambda: "answer" in lost_of(place), ALERT_MS)
        carrier.answers.clear()
        await until(lambda: not lost_of(place), ALERT_MS)
        assert place.of(TrunkChanged)[-1] == TrunkChanged(MEMBER, up=True)

    play(running, test)


def test_a_carrier_that_says_nothing_any_more_is_told_of_and_believed_when_it_speaks(
    running: Running,
) -> None:
    async def test(place: Office, carrier: Carrier) -> None:
        before = place.events.count(TrunkChanged(MEMBER, up=False))
        place.carrier.is_silent = True
        carrier.answers |= {"REGISTER": SILENT, "OPTIONS": SILENT, "INVITE": SILENT}
        lost = await until(lambda: alert(place, AlertKind.REGISTRATION_LOST), ALERT_MS)
        down = await until(lambda: alert(place, AlertKind.TRUNK_DOWN), ALERT_MS)
        assert (lost.about, down.about) == (MEMBER, CARRIER)
        assert place.events.count(TrunkChanged(MEMBER, up=False)) == before + 1
        place.carrier.is_silent = False
        carrier.answers.clear()
        await until(lambda: not list(place.alerts), 2 * ALERT_MS)
        assert place.of(TrunkChanged)[-1].up

    play(running, test)


def test_the_switch_has_no_manager_interface(running: Running) -> None:
    assert re.search(r"Manager \(AMI\): +No\b", running.cli("manager show settings"))
