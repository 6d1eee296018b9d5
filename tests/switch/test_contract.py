"""The contract of the port `Switch`: each test runs on the simulated switch and on a real Asterisk.

A promise that the core relies on and that only one of them keeps would be found by a client.
"""

import asyncio

import pytest

from perezvon.core.commands import (
    AnswerCall,
    ConnectCall,
    HangUp,
    HangUpReason,
    PromptKind,
    SignalRinging,
    StartMusic,
    StopRinging,
)
from perezvon.core.events import (
    DeviceChanged,
    DigitPressed,
    EndCause,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegState,
    NumberClass,
    PromptEnded,
    Resynced,
)
from perezvon.core.ids import SECOND, AgentId, LegId
from perezvon.runtime.ports import Unavailable
from tests.support.plans import CARRIER, NUMBER
from tests.switch.bench import Bench, contract, proven
from tests.switch.cast import ClientManner, Manner

# Callers.


@contract
async def test_a_caller_is_told_with_his_number_and_who_he_is(bench: Bench) -> None:
    first = await bench.caller_comes("ivan")
    other = await bench.caller_comes("olga", number=NumberClass.LANDLINE)
    assert (first.did, first.trunk) == (NUMBER, CARRIER)
    assert first.caller.number_class is NumberClass.MOBILE
    assert other.caller.number_class is NumberClass.LANDLINE
    assert first.caller.person is not None
    assert other.caller.person not in (None, first.caller.person)
    assert first.leg != other.leg
    bench.do(HangUp(first.leg))
    await bench.end_of(first.leg)
    again = await bench.caller_comes("ivan")
    assert again.caller == first.caller
    assert again.leg != first.leg


@contract
async def test_who_withholds_his_number_is_nobody_and_comes_all_the_same(bench: Bench) -> None:
    arrival = await bench.caller_comes(number=NumberClass.WITHHELD)
    assert arrival.caller.person is None
    assert arrival.caller.number_class is NumberClass.WITHHELD


@contract
async def test_a_caller_is_answered_hears_music_and_a_greeting_to_its_end(bench: Bench) -> None:
    arrival = await bench.caller_comes()
    greeting = bench.prompt(arrival.leg, PromptKind.GREETING)
    bench.do(AnswerCall(arrival.leg), greeting)
    await bench.until_seen(arrival.leg, lambda seen: seen.state is LegState.UP)
    ended = await bench.heard(PromptEnded, arrival.leg, 10_000)
    assert ended.playback == greeting.playback
    bench.do(StartMusic(arrival.leg, "default"))
    await bench.until_seen(arrival.leg, lambda seen: seen.inbound == arrival)
    assert not bench.of(LegEnded)


@contract
async def test_a_caller_hears_ringing_and_is_not_answered(bench: Bench) -> None:
    arrival = await bench.caller_comes()
    bench.do(SignalRinging(arrival.leg))
    await bench.check_hears_ringing(arrival)
    assert (await bench.audit())[arrival.leg].state is LegState.RINGING


@contract
async def test_a_caller_who_leaves_before_an_answer_has_cancelled(bench: Bench) -> None:
    arrival = await bench.caller_comes(patience_ms=300)
    bench.do(SignalRinging(arrival.leg))
    assert await bench.end_of(arrival.leg) is EndCause.CANCELLED
    await bench.until_nobody()


@contract
async def test_a_caller_who_leaves_after_an_answer_has_hung_up(bench: Bench) -> None:
    arrival = await bench.caller_comes(patience_ms=600, talk_ms=300)
    bench.do(AnswerCall(arrival.leg), StartMusic(arrival.leg, "default"))
    assert await bench.end_of(arrival.leg) is EndCause.NORMAL
    await bench.until_nobody()


@pytest.mark.parametrize("reason", HangUpReason)
@contract
async def test_a_caller_who_is_refused_is_off_the_line(bench: Bench, reason: HangUpReason) -> None:
    arrival = await bench.caller_comes()
    bench.do(HangUp(arrival.leg, reason))
    assert await bench.end_of(arrival.leg) is EndCause.CANCELLED
    await bench.until_nobody()


# Offers.


