"""The contract of the port `Switch`, for talks that are handed over: on both switches."""

from perezvon.core.commands import (
    AnswerCall,
    ConnectCall,
    HangUp,
    SignalRinging,
    StartMusic,
)
from perezvon.core.events import EndCause, LegAnswered, LegEnded
from perezvon.core.ids import CallId, LegId
from tests.switch.bench import Bench, contract
from tests.switch.cast import ClientManner, Manner


async def talking(bench: Bench) -> tuple[LegId, CallId, LegId]:
    """A caller, his call, and the leg of the agent who talks with him."""
    arrival = await bench.caller_comes()
    call = bench.new_call()
    bench.do(AnswerCall(arrival.leg))
    leg = await bench.rung(Manner.ANSWERS, call, arrival.leg)
    await bench.heard(LegAnswered, leg)
    bench.do(ConnectCall(call, arrival.leg, leg))
    await bench.until_talking(arrival.leg, leg)
    return arrival.leg, call, leg


@contract
async def test_who_hears_music_hears_nobody_and_is_heard_by_nobody(bench: Bench) -> None:
    client, call, agent = await talking(bench)
    bench.do(StartMusic(client, "default"), StartMusic(client, "default"))
    await bench.until_seen(client, lambda seen: seen.bridged_with is None)
    await bench.until_seen(agent, lambda seen: seen.bridged_with is None)
    bench.do(ConnectCall(call, client, agent))
    await bench.until_talking(client, agent)
    assert not bench.of(LegEnded)


@contract
async def test_an_agent_asks_a_colleague_while_the_client_hears_music_and_hands_him_over(
    bench: Bench,
) -> None:
    client, call, first = await talking(bench)
    bench.do(StartMusic(client, "default"), SignalRinging(first))
    second = await bench.rung(Manner.ANSWERS, call, client)
    await bench.heard(LegAnswered, second)
    bench.do(ConnectCall(call, second, first))
    await bench.until_talking(second, first)
    assert (await bench.audit())[client].bridged_with is None
    bench.do(HangUp(first), ConnectCall(call, client, second))
    await bench.until_talking(client, second)
    assert await bench.end_of(first) is EndCause.NORMAL
    assert not bench.of(LegEnded, client)
    bench.do(HangUp(client), HangUp(second))
    await bench.until_nobody()


@contract
async def test_an_agent_comes_back_to_the_client_from_a_colleague(bench: Bench) -> None:
    client, call, first = await talking(bench)
    bench.do(StartMusic(client, "default"))
    second = await bench.rung(Manner.ANSWERS, call, client)
    await bench.heard(LegAnswered, second)
    bench.do(ConnectCall(call, second, first))
    await bench.until_talking(second, first)
    bench.do(HangUp(second), ConnectCall(call, client, first))
    await bench.until_talking(client, first)
    assert not bench.of(LegEnded, client)
    assert not bench.of(LegEnded, first)


@contract
async def test_a_client_is_handed_over_to_a_number_outside(bench: Bench) -> None:
    client, call, agent = await talking(bench)
    dial = bench.dial(bench.client(ClientManner.ANSWERS))
    bench.do(StartMusic(client, "default"), HangUp(agent), dial)
    await bench.heard(LegAnswered, dial.leg)
    bench.do(ConnectCall(call, client, dial.leg))
    await bench.until_talking(client, dial.leg)
    assert not bench.of(LegEnded, client)


@contract
async def test_an_agent_takes_his_talk_over_on_another_leg(bench: Bench) -> None:
    client, call, old = await talking(bench)
    new = await bench.rung(Manner.ANSWERS, call, client)
    await bench.heard(LegAnswered, new)
    bench.do(HangUp(old), ConnectCall(call, client, new))
    await bench.until_talking(client, new)
    assert await bench.end_of(old) is EndCause.NORMAL
    assert not bench.of(LegEnded, client)
