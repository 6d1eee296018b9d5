"""One request of one kind is lost, before the deed or after it: the call-back goes on as if not."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from perezvon.core.commands import ConnectCall, DialClient, HangUp, PlayPrompt, Prompt, PromptKind
from perezvon.core.events import LegAnswered, PromptEnded
from perezvon.core.ids import SECOND, CallId, LegId, PlaybackId
from tests.asterisk.office import Office, in_office, proven, ring
from tests.support.ari_proxy import AriProxy, kind_of
from tests.support.asterisk import Running, asterisk
from tests.support.onlooker import Onlooker
from tests.support.plans import CARRIER, NUMBER, plan_of
from tests.support.ports import free_udp_port

pytestmark = pytest.mark.asterisk

CLIENT = "+79161234567"
KINDS = (
    "POST channels/create",
    "POST channels/*/dial",
    "POST channels/*/play/*",
    "POST bridges",
    "POST bridges/*/addChannel",
    "DELETE channels/*",
    "DELETE bridges/*",
)
NOT_TWICE = KINDS[:3]
"""What must not be done again when only its reply was lost."""

OF_A_BEAT = ("POST events/user/*", "GET applications/*", "POST asterisk/variable")

CASES = [(kind, "before") for kind in KINDS] + [(kind, "after") for kind in NOT_TWICE]
CALL = CallId("t-d1/1")
AGENT, CALLED = LegId("t-d1/1a1"), LegId("t-d1/1c")
PLAYBACK = PlaybackId("t-d1/1/p1")
BRIEFING = Prompt(PromptKind.BRIEFING, sound="beep")
SOON_MS = 10_000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    plan = plan_of(("anna",), callers_port=free_udp_port())
    with asterisk(plan, tmp_path_factory.mktemp("lost")) as one:
        yield one


class First:
    """Chooses the first request of a kind, and none after it."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self.done = False

    def __call__(self, method: str, uri: str) -> bool:
        if self.done or kind_of(method, uri) != self._kind:
            return False
        self.done = True
        return True


@pytest.mark.parametrize(("kind", "when"), CASES)
def test_a_lost_request_costs_neither_a_ring_nor_a_talk(
    running: Running, kind: str, when: str
) -> None:
    lost = First(kind)

    async def test(place: Office) -> None:
        place.switch = place.driver(port=proxy.port)
        await place.switch.start(place.events.append)
        proxy.lose(**{when: 1.0}, of=lost)
        place.carrier.answers_at_once = place.phones["anna"].answers_at_once = True
        await call_back(place)
        assert len(place.phones["anna"].calls) == 1
        assert len(place.carrier.calls) == 1
        assert place.events.count(PromptEnded(AGENT, PLAYBACK)) == 1

    with AriProxy(running.site.http_port) as proxy:
        in_office(running, test, ("anna",), started=False)
    assert lost.done


@pytest.mark.parametrize("kind", OF_A_BEAT)
def test_a_heart_does_not_miss_a_beat_for_one_lost_request(running: Running, kind: str) -> None:
    lost = First(kind)

    async def test(place: Office) -> None:
        place.switch = place.driver(port=proxy.port)
        await place.switch.start(place.events.append)
        proxy.lose(before=1.0, of=lost)
        assert await place.switch.heartbeat(proven)

    with AriProxy(running.site.http_port) as proxy:
        in_office(running, test, started=False)
    assert lost.done


async def call_back(place: Office) -> None:
    """The agent, his briefing, the client, their talk, and its end."""
    place.do(ring(AGENT, "anna"))
    await place.heard(LegAnswered(AGENT), SOON_MS)
    place.do(PlayPrompt(AGENT, PLAYBACK, BRIEFING))
    await place.heard(PromptEnded(AGENT, PLAYBACK), SOON_MS)
    person = place.directory.person_of(CLIENT)
    place.do(DialClient(CALLED, CALL, person, CARRIER, NUMBER, 10 * SECOND, AGENT))
    await place.heard(LegAnswered(CALLED), SOON_MS)
    place.do(ConnectCall(CALL, CALLED, AGENT))
    onlooker = Onlooker(place.running)
    await until_so(lambda: onlooker.together() == [frozenset({CALLED, AGENT})])
    place.do(HangUp(CALLED), HangUp(AGENT))
    await place.end_of(CALLED, SOON_MS)
    await place.end_of(AGENT, SOON_MS)
    await until_so(lambda: not onlooker.left_behind())


async def until_so(condition: Callable[[], bool]) -> None:
    """`condition` asks Asterisk itself, and blocks."""
    async with asyncio.timeout(SOON_MS / 1000):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.05)