@contract
async def test_of_three_who_ring_one_answers_and_the_others_are_stopped(bench: Bench) -> None:
    arrival = await bench.caller_comes(talk_ms=900)
    call = bench.new_call()
    winner = bench.agent(Manner.ANSWERS)
    losers = [bench.agent(Manner.RINGS_ON) for _ in range(2)]
    offers = [bench.offer(one, call, caller=arrival.leg) for one in (winner, *losers)]
    bench.do(SignalRinging(arrival.leg), *offers)
    won, *lost = (one.leg for one in offers)
    for leg in (won, *lost):
        await bench.heard(LegRinging, leg)
    await bench.heard(LegAnswered, won)
    bench.do(ConnectCall(call, arrival.leg, won), *map(StopRinging, lost))
    await bench.until_talking(arrival.leg, won)
    await bench.until_seen(arrival.leg, lambda seen: seen.state is LegState.UP)
    for leg in lost:
        assert await bench.end_of(leg) is EndCause.CANCELLED
    for agent in losers:
        await bench.check_answered_elsewhere(agent)
    assert await bench.end_of(arrival.leg) is EndCause.NORMAL
    assert not bench.of(LegEnded, won)
    bench.do(HangUp(won))
    assert await bench.end_of(won) is EndCause.NORMAL
    await bench.until_nobody()
    assert [bench.rings_count(one) for one in (winner, *losers)] == [1, 1, 1]


@contract
async def test_of_two_who_answer_one_is_sent_away_and_missed_nothing(bench: Bench) -> None:
    arrival = await bench.caller_comes()
    call = bench.new_call()
    agents = [bench.agent(Manner.ANSWERS) for _ in range(2)]
    won, lost = (bench.offer(one, call, caller=arrival.leg) for one in agents)
    bench.do(won, lost)
    await bench.heard(LegAnswered, won.leg)
    await bench.heard(LegAnswered, lost.leg)
    bench.do(ConnectCall(call, arrival.leg, won.leg), StopRinging(lost.leg))
    assert await bench.end_of(lost.leg) is EndCause.NORMAL
    await bench.check_answered_elsewhere(agents[1])
    await bench.until_talking(arrival.leg, won.leg)


@contract
async def test_an_agent_who_hangs_up_leaves_the_caller_to_us(bench: Bench) -> None:
    arrival = await bench.caller_comes()
    call = bench.new_call()
    leg = await bench.rung(Manner.LEAVES, call, arrival.leg)
    await bench.heard(LegAnswered, leg)
    bench.do(ConnectCall(call, arrival.leg, leg))
    assert await bench.end_of(leg) is EndCause.NORMAL
    assert not bench.of(LegEnded, arrival.leg)
    assert (await bench.audit())[arrival.leg].bridged_with is None
    bench.do(ConnectCall(call, arrival.leg, leg))
    await bench.until_told(LegEnded(leg, EndCause.LOST))
    assert not bench.of(LegEnded, arrival.leg)
    bench.do(HangUp(arrival.leg))
    assert await bench.end_of(arrival.leg) is EndCause.NORMAL
    await bench.until_nobody()


@pytest.mark.parametrize("manner", [Manner.BUSY, Manner.DECLINES])
@contract
async def test_who_declines_has_refused(bench: Bench, manner: Manner) -> None:
    agent = bench.agent(manner)
    offer = bench.offer(agent)
    bench.do(offer)
    assert await bench.end_of(offer.leg) is EndCause.REFUSED
    assert not bench.of(LegAnswered)
    await bench.check_quiet(agent)


@contract
async def test_a_telephone_that_is_not_there_is_unreachable(bench: Bench) -> None:
    absent, unknown = bench.offer(bench.agent(Manner.ABSENT)), bench.offer(AgentId("nobody"))
    bench.do(absent, unknown)
    for offer in (absent, unknown):
        assert await bench.end_of(offer.leg, 2_000) is EndCause.UNREACHABLE
    assert not bench.of(LegRinging)


@contract
async def test_a_mute_telephone_never_rings_and_is_given_up(bench: Bench) -> None:
    offer = bench.offer(bench.agent(Manner.MUTE))
    bench.do(offer)
    await bench.unheard(LegRinging, offer.leg, 2_000)
    assert not bench.of(LegEnded, offer.leg)
    bench.do(StopRinging(offer.leg))
    assert await bench.end_of(offer.leg) is EndCause.CANCELLED
    await bench.until_nobody()


@contract
async def test_a_telephone_that_rings_in_vain_was_not_answered(bench: Bench) -> None:
    ringing = bench.offer(bench.agent(Manner.RINGS_ON), ring_ms=700)
    mute = bench.offer(bench.agent(Manner.MUTE), ring_ms=700)
    bench.do(ringing, mute)
    assert await bench.end_of(ringing.leg, 8_000) is EndCause.NO_ANSWER
    assert await bench.end_of(mute.leg, 8_000) is EndCause.UNREACHABLE


