"""What nobody answers for on a real Asterisk is swept, a caller taken in; and it is told."""

from collections.abc import Iterator

import aiohttp
import pytest

from perezvon.asterisk import upkeep
from perezvon.asterisk.provision import application
from perezvon.core.events import CallArrived
from perezvon.runtime.alerts import AlertKind, Alerts
from tests.asterisk.office import Office, in_office, proven
from tests.asterisk.phone import until
from tests.support.asterisk import PASSWORD, Running, asterisk
from tests.support.plans import NUMBER, plan_of
from tests.support.ports import free_udp_port

pytestmark = pytest.mark.asterisk


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with asterisk(plan_of(callers_port=free_udp_port()), tmp_path_factory.mktemp("up")) as one:
        yield one


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PERIOD_MS", 100)
    monkeypatch.setattr(upkeep, "STRAY_MS", 500)


async def ari(running: Running, method: str, uri: str, **options: object) -> object:
    login = aiohttp.encode_basic_auth(running.site.ari_user, PASSWORD)
    async with (
        aiohttp.ClientSession(headers={"Authorization": login}) as session,
        session.request(method, f"{running.ari_url}/{uri}", **options) as reply,  # type: ignore[arg-type]
    ):
        assert reply.ok, await reply.text()
        return await reply.json() if reply.content_type == "application/json" else None


async def go_deaf(running: Running) -> None:
    """Nobody is told any more of who enters the application."""
    app = application(running.plan.tenant)
    deaf = {"disallowed": [{"type": "StasisStart"}], "allowed": []}
    await ari(running, "PUT", f"applications/{app}/eventFilter", json=deaf)


def swept(alerts: Alerts) -> list[str]:
    return [one.detail for one in alerts if one.kind is AlertKind.STRAY_LEG]


def test_a_leaked_channel_and_a_leaked_bridge_are_swept_and_told(running: Running) -> None:
    async def test(place: Office) -> None:
        await go_deaf(running)
        app = application(running.plan.tenant)
        left = {"endpoint": "Local/*43@phones-t", "app": app, "appArgs": "agent"}
        await ari(running, "POST", "channels/create", params={**left, "channelId": "t-left/1"})
        await ari(running, "POST", "bridges/t-left", params={"type": "mixing"})
        await ari(running, "POST", "bridges/another", params={"type": "mixing"})
        assert await place.channels() > 0

        async def bridges() -> set[str]:
            listing = await ari(running, "GET", "bridges")
            assert isinstance(listing, list)
            return {one["id"] for one in listing}

        assert await bridges() == {"t-left", "another"}
        await until(lambda: bool(swept(place.alerts)), 10_000)
        for _ in range(200):
            if await place.channels() == 0 and await bridges() == {"another"}:
                break
        assert await place.channels() == 0
        # Somebody else's is left in peace.
        assert await bridges() == {"another"}
        await ari(running, "DELETE", "bridges/another")

    in_office(running, test, ("anna",))


def test_a_caller_of_whom_nobody_was_told_is_taken_in_and_not_hung_up(running: Running) -> None:
    async def test(place: Office) -> None:
        assert await place.switch.heartbeat(proven)
        await go_deaf(running)
        dialog = place.carrier.call(NUMBER, running.sip_port, caller="+79161234567")
        await until(lambda: len(place.of(CallArrived)) == 1, 10_000)
        assert place.of(CallArrived)[0].did == NUMBER
        assert not dialog.ended
        assert swept(place.alerts)

    in_office(running, test, ("anna",))
