"""The contract of the port `Switch` on supervision: the talk knows nothing of it."""

from dataclasses import replace

import pytest

from perezvon.core.commands import ConnectCall, HangUp, Supervise, SupervisionMode
from perezvon.core.events import EndCause, LegAnswered, LegEnded, LegState
from perezvon.core.ids import LegId
from tests.switch.bench import Bench, contract
from tests.switch.cast import Manner


@contract
async def test_whoever_supervises_a_talk_is_no_part_of_it(bench: Bench) -> None:
    arrival = await bench.caller_comes()
    call = bench.new_call()
    agent = await bench.rung(Manner.ANSWERS, call, arrival.leg)
    await bench.heard(LegAnswered, agent)
    bench.do(ConnectCall(call, arrival.leg, agent))
    await bench.until_talking(arrival.leg, agent)
    ring = replace(bench.offer(bench.agent(Manner.ANSWERS), call), leg=LegId(f"{call}/s1"))
    bench.do(replace(ring, auto=True))
    await bench.heard(LegAnswered, ring.leg)
    for count, mode in enumerate(SupervisionMode, 1):
        command = Supervise(ring.leg, call, agent, mode, count)
        bench.do(command, command)
    await bench.until_seen(ring.leg, lambda seen: seen.state is LegState.UP)
    # An audit finds him, and in the talk the two as before.
    resynced = await bench.gap()
    assert {seen.leg for seen in resynced.legs} == {arrival.leg, agent, ring.leg}
    bench.do(Supervise(ring.leg, call, agent, SupervisionMode.BARGE, 3))
    await bench.until_talking(arrival.leg, agent)
    bench.do(HangUp(ring.leg))
    assert await bench.end_of(ring.leg) is EndCause.NORMAL
    await bench.until_talking(arrival.leg, agent)
    assert {ended.leg for ended in bench.of(LegEnded)} == {ring.leg}


@pytest.mark.parametrize("mode", SupervisionMode)
@contract
async def test_a_talk_that_is_over_does_not_end_the_supervisors_line(
    bench: Bench, mode: SupervisionMode
) -> None:
    arrival = await bench.caller_comes()
    call = bench.new_call()
    agent = await bench.rung(Manner.ANSWERS, call, arrival.leg)
    await bench.heard(LegAnswered, agent)
    bench.do(ConnectCall(call, arrival.leg, agent))
    ring = replace(bench.offer(bench.agent(Manner.ANSWERS), call), leg=LegId(f"{call}/s1"))
    bench.do(ring)
    await bench.heard(LegAnswered, ring.leg)
    bench.do(Supervise(ring.leg, call, agent, mode, 1))
    bench.do(HangUp(agent), HangUp(arrival.leg))
    await bench.end_of(agent)
    await bench.end_of(arrival.leg)
    # Late, to a talk that is no more: nothing comes of it.
    bench.do(Supervise(ring.leg, call, agent, mode, 2))
    await bench.until_seen(ring.leg, lambda seen: seen.state is LegState.UP)
    bench.do(HangUp(ring.leg))
    assert await bench.end_of(ring.leg) is EndCause.NORMAL
    await bench.until_nobody()