@contract
async def test_a_leg_withdrawn_in_the_breath_it_was_made_never_rings_on(bench: Bench) -> None:
    agent = bench.agent(Manner.RINGS_ON)
    offers = [bench.offer(agent) for _ in range(10)]
    for offer in offers:
        bench.do(offer, StopRinging(offer.leg))
    for offer in offers:
        assert await bench.end_of(offer.leg) is EndCause.CANCELLED
    await bench.until_nobody()
    await bench.check_quiet(agent)


@contract
async def test_what_is_said_twice_is_done_once(bench: Bench) -> None:
    arrival = await bench.caller_comes()
    call = bench.new_call()
    agent = bench.agent(Manner.ANSWERS)
    offer = bench.offer(agent, call, caller=arrival.leg)
    connect = ConnectCall(call, arrival.leg, offer.leg)
    bench.do(offer, offer)
    await bench.heard(LegAnswered, offer.leg)
    bench.do(offer, connect, connect)
    await bench.until_talking(arrival.leg, offer.leg)
    bench.do(connect)
    await bench.until_talking(arrival.leg, offer.leg)
    bench.do(HangUp(arrival.leg), HangUp(arrival.leg), HangUp(offer.leg), HangUp(offer.leg))
    assert await bench.end_of(arrival.leg) is EndCause.NORMAL
    assert await bench.end_of(offer.leg) is EndCause.NORMAL
    bench.do(HangUp(offer.leg), StopRinging(offer.leg))
    await bench.until_nobody()
    await bench.check_quiet(agent)
    assert bench.rings_count(agent) == 1


@contract
async def test_commands_about_nobody_harm_nobody(bench: Bench) -> None:
    waiting = await bench.caller_comes()
    nobody, nowhere = LegId(f"{bench.new_call()}/1"), LegId(f"{bench.new_call()}/2")
    prompt = bench.prompt(nobody, PromptKind.GREETING)
    bench.do(
        StopRinging(nobody),
        HangUp(nowhere),
        AnswerCall(nobody),
        SignalRinging(nobody),
        StartMusic(nobody, "default"),
        prompt,
    )
    bench.switch.protect([waiting.leg, nobody], [nowhere])
    assert (await bench.heard(PromptEnded, nobody)).playback == prompt.playback
    leg = await bench.rung(Manner.ANSWERS, bench.new_call(), waiting.leg)
    await bench.heard(LegAnswered, leg)
    assert not bench.of(LegEnded, waiting.leg)
    assert not bench.of(LegEnded, leg)


# Talks with somebody who has gone.


@contract
async def test_who_is_connected_to_a_caller_who_has_gone_is_told(bench: Bench) -> None:
    arrival = await bench.caller_comes(patience_ms=900)
    call = bench.new_call()
    leg = await bench.rung(Manner.ANSWERS, call, arrival.leg)
    await bench.heard(LegAnswered, leg)
    await bench.end_of(arrival.leg)
    bench.do(ConnectCall(call, arrival.leg, leg))
    await bench.until_told(LegEnded(arrival.leg, EndCause.LOST))
    assert not bench.of(LegEnded, leg)
    bench.do(HangUp(leg))
    await bench.end_of(leg)
    await bench.until_nobody()


@contract
async def test_a_caller_connected_to_an_agent_who_fled_can_have_another(bench: Bench) -> None:
    arrival = await bench.caller_comes()
    call = bench.new_call()
    fled = await bench.rung(Manner.FLEES, call, arrival.leg)
    await bench.heard(LegAnswered, fled)
    bench.do(ConnectCall(call, arrival.leg, fled))
    await bench.end_of(fled)
    bench.do(StartMusic(arrival.leg, "default"))
    second = await bench.rung(Manner.ANSWERS, call, arrival.leg)
    await bench.heard(LegAnswered, second)
    bench.do(ConnectCall(call, arrival.leg, second))
    await bench.until_talking(arrival.leg, second)
    assert not bench.of(LegEnded, arrival.leg)


