"""The link to a real Asterisk: order, time-outs, cuts, and the audit that follows each."""

import asyncio
from collections.abc import Iterator

import pytest

from perezvon.asterisk.ari import Address, Ari, Message, part
from perezvon.asterisk.provision import application
from perezvon.core.commands import AnswerCall, ConnectCall, HangUp, StopRinging
from perezvon.core.events import (
    CallFellBack,
    EndCause,
    Event,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegState,
    Resynced,
)
from perezvon.core.ids import CallId, LegId
from tests.asterisk.office import Office, in_office, proven, ring
from tests.asterisk.phone import until
from tests.asterisk.relay import Relay
from tests.support.ari_proxy import AriProxy
from tests.support.asterisk import PASSWORD, Running, asterisk
from tests.support.plans import plan_of
from tests.support.ports import free_udp_port

pytestmark = pytest.mark.asterisk


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    plan = plan_of(callers_port=free_udp_port())
    with asterisk(plan, tmp_path_factory.mktemp("ari"), dead_man_s=3) as one:
        yield one


def address(running: Running, port: int | None = None) -> Address:
    site = running.site
    url = f"http://127.0.0.1:{port or site.http_port}/ari"
    return Address(url, site.ari_user, PASSWORD, application(running.plan.tenant))


class Listener:
    """A client of the link that keeps what it hears."""

    def __init__(self, running: Running, port: int | None = None) -> None:
        self.heard: list[Message] = []
        self.links = 0
        self.replaced = 0
        self.ari = Ari(
            address(running, port),
            on_event=self.heard.append,
            on_link=self._linked,
            on_replaced=self._replace,
        )

    async def _linked(self) -> None:
        self.links += 1

    def _replace(self) -> None:
        self.replaced += 1


def resynced(events: list[Event]) -> list[Resynced]:
    return [event for event in events if isinstance(event, Resynced)]


def test_requests_are_done_in_their_order(running: Running) -> None:
    async def test() -> None:
        one = Listener(running)
        await one.ari.start()
        futures = []
        for number in range(100):
            query = {"type": "mixing", "bridgeId": f"t-order-{number}"}
            futures.append(one.ari.submit("POST", "bridges", query=query))
            futures.append(one.ari.submit("DELETE", f"bridges/{part(f't-order-{number}')}"))
        replies = await asyncio.gather(*futures)
        assert [reply.status for reply in replies] == [200, 204] * 100
        await one.ari.stop()

    asyncio.run(test())


def test_a_request_that_nobody_answers_ends_as_unknown_and_not_as_failed(
    running: Running,
) -> None:
    async def test() -> None:
        one = Listener(running)
        await one.ari.start()
        late = await one.ari.request("GET", "asterisk/info", timeout_ms=0)
        assert late.status is None
        assert not late.ok
        assert not late.gone
        await one.ari.stop()
        assert (await one.ari.request("GET", "asterisk/info")).status is None

    asyncio.run(test())


def test_a_cut_link_is_made_again_and_its_requests_are_unknown(running: Running) -> None:
    async def test() -> None:
        async with Relay(running.site.http_port) as relay:
            one = Listener(running, relay.port)
            await one.ari.start()
            relay.closed = True
            waiting = one.ari.submit("GET", "asterisk/info")
            relay.cut()
            assert (await waiting).status is None
            await until(lambda: not one.ari.linked)
            relay.closed = False
            await until(lambda: one.ari.linked)
            assert one.links == 2
            assert (await one.ari.request("GET", "asterisk/info")).ok
            await one.ari.stop()

    asyncio.run(test())


def test_whose_application_is_taken_over_is_told_and_falls_silent(running: Running) -> None:
    async def test() -> None:
        first, second = Listener(running), Listener(running)
        await first.ari.start()
        await second.ari.start()
        await until(lambda: first.replaced)
        assert second.replaced == 0
        assert (await first.ari.request("GET", "asterisk/info")).status is None
        assert (await second.ari.request("GET", "asterisk/info")).ok
        assert not first.ari.linked
        await first.ari.stop()
        await second.ari.stop()

    asyncio.run(test())


