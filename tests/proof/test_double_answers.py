"""Two telephones answer one call within five milliseconds: one talks, the other is told that the
call was completed elsewhere. A caller's CANCEL meets an agent's answer: one end, and no silence.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from perezvon.core.facts import CallAnswered, CallMissed, MissReason, OfferEnded, OfferOutcome
from perezvon.core.ids import HOUR, SECOND, GroupId, QueueId, RuleId
from perezvon.core.plan import CallbackRule, Ladder, Plan, Queue, Step, Thresholds
from tests.asterisk.phone import Dialog, Phone, until
from tests.proof.conftest import Figures
from tests.support.asterisk import PASSWORD, Running, asterisk
from tests.support.engine import EngineProcess
from tests.support.onlooker import Onlooker
from tests.support.plans import NUMBER, plan_of
from tests.support.ports import free_udp_port
from tests.support.registration import register

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("double-answers")]

AGENTS = ("anna", "boris")
GAP_MS_MAX = 5.0
ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
ENDS_MS = 20_000
TALK_MS = 600
"""From then on it was a talk for the ledger, and nobody was dropped at the answer."""

SEED = 11


def the_plan(callers_port: int) -> Plan:
    step = Step(groups=(GroupId("all"),), k=2, ring_ms=20 * SECOND)
    queue = Queue(QueueId("sales"), "Sales", (step,), answer_first=False, wrap_up_ms=0)
    return plan_of(
        AGENTS,
        callers_port=callers_port,
        queues=(queue,),
        callback_rules=(CallbackRule(RuleId("later"), ladder=Ladder((HOUR,))),),
        thresholds=Thresholds(short_ms=0, dropped_at_answer_ms=TALK_MS),
    )


class Office:
    """A carrier who calls and two telephones on command, in this test's loop."""

    def __init__(self, running: Running, carrier: Phone, phones: tuple[Phone, Phone]) -> None:
        self._sip_port = running.sip_port
        self._carrier = carrier
        self._phones = phones
        self._count = 0

    async def ringing(self) -> tuple[Dialog, tuple[Dialog, Dialog]]:
        """Somebody calls, both telephones ring."""
        before = [len(phone.calls) for phone in self._phones]
        self._count += 1
        caller = self._carrier.call(NUMBER, self._sip_port, caller=f"+7916{self._count:07}")
        first, second = self._phones

        def both() -> bool:
            return len(first.calls) > before[0] and len(second.calls) > before[1]

        await until(both, ENDS_MS)
        return caller, (first.calls[-1], second.calls[-1])


@asynccontextmanager
async def office(running: Running, callers_port: int) -> AsyncIterator[Office]:
    carrier, phones = await Phone().open(callers_port), []
    for agent in AGENTS:
        port, server = free_udp_port(), ("127.0.0.1", running.sip_port)
        assert await asyncio.to_thread(register, server, port, agent, PASSWORD) == 200
        phones.append(await Phone().open(port))
    try:
        yield Office(running, carrier, (phones[0], phones[1]))
    finally:
        for phone in (carrier, *phones):
            phone.close()


def in_office(
    tmp_path: Path, test: Callable[[Office, EngineProcess, Onlooker], Awaitable[None]]
) -> None:
    callers_port = free_udp_port()

    async def run(running: Running, engine: EngineProcess, onlooker: Onlooker) -> None:
        async with office(running, callers_port) as place:
            await asyncio.to_thread(engine.sign_in, *AGENTS)
            await test(place, engine, onlooker)

    with (
        asterisk(the_plan(callers_port), tmp_path) as running,
        EngineProcess(running, tmp_path) as engine,
        Onlooker(running) as onlooker,
    ):
        asyncio.run(run(running, engine, onlooker))


async def after(gap_s: float, first: Callable[[], None], second: Callable[[], None]) -> float:
    """Do both so far apart, to the fraction of a millisecond; the true gap in milliseconds."""
    first()
    begun = time.monotonic()
    while time.monotonic() - begun < gap_s:
        pass  # a sleep would be too coarse
    second()
    return (time.monotonic() - begun) * 1000


async def until_talked(engine: EngineProcess, calls: int) -> None:
    """The ledger counts so many answered."""
    async with asyncio.timeout(ENDS_MS / 1000):
        while (await asyncio.to_thread(engine.ledger))["answered"] < calls:
            await asyncio.sleep(0.05)


async def all_over(engine: EngineProcess, onlooker: Onlooker) -> None:
    give_up_at = time.monotonic() + ENDS_MS / 1000
    while True:
        left = await asyncio.to_thread(onlooker.left_behind)
        ledger = await asyncio.to_thread(engine.ledger)
        if not left and ledger["in_progress"] == 0:
            return
        assert time.monotonic() < give_up_at, (left, ledger, engine.log_tail())
        await asyncio.sleep(0.05)