@contract
async def test_a_prompt_holds_nobody_up(bench: Bench) -> None:
    arrival = await bench.caller_comes()
    greeting = bench.prompt(arrival.leg, PromptKind.PROMISE)
    bench.do(AnswerCall(arrival.leg), greeting)
    await bench.unheard(PromptEnded, arrival.leg, 500)
    bench.switch.protect([arrival.leg], [])
    call = bench.new_call()
    leg = await bench.rung(Manner.ANSWERS, call, arrival.leg)
    await bench.heard(LegAnswered, leg)
    assert not bench.of(PromptEnded)
    bench.do(ConnectCall(call, arrival.leg, leg))
    async with asyncio.timeout(1):
        await bench.until_talking(arrival.leg, leg)


# Clients whom we dial.


@contract
async def test_a_client_is_dialled_for_an_agent_and_sees_the_number_he_had_called(
    bench: Bench,
) -> None:
    agent = await bench.rung(Manner.ANSWERS, bench.new_call())
    await bench.heard(LegAnswered, agent)
    briefing = bench.prompt(agent, PromptKind.BRIEFING)
    bench.do(briefing)
    assert (await bench.heard(PromptEnded, agent, 10_000)).playback == briefing.playback
    dial = bench.dial(bench.client(ClientManner.ANSWERS), agent=agent)
    bench.do(dial, dial)
    await bench.heard(LegRinging, dial.leg)
    await bench.heard(LegAnswered, dial.leg)
    await bench.check_shown(dial)
    bench.do(ConnectCall(dial.call, dial.leg, agent))
    await bench.until_talking(dial.leg, agent)
    bench.do(HangUp(dial.leg), HangUp(agent))
    assert await bench.end_of(dial.leg) is EndCause.NORMAL
    assert await bench.end_of(agent) is EndCause.NORMAL
    await bench.until_nobody()


@contract
async def test_a_caller_who_left_is_the_client_whom_we_dial(bench: Bench) -> None:
    arrival = await bench.caller_comes(patience_ms=300)
    await bench.end_of(arrival.leg)
    dial = bench.dial(bench.client_who(arrival))
    bench.do(dial)
    await bench.heard(LegAnswered, dial.leg)
    await bench.check_shown(dial)


@pytest.mark.parametrize(
    ("manner", "cause"),
    [
        (ClientManner.BUSY, EndCause.BUSY),
        (ClientManner.BAD_NUMBER, EndCause.BAD_NUMBER),
        (ClientManner.NO_TRUNK, EndCause.TRUNK_FAILED),
        (ClientManner.RINGS_ON, EndCause.NO_ANSWER),
    ],
)
@contract
async def test_why_a_client_was_not_reached(
    bench: Bench, manner: ClientManner, cause: EndCause
) -> None:
    dial = bench.dial(bench.client(manner), ring_ms=700)
    bench.do(dial)
    assert await bench.end_of(dial.leg, 8_000) is cause
    assert bool(bench.of(LegRinging)) is (manner is ClientManner.RINGS_ON)
    assert not bench.of(LegAnswered)


@contract
async def test_a_client_who_rings_is_withdrawn(bench: Bench) -> None:
    dial = bench.dial(bench.client(ClientManner.RINGS_ON))
    bench.do(dial)
    await bench.heard(LegRinging, dial.leg)
    bench.do(HangUp(dial.leg))
    assert await bench.end_of(dial.leg) is EndCause.CANCELLED
    await bench.until_nobody()


@contract
async def test_a_mobile_is_asked_to_press_one_and_does(bench: Bench) -> None:
    leg = await bench.rung(Manner.MOBILE, bench.new_call())
    await bench.heard(LegAnswered, leg)
    asked = bench.prompt(leg, PromptKind.PRESS_ONE)
    bench.do(asked)
    assert (await bench.heard(DigitPressed, leg)).digit == "1"
    assert not bench.of(LegEnded)


@contract
async def test_a_prompt_that_cannot_be_played_has_ended(bench: Bench) -> None:
    arrival = await bench.caller_comes()
    prompt = bench.prompt(arrival.leg, PromptKind.GREETING, sound="no-such-sound")
    bench.do(AnswerCall(arrival.leg), prompt)
    assert (await bench.heard(PromptEnded, arrival.leg)).playback == prompt.playback


# Gaps, beats, witnesses.


@contract
async def test_a_start_begins_with_an_audit_of_nobody(bench: Bench) -> None:
    first = await bench.heard(Resynced)
    assert first.legs == ()
    assert bench.events[0] == first