def test_a_long_listing_comes_by_http(running: Running) -> None:
    async def test() -> None:
        one = Listener(running)
        await one.ari.start()
        assert (await one.ari.listing("channels")).body == []
        assert (await one.ari.listing("channels/nobody")).status == 404
        await one.ari.stop()

    asyncio.run(test())


def test_after_a_cut_the_audit_says_who_talks_who_waits_and_who_is_gone(running: Running) -> None:
    async def test(place: Office) -> None:
        async with Relay(running.site.http_port) as relay:
            place.switch = place.driver(port=relay.port)
            await place.switch.start(place.events.append)
            talks, talking = await place.caller("+79160000001")
            _, waiting = await place.caller("+79160000002")
            leaves, leaving = await place.caller("+79160000003")
            agent, rings = LegId("t-c1/1"), LegId("t-c3/1")
            place.phones["anna"].answers_at_once = True
            place.do(ring(agent, "anna"), ring(rings, "boris"))
            await place.heard(LegAnswered(agent))
            await place.heard(LegRinging(rings))
            place.do(AnswerCall(talking), ConnectCall(CallId("t-c1"), talking, agent))
            place.switch.protect([waiting, leaving], [talking])
            await until(lambda: talks.answered)
            relay.closed = True
            relay.cut()
            leaves.cancel()
            place.phones["boris"].calls[0].refuse(486)
            await until(lambda: leaves.ended)
            relay.closed = False
            await until(lambda: len(resynced(place.events)) == 2)
            audit = resynced(place.events)[-1]
            seen = {one.leg: one for one in audit.legs}
            assert set(seen) == {talking, waiting, agent}
            assert seen[talking].bridged_with == agent
            assert seen[talking].inbound is not None
            assert (seen[waiting].state, seen[waiting].bridged_with) == (LegState.RINGING, None)
            assert seen[agent].state is LegState.UP
            causes = dict(audit.gone)
            assert causes[leaving] is EndCause.CANCELLED
            assert causes[rings] is EndCause.REFUSED
            talks.hang_up()
            assert await place.end_of(talking) is EndCause.NORMAL
            place.do(HangUp(agent))
            assert await place.end_of(agent) is EndCause.NORMAL
            await place.switch.stop()

    in_office(running, test, ("anna", "boris"), started=False)


def test_an_answer_in_the_gap_is_in_the_audit_and_the_talk_can_begin(running: Running) -> None:
    async def test(place: Office) -> None:
        async with Relay(running.site.http_port) as relay:
            place.switch = place.driver(port=relay.port)
            await place.switch.start(place.events.append)
            caller, leg = await place.caller()
            answers, rings = LegId("t-c6/1"), LegId("t-c6/2")
            place.do(ring(answers, "anna"), ring(rings, "boris"))
            await place.heard(LegRinging(answers))
            await place.heard(LegRinging(rings))
            relay.closed = True
            relay.cut()
            place.phones["anna"].calls[0].answer()
            await until(lambda: place.phones["anna"].calls[0].answered)
            assert LegAnswered(answers) not in place.events
            relay.closed = False
            await until(lambda: len(resynced(place.events)) == 2)
            state = {one.leg: one.state for one in resynced(place.events)[-1].legs}
            assert state == {
                leg: LegState.RINGING,
                answers: LegState.UP,
                rings: LegState.RINGING,
            }
            place.do(StopRinging(rings), AnswerCall(leg))
            place.do(ConnectCall(CallId("t-c6"), leg, answers))
            assert await place.end_of(rings) is EndCause.CANCELLED
            await until(lambda: caller.answered)
            assert not place.phones["anna"].calls[0].ended
            assert len(place.phones["anna"].calls) == 1
            caller.hang_up()
            assert await place.end_of(leg) is EndCause.NORMAL
            place.do(HangUp(answers))
            assert await place.end_of(answers) is EndCause.NORMAL
            await place.switch.stop()

    in_office(running, test, ("anna", "boris"), started=False)


def test_no_audit_is_told_before_the_switch_says_since_when_it_runs(running: Running) -> None:
    """Asterisk links us before it has booted; a restart was taken for a gap then (measured)."""

    async def test(place: Office) -> None:
        with AriProxy(running.site.http_port) as proxy:
            place.switch = place.driver(port=proxy.port)
            proxy.lose(before=1.0, of=lambda _, uri: uri == "asterisk/info")
            starting = asyncio.create_task(place.switch.start(place.events.append))
            await until(lambda: proxy.lost_count("before") >= 2, 20_000)
            assert not resynced(place.events)
            proxy.lose()
            await starting
            assert resynced(place.events)[0].switch_started_at is not None
            await place.switch.stop()

    in_office(running, test, ("anna",), started=False)


