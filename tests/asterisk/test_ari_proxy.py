"""The proxy that tests put between engine and Asterisk does what it says, on a real Asterisk."""

import asyncio
from collections.abc import Iterator

import pytest

from perezvon.asterisk.ari import Address, Ari, Message
from perezvon.asterisk.provision import application
from perezvon.asterisk.replies import Reply
from tests.support.ari_proxy import AriProxy
from tests.support.asterisk import PASSWORD, Running, asterisk
from tests.support.plans import plan_of
from tests.support.ports import free_udp_port

pytestmark = pytest.mark.asterisk

SHORT_MS = 300
LONG_MS = 60_000
SET = "asterisk/variable"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    plan = plan_of((), callers_port=free_udp_port())
    with asterisk(plan, tmp_path_factory.mktemp("proxy")) as one:
        yield one


async def linked() -> None:
    """An audit that finds nothing."""


def ari(running: Running, proxy: AriProxy) -> Ari:
    site, app = running.site, application(running.plan.tenant)
    heard: list[Message] = []
    address = Address(f"http://127.0.0.1:{proxy.port}/ari", site.ari_user, PASSWORD, app)
    return Ari(address, on_event=heard.append, on_link=linked, on_replaced=lambda: None)


async def put(link: Ari, value: str) -> Reply:
    query = {"variable": "SAID", "value": value}
    return await link.request("POST", SET, query=query, timeout_ms=SHORT_MS)


async def said(running: Running) -> str:
    return (await running.process.cli("dialplan show globals")).partition("SAID=")[2].split()[0]


def test_a_request_lost_before_is_not_carried_out_and_one_lost_after_is(running: Running) -> None:
    async def run() -> None:
        link = ari(running, proxy)
        await link.start()
        assert (await put(link, "one")).ok
        proxy.lose(before=1.0, of=lambda _, uri: uri == SET)
        assert (await put(link, "two")).status is None
        assert await said(running) == "one"
        assert (await link.request("GET", "asterisk/ping")).ok
        proxy.lose(after=1.0)
        assert (await put(link, "three")).status is None
        assert await said(running) == "three"
        proxy.lose()
        assert (await put(link, "four")).ok
        await link.stop()

    with AriProxy(running.site.http_port) as proxy:
        asyncio.run(run())
    assert dict(proxy.lost) == {("before", f"POST {SET}"): 1, ("after", f"POST {SET}"): 1}
    assert proxy.carried[f"POST {SET}"] == 2


def test_a_cut_link_is_made_again_and_held_requests_go_on_when_released(running: Running) -> None:
    async def run() -> None:
        link = ari(running, proxy)
        await link.start()
        proxy.hold(lambda _, uri: uri.startswith("applications"))
        assert (await link.listing("asterisk/ping")).ok
        asking = asyncio.ensure_future(link.listing("applications"))
        done, _ = await asyncio.wait({asking}, timeout=SHORT_MS / 1000)
        assert not done
        proxy.release()
        assert (await asking).ok
        proxy.cut()
        async with asyncio.timeout(10):
            while link.link_count < 2:
                await asyncio.sleep(0.01)
        assert (await put(link, "again")).ok
        await link.stop()

    with AriProxy(running.site.http_port) as proxy:
        asyncio.run(run())


def test_a_reply_tells_that_the_requests_before_it_are_lost(running: Running) -> None:
    async def run() -> None:
        link = ari(running, proxy)
        await link.start()
        proxy.lose(after=1.0, of=lambda _, uri: uri == SET)
        lost = link.submit(
            "POST", SET, query={"variable": "SAID", "value": "so"}, timeout_ms=LONG_MS
        )
        assert (await link.request("GET", "asterisk/ping", timeout_ms=LONG_MS)).ok
        assert lost.result().status is None
        await link.stop()

    with AriProxy(running.site.http_port) as proxy:
        asyncio.run(run())


def test_of_many_requests_that_wait_for_a_switch_that_stands_still_few_are_given_up(
    running: Running,
) -> None:
    async def run() -> None:
        link = ari(running, proxy)
        await link.start()
        proxy.hold(lambda _, uri: uri == SET)
        waiting = [asyncio.ensure_future(put(link, str(n))) for n in range(50)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        proxy.release()
        given_up = [reply for reply in await asyncio.gather(*waiting) if reply.status is None]
        assert 1 <= len(given_up) < len(waiting) / 2
        await link.stop()

    with AriProxy(running.site.http_port) as proxy:
        asyncio.run(run())


def test_the_same_seed_loses_the_same_requests(running: Running) -> None:
    async def run(proxy: AriProxy) -> list[bool]:
        link = ari(running, proxy)
        await link.start()
        proxy.lose(before=0.5, of=lambda _, uri: uri == SET)
        came = await asyncio.gather(*(put(link, str(n)) for n in range(20)))
        await link.stop()
        return [reply.ok for reply in came]

    runs = []
    for _ in range(2):
        with AriProxy(running.site.http_port, seed=3) as proxy:
            runs.append(asyncio.run(run(proxy)))
    assert runs[0] == runs[1]
    assert {True, False} == set(runs[0])
