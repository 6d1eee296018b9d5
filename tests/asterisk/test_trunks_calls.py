"""Call-backs through an ill carrier, on a real Asterisk with a real engine, counted at its side."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from perezvon.core.facts import AttemptMade, AttemptOutcome, DebtOpened, DebtSettled, Fact
from perezvon.core.ids import SECOND, AgentId, GroupId, QueueId, RuleId
from perezvon.core.plan import CallbackOrder, CallbackRule, Queue, Step, Thresholds
from tests.asterisk.carrier import SILENT, Carrier
from tests.asterisk.phone import Phone, until
from tests.support.asterisk import PASSWORD, Running, asterisk
from tests.support.engine import EngineProcess
from tests.support.plans import NUMBER, plan_of
from tests.support.ports import free_udp_port
from tests.support.registration import register

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("trunks-calls")]

AGENTS = (AgentId("anna"), AgentId("boris"))
CLIENTS = tuple(f"+7916555000{number}" for number in range(6))
RETRY_MS = SECOND // 2
RING_CLIENT_MS = 2 * SECOND
ILL_S = 3
"""How long each illness lasts."""

TRIES_MAX = 6
"""In that time, of all clients together: two that were under way, then a trial after each hold."""

TALK_S = 2.5
WAIT_MS = 60_000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    step = Step(groups=(GroupId("all"),))
    rule = CallbackRule(
        RuleId("quick"), order=CallbackOrder.CLIENT_FIRST, ring_client_ms=RING_CLIENT_MS
    )
    plan = plan_of(
        AGENTS,
        callers_port=free_udp_port(),
        queues=(Queue(QueueId("sales"), "Sales", (step,), wrap_up_ms=0),),
        callback_rules=(rule,),
        thresholds=Thresholds(short_ms=0, trunk_retry_ms=RETRY_MS),
    )
    # Never asked by OPTIONS: only what becomes of calls tells whether the trunk works.
    with asterisk(plan, tmp_path_factory.mktemp("trunks-calls")) as one:
        yield one


@asynccontextmanager
async def city(running: Running, root: Path) -> AsyncIterator[tuple[Carrier, EngineProcess]]:
    engine = EngineProcess(running, root)
    carrier = Carrier()
    await carrier.open(running.plan.trunks[0].port)
    phones: list[Phone] = []
    try:
        for agent in AGENTS:
            port = free_udp_port()
            server = ("127.0.0.1", running.sip_port)
            assert await asyncio.to_thread(register, server, port, agent, PASSWORD) == 200
            phones.append(await Phone().open(port))
            phones[-1].answers_at_once = True
        await asyncio.to_thread(engine.start)
        yield carrier, engine
    finally:
        await asyncio.to_thread(engine.stop)
        for phone in (carrier, *phones):
            phone.close()


async def told_by(engine: EngineProcess, found: Callable[[list[Fact]], bool]) -> None:
    async with asyncio.timeout(WAIT_MS / 1_000):
        while not found(await asyncio.to_thread(engine.facts)):
            await asyncio.sleep(0.2)


def of(kind: type[Fact], facts: list[Fact]) -> int:
    return sum(1 for fact in facts if isinstance(fact, kind))


async def talks(carrier: Carrier, count: int) -> None:
    """Each client who is called talks a while and hangs up."""
    heard: set[str] = set()
    while len(heard) < count:
        dialog = await until(
            lambda: next((d for d in carrier.calls if d.answered and d.call_id not in heard), None),
            WAIT_MS,
        )
        heard.add(dialog.call_id)
        asyncio.get_running_loop().call_later(TALK_S, dialog.hang_up)


def test_an_ill_trunk_burns_no_attempt_and_is_not_stormed_and_then_all_are_called_once(
    running: Running, tmp_path: Path
) -> None:
    async def run() -> None:
        async with city(running, tmp_path) as (carrier, engine):
            for client in CLIENTS:
                caller = carrier.call(NUMBER, running.sip_port, caller=client)
                await caller.status(200)
                caller.hang_up()
            await told_by(engine, lambda facts: of(DebtOpened, facts) == len(CLIENTS))
            carrier.answers["INVITE"] = SILENT
            await asyncio.to_thread(engine.sign_in, *AGENTS)
            # Not silent at the end: what was not answered is sent again, and would be heard then.
            for status in (SILENT, 403, 503):
                carrier.answers["INVITE"] = status
                since = time.monotonic()
                await asyncio.sleep(ILL_S)  # a time in which hardly anything may happen
                assert carrier.count("INVITE", since) <= TRIES_MAX
            made = [f for f in await asyncio.to_thread(engine.facts) if isinstance(f, AttemptMade)]
            assert {one.outcome for one in made} == {AttemptOutcome.TRUNK_FAILED}
            assert not any(one.counted for one in made)
            carrier.answers_at_once = True
            del carrier.answers["INVITE"]
            await talks(carrier, len(CLIENTS))
            await told_by(engine, lambda facts: of(DebtSettled, facts) == len(CLIENTS))
            called = Counter(dialog.ours.partition("@")[0] for dialog in carrier.calls)
            assert list(called.values()) == [1] * len(CLIENTS)
            ledger = await asyncio.to_thread(engine.ledger)
            assert (ledger["balanced"], ledger["open"]) == (True, 0)

    asyncio.run(run())