@contract
async def test_after_a_gap_the_audit_has_every_call_as_it_is(bench: Bench) -> None:
    waiting = await bench.caller_comes()
    talking = await bench.caller_comes()
    call = bench.new_call()
    bench.do(AnswerCall(talking.leg))
    leg = await bench.rung(Manner.ANSWERS, call, talking.leg)
    await bench.heard(LegAnswered, leg)
    bench.do(ConnectCall(call, talking.leg, leg))
    ringing = await bench.rung(Manner.RINGS_ON, call, waiting.leg)
    await bench.until_talking(talking.leg, leg)
    seen = {one.leg: one for one in (await bench.gap()).legs}
    assert set(seen) == {waiting.leg, talking.leg, leg, ringing}
    assert [seen[one].state for one in (waiting.leg, ringing)] == [LegState.RINGING] * 2
    assert [seen[one].state for one in (talking.leg, leg)] == [LegState.UP] * 2
    assert (seen[talking.leg].bridged_with, seen[leg].bridged_with) == (leg, talking.leg)
    assert (seen[waiting.leg].inbound, seen[talking.leg].inbound) == (waiting, talking)
    assert (seen[leg].inbound, seen[ringing].inbound) == (None, None)
    bench.do(StopRinging(ringing), HangUp(leg), HangUp(talking.leg), HangUp(waiting.leg))
    assert await bench.end_of(ringing) is EndCause.CANCELLED
    assert await bench.end_of(leg) is EndCause.NORMAL
    assert await bench.end_of(talking.leg) is EndCause.NORMAL
    assert await bench.end_of(waiting.leg) is EndCause.CANCELLED
    await bench.until_nobody()


@contract
async def test_who_left_in_a_gap_is_not_in_the_audit_and_why_is_known(bench: Bench) -> None:
    arrival = await bench.caller_comes(patience_ms=500)
    audit = await bench.gap(passes=lambda: bench.has_gone(arrival))
    assert not audit.legs
    assert await bench.end_of(arrival.leg) is EndCause.CANCELLED


@contract
async def test_a_command_that_was_never_sent_made_nothing_and_one_that_was_is_seen(
    bench: Bench,
) -> None:
    sent = await bench.rung(Manner.RINGS_ON, bench.new_call())
    made = bench.offer(bench.agent(Manner.RINGS_ON))
    bench.do(made)
    await bench.heard(LegRinging, made.leg)
    unsent = bench.offer(bench.agent(Manner.ANSWERS))
    undialled = bench.dial(bench.client(ClientManner.ANSWERS))
    audit = await bench.gap(made, unsent, undialled)
    gone = dict(audit.gone)
    assert (gone[unsent.leg], gone[undialled.leg]) == (EndCause.NEVER_MADE,) * 2
    assert made.leg not in gone
    assert {seen.leg for seen in audit.legs} == {sent, made.leg}


@contract
async def test_what_is_commanded_while_nobody_listens_is_seen_or_was_never_made(
    bench: Bench,
) -> None:
    offer = bench.offer(bench.agent(Manner.RINGS_ON))
    audit = await bench.gap(commanded=offer)
    seen = offer.leg in {one.leg for one in audit.legs}
    assert seen is (dict(audit.gone).get(offer.leg) is not EndCause.NEVER_MADE)


@contract
async def test_a_beat_needs_a_proof(bench: Bench) -> None:
    async def no_disk() -> None:
        raise Unavailable("full")

    assert await bench.switch.heartbeat(proven)
    assert not await bench.switch.heartbeat(no_disk)
    assert await bench.switch.heartbeat(proven)


@pytest.mark.parametrize("number", [NumberClass.MOBILE, NumberClass.WITHHELD])
@contract
async def test_every_attempt_is_witnessed(bench: Bench, number: NumberClass) -> None:
    arrival = await bench.caller_comes(patience_ms=300, number=number)
    await bench.end_of(arrival.leg)
    witnessed = await bench.witnessed(arrival.leg)
    assert (witnessed.did, witnessed.caller) == (arrival.did, arrival.caller)
    assert 0 < witnessed.ended_at - witnessed.arrived_at < 3 * SECOND
    assert (witnessed.fallback_answered_at, witnessed.fallback_agent) == (None, None)


@contract
async def test_a_telephone_that_is_there_is_told_reachable(bench: Bench) -> None:
    agent = bench.agent(Manner.ANSWERS)
    there = DeviceChanged(agent, reachable=True)
    await bench.until_told(there)
