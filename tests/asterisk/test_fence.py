"""While we may not act, nothing of ours reaches the switch: no request and no connection."""

import asyncio
from collections.abc import Iterator

import pytest

from perezvon.asterisk.ari import Address, Ari
from perezvon.asterisk.provision import application
from tests.asterisk.phone import until
from tests.asterisk.relay import Relay
from tests.support.asterisk import PASSWORD, Running, asterisk
from tests.support.plans import plan_of
from tests.support.ports import free_udp_port

pytestmark = pytest.mark.asterisk


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    plan = plan_of(callers_port=free_udp_port())
    with asterisk(plan, tmp_path_factory.mktemp("fence")) as one:
        yield one


class Fenced:
    """A link through a relay that counts, and a fence that is opened and closed by hand."""

    def __init__(self, running: Running, relay: Relay) -> None:
        site = running.site
        self.open = False
        self.closes_after: int | None = None
        """So many questions more; None: by hand only."""
        self.audits = 0
        self.replaced = 0
        self.ari = Ari(
            Address(
                f"http://127.0.0.1:{relay.port}/ari",
                site.ari_user,
                PASSWORD,
                application(running.plan.tenant),
            ),
            on_event=lambda _event: None,
            on_link=self._audit,
            on_replaced=self._replace,
            may_act=self._may_act,
        )

    def _may_act(self) -> bool:
        if self.closes_after is not None:
            self.open = self.closes_after > 0
            self.closes_after -= 1
        return self.open

    async def _audit(self) -> None:
        self.audits += 1

    def _replace(self) -> None:
        self.replaced += 1


BRIDGE = {"type": "mixing", "bridgeId": "t-fenced"}


def test_nothing_is_connected_before_the_fence_opens(running: Running) -> None:
    async def test() -> None:
        async with Relay(running.site.http_port) as relay:
            fenced = Fenced(running, relay)
            starting = asyncio.create_task(fenced.ari.start())
            await asyncio.wait({starting}, timeout=0.5)
            assert (await fenced.ari.listing("bridges")).status is None
            assert relay.count == 0
            fenced.open = True
            await starting
            assert fenced.audits == 1
            await fenced.ari.stop()

    asyncio.run(test())


def test_what_was_not_sent_when_the_fence_closed_is_unknown_and_never_sent(
    running: Running,
) -> None:
    async def test() -> None:
        async with Relay(running.site.http_port) as relay:
            fenced = Fenced(running, relay)
            fenced.open = True
            await fenced.ari.start()
            waiting = fenced.ari.submit("POST", "bridges", query=BRIDGE)
            fenced.open = False
            aside = fenced.ari.aside("POST", "bridges", query=BRIDGE)
            assert (await waiting).status is None
            assert (await aside).status is None
            await until(lambda: not fenced.ari.linked)
            count = relay.count
            assert (await fenced.ari.request("POST", "bridges", query=BRIDGE)).status is None
            fenced.open = True
            await until(lambda: fenced.ari.linked)
            assert relay.count == count + 1, "it knocked while it might not act"
            assert fenced.audits == 2
            found = await fenced.ari.listing("bridges")
            assert [one["id"] for one in found.body] == []
            await fenced.ari.stop()

    asyncio.run(test())


def test_a_request_that_the_fence_overtakes_on_its_way_is_not_sent(running: Running) -> None:
    async def test() -> None:
        async with Relay(running.site.http_port) as relay:
            fenced = Fenced(running, relay)
            fenced.open = True
            await fenced.ari.start()
            assert (await fenced.ari.listing("bridges")).body == []
            fenced.closes_after = 1
            assert (await fenced.ari.aside("POST", "bridges", query=BRIDGE)).status is None
            fenced.closes_after, fenced.open = None, True
            assert (await fenced.ari.listing("bridges")).body == []
            await fenced.ari.stop()

    asyncio.run(test())


def test_an_engine_that_wakes_up_does_not_take_the_application_back(running: Running) -> None:
    async def test() -> None:
        async with Relay(running.site.http_port) as relay:
            old, new = Fenced(running, relay), Fenced(running, relay)
            old.open = new.open = True
            await old.ari.start()
            old.open = False
            old.ari.cut()
            await until(lambda: not old.ari.linked)
            await new.ari.start()
            await asyncio.wait({asyncio.create_task(old.ari.request("GET", "bridges"))})
            assert not old.ari.linked
            assert (await new.ari.request("GET", "bridges")).ok
            assert new.replaced == 0
            await old.ari.stop()
            await new.ari.stop()

    asyncio.run(test())