def test_of_two_who_answer_within_five_milliseconds_one_talks_and_the_other_hears_elsewhere(
    figures: Figures, tmp_path: Path
) -> None:
    wanted = 200 if figures.full else 10
    chance = random.Random(SEED)
    gaps: list[float] = []
    heard: Counter[str] = Counter()
    silent: list[str] = []
    too_far = 0

    async def pairs(place: Office, engine: EngineProcess, onlooker: Onlooker) -> None:
        nonlocal too_far
        while len(gaps) < wanted:
            caller, rung = await place.ringing()
            first, second = rung if chance.random() < 0.5 else rung[::-1]
            gap_ms = await after(chance.uniform(0, 0.0045), first.answer, second.answer)
            loser = await until(lambda: next((one for one in rung if "BYE" in one.reasons), None))  # noqa: B023 - awaited in this turn
            winner = next(one for one in rung if one is not loser)
            await caller.status(200)
            connected = await until_connected(onlooker)
            if gap_ms > GAP_MS_MAX:
                too_far += 1
            else:
                gaps.append(gap_ms)
                heard[what_he_heard(loser)] += 1
                if winner.ended or not connected:
                    silent.append(caller.call_id)
            await until_talked(engine, len(gaps) + too_far)
            caller.hang_up()
            await until(lambda: winner.ended, ENDS_MS)  # noqa: B023 - the same
            await all_over(engine, onlooker)
        facts = await asyncio.to_thread(engine.facts)
        outcomes = Counter(fact.outcome for fact in facts if isinstance(fact, OfferEnded))
        answered = sum(isinstance(fact, CallAnswered) for fact in facts)
        calls = wanted + too_far
        status, ledger = await asyncio.to_thread(engine.told_ledger)
        assert status == 0
        assert answered == ledger["answered"] == calls
        assert outcomes.keys() <= {OfferOutcome.RESCINDED, OfferOutcome.ANSWERED}, outcomes
        assert outcomes[OfferOutcome.RESCINDED] == calls, (outcomes, ledger)
        assert silent == []
        assert set(heard) <= {"BYE with it", "CANCEL with it, then BYE", "CANCEL and BYE with it"}
        figures.state("pairs of answers within 5 ms", len(gaps), wanted)
        figures.state("their gaps, ms, median / longest", shown(gaps), "≤ 5.0")
        figures.state("calls answered, once each", answered - too_far, wanted)
        figures.state("losers marked missed", outcomes[OfferOutcome.MISSED], 0)
        figures.state("callers or winners left in silence", len(silent), 0)
        for how, count in sorted(heard.items()):
            figures.state(f'losers who heard "Call completed elsewhere": {how}', count, "stated")

    in_office(tmp_path, pairs)


def what_he_heard(loser: Dialog) -> str:
    """By what the loser's telephone was told that the call was completed elsewhere."""
    cancel, bye = loser.reasons.get("CANCEL"), loser.reasons["BYE"]
    if bye == ELSEWHERE:
        return "BYE with it" if cancel is None else "CANCEL and BYE with it"
    return "CANCEL with it, then BYE" if cancel == ELSEWHERE else f"{cancel!r}, then {bye!r}"


async def until_connected(onlooker: Onlooker) -> bool:
    try:
        async with asyncio.timeout(3):
            while not await asyncio.to_thread(onlooker.together):
                await asyncio.sleep(0.01)
    except TimeoutError:
        return False
    return True


def shown(gaps: list[float]) -> str:
    return f"{sorted(gaps)[len(gaps) // 2]:.1f} / {max(gaps):.1f}"


def test_a_caller_who_cancels_as_an_agent_answers_has_one_end_and_nobody_is_left_in_silence(
    figures: Figures, tmp_path: Path
) -> None:
    wanted = 60 if figures.full else 6
    chance = random.Random(SEED)
    gaps: list[float] = []

    async def crossings(place: Office, engine: EngineProcess, onlooker: Onlooker) -> None:
        calls = 0
        while len(gaps) < wanted:
            calls += 1
            caller, (agent, other) = await place.ringing()
            acts = (agent.answer, caller.cancel)
            first, second = acts if calls % 2 else acts[::-1]
            gap_ms = await after(chance.uniform(0, 0.0045), first, second)
            if gap_ms <= GAP_MS_MAX:
                gaps.append(gap_ms)
            await until(lambda: caller.ended or caller.answered, ENDS_MS)  # noqa: B023 - awaited in this turn
            if caller.answered:
                # The answer was faster than his CANCEL: he hangs up, as a telephone does.
                caller.hang_up()
            await until(lambda: agent.ended and other.ended, ENDS_MS)  # noqa: B023 - the same
            await all_over(engine, onlooker)
        facts = await asyncio.to_thread(engine.facts)
        answered = {fact.call for fact in facts if isinstance(fact, CallAnswered)}
        missed = {fact.call: fact.reason for fact in facts if isinstance(fact, CallMissed)}
        offers = Counter(fact.outcome for fact in facts if isinstance(fact, OfferEnded))
        status, ledger = await asyncio.to_thread(engine.told_ledger)
        assert status == 0
        assert not answered & missed.keys()
        assert len(answered) + len(missed) == ledger["arrivals"] == calls, ledger
        allowed = {MissReason.CALLER_ABANDONED_AT_ANSWER, MissReason.LEFT_RINGING}
        assert set(missed.values()) <= allowed, missed
        assert OfferOutcome.MISSED not in offers
        figures.state("CANCEL and answer within 5 ms, both orders", len(gaps), wanted)
        figures.state("their gaps, ms, median / longest", shown(gaps), "≤ 5.0")
        for reason, count in sorted(Counter(missed.values()).items()):
            figures.state(f"of them missed and owed: {reason.value}", count, "stated")
        figures.state("of them answered", len(answered), "stated")
        figures.state("of them both, or neither", 0, 0)
        figures.state("legs left after it", 0, 0)

    in_office(tmp_path, crossings)
