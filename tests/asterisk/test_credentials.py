"""Passwords for a while, on a real Asterisk: who has one registers, and nobody else."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from perezvon.asterisk import provision
from perezvon.asterisk.credentials import LIFE_MS, Credential
from perezvon.core.ids import AgentId
from perezvon.core.plan import Agent, DeviceKind, Plan
from perezvon.runtime.ports import Unavailable
from tests.asterisk.office import Office, in_office
from tests.asterisk.phone import until
from tests.support.asterisk import PASSWORD, Running, asterisk
from tests.support.plans import plan_of
from tests.support.ports import free_udp_port
from tests.support.registration import OK, register

pytestmark = pytest.mark.asterisk

ANNA = "anna"


def plan() -> Plan:
    anna = Agent(AgentId(ANNA), "Anna", DeviceKind.WEBRTC)
    return plan_of((anna,), callers_port=free_udp_port())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with asterisk(plan(), tmp_path_factory.mktemp("credentials")) as one:
        yield one


async def gets_in(running: Running, password: str) -> bool:
    server = ("127.0.0.1", running.sip_port)
    code = await asyncio.to_thread(register, server, free_udp_port(), ANNA, password)
    return code == OK


async def is_shut_out(running: Running, password: str) -> None:
    """Soon: the switch is told without waiting for its answer."""
    async with asyncio.timeout(5):
        while await gets_in(running, password):
            pass


def test_nobody_gets_in_without_a_password_that_was_given(running: Running) -> None:
    async def test(place: Office) -> None:
        assert not await gets_in(running, PASSWORD)
        given = await place.switch.credentials.give(ANNA)
        assert given.password not in repr(given)
        assert not await gets_in(running, PASSWORD)
        assert await gets_in(running, given.password)
        # A second page of his gets the same: it must not lock out the first.
        assert (await place.switch.credentials.give(ANNA)).password == given.password
        place.switch.credentials.forget(ANNA)
        await is_shut_out(running, given.password)

    in_office(running, test)


def test_a_password_outlives_a_reload_and_a_restart_of_the_switch(tmp_path: Path) -> None:
    with asterisk(plan(), tmp_path) as running:

        async def test(place: Office) -> None:
            given = await place.switch.credentials.give(ANNA)
            await running.process.reload()
            assert await gets_in(running, given.password)
            await running.process.stop()
            with pytest.raises(Unavailable):
                await place.switch.credentials.give(ANNA)
            await running.process.start(promises=provision.promises(running.site))
            await until(lambda: place.switch.linked, 15_000)
            place.switch.credentials.tend()
            async with asyncio.timeout(5):
                while not await gets_in(running, given.password):
                    pass

        in_office(running, test)


def test_a_password_ends_with_its_time(running: Running) -> None:
    async def test(place: Office) -> None:
        credentials = place.switch.credentials
        given = await credentials.give(ANNA)
        moments = [given.expires_at - 1, given.expires_at]
        credentials._now = lambda: moments[0]
        credentials.tend()
        assert await gets_in(running, given.password)
        moments.pop(0)
        credentials.tend()
        await is_shut_out(running, given.password)

    in_office(running, test)


def test_a_password_that_an_engine_before_gave_ends_too(running: Running) -> None:
    passwords: list[Credential] = []

    async def before(place: Office) -> None:
        passwords.append(await place.switch.credentials.give(ANNA))

    async def after(place: Office) -> None:
        assert await gets_in(running, passwords[0].password)
        credentials = place.switch.credentials
        later = credentials._now() + LIFE_MS
        credentials._now = lambda: later
        credentials.tend()
        await is_shut_out(running, passwords[0].password)

    in_office(running, before)
    in_office(running, after)