def test_a_locked_registry_stops_the_heartbeat_and_not_the_link(running: Running) -> None:
    """#2170 as measured: events still go round, and a new caller would get stuck in `Stasis()`."""
    ours = f"applications/{application(running.plan.tenant)}"

    async def test(place: Office) -> None:
        with AriProxy(running.site.http_port) as proxy:
            place.switch = place.driver(port=proxy.port)
            await place.switch.start(place.events.append)
            assert await place.switch.heartbeat(proven)
            proxy.hold(lambda _, uri: uri == ours)
            for _ in range(4):
                assert not await place.switch.heartbeat(proven)
            proxy.release()
            assert await place.switch.heartbeat(proven)
            assert len(resynced(place.events)) == 1
            await place.switch.stop()

    in_office(running, test, ("anna",), started=False)


def test_what_was_commanded_without_a_link_was_never_made(running: Running) -> None:
    leg = LegId("t-c9/1")

    async def test(place: Office) -> None:
        async with Relay(running.site.http_port) as relay:
            place.switch = place.driver(port=relay.port)
            await place.switch.start(place.events.append)
            # CEL has to have begun: without it nothing is claimed.
            place.do(ring(LegId("t-c8/1"), "anna"))
            await place.heard(LegRinging(LegId("t-c8/1")))
            place.do(StopRinging(LegId("t-c8/1")))
            await place.end_of(LegId("t-c8/1"))
            relay.closed = True
            relay.cut()
            assert not await place.switch.heartbeat(proven)
            place.do(ring(leg, "anna"))
            relay.closed = False
            await until(lambda: len(resynced(place.events)) == 2)
            audit = resynced(place.events)[-1]
            assert dict(audit.gone)[leg] is EndCause.NEVER_MADE
            assert len(place.phones["anna"].calls) == 1
            await place.switch.stop()

    in_office(running, test, ("anna",), started=False)


def test_a_new_engine_adopts_what_the_old_one_left(running: Running) -> None:
    async def test(place: Office) -> None:
        _, waiting = await place.caller()
        refused, rings, never = (LegId(f"t-c5/{n}") for n in (1, 2, 3))
        place.phones["anna"].refuses_with = 486
        commands = [ring(refused, "anna"), ring(rings, "boris"), ring(never, "anna")]
        place.do(*commands[:2])
        await place.heard(LegRinging(rings))
        await place.heard(LegEnded(refused, EndCause.REFUSED))
        await place.switch.stop()
        place.events.clear()
        place.switch = place.driver()
        place.switch.expect(commands)
        await place.switch.start(place.events.append)
        audit = place.events[0]
        assert isinstance(audit, Resynced)
        seen = {one.leg: one for one in audit.legs}
        assert set(seen) == {waiting, rings}
        assert seen[rings].state is LegState.RINGING
        assert dict(audit.gone)[refused] is EndCause.REFUSED
        assert dict(audit.gone)[never] is EndCause.NEVER_MADE
        place.do(StopRinging(rings))
        assert await place.end_of(rings) is EndCause.CANCELLED
        await until(lambda: place.phones["boris"].calls[0].ended)

    in_office(running, test, ("anna", "boris"))


def test_a_caller_who_fell_back_meanwhile_is_told_before_the_audit(running: Running) -> None:
    async def test(place: Office) -> None:
        _, leg = await place.caller()
        await place.switch.stop()
        await until_in_fallback(running)
        place.events.clear()
        place.switch = place.driver()
        await place.switch.start(place.events.append)
        assert place.events[0] == CallFellBack(leg)
        assert isinstance(place.events[1], Resynced)
        assert place.events[1].legs == ()

    in_office(running, test)


async def until_in_fallback(running: Running) -> None:
    async with asyncio.timeout(8):
        while "localq-t" not in await running.process.cli("core show channels concise"):
            await asyncio.sleep(0.05)
