"""Whole runs of the production engine, against what queueing theory says of them."""

from dataclasses import replace
from math import factorial

import pytest

from perezvon.core.plan import Ranking
from perezvon.sim.run import run
from perezvon.sim.scenario import Scenario, loads
from tests.sim.rooms import CALLBACK, DID, room_plan


def scenario(text: str, *, per_hour: int = 120, duration: str = "40h") -> Scenario:
    return loads(
        f"name: x\nduration: {duration}\nnetwork: 1ms\n"
        f"arrivals: [{{did: '{DID}', per_hour: {per_hour}}}]\n{text}"
    )


AT_ONCE = """
people:
  default:
    pick_up: 1ms
    talk: {kind: exponential, mean: 3m}
clients:
"""


def erlang_c_wait_s(per_s: float, talk_s: float, agents: int) -> float:
    load = per_s * talk_s
    terms = sum(load**k / factorial(k) for k in range(agents))
    last = load**agents / factorial(agents) * agents / (agents - load)
    return last / (terms + last) * talk_s / (agents - load)


def test_patient_callers_wait_as_erlang_c_says() -> None:
    plan = room_plan(k=1, agents=8)
    plan = replace(plan, queues=(replace(plan.queues[0], wrap_up_ms=0, gap_ms=0),))
    played = scenario(AT_ONCE + "  patience: 100h", per_hour=100, duration="60h")
    result = run(played, plan, 1)
    # A talk of less than half a second is no talk: those few callers count as missed.
    assert result.missed_share < 0.005
    wanted_s = erlang_c_wait_s(100 / 3600, 180, 8)
    # Waits hang together, so 6,000 calls tell no more than this.
    assert result.asa_ms / 1000 == pytest.approx(wanted_s, rel=0.2)
    assert result.occupancy == pytest.approx(100 / 3600 * 180 / 8, rel=0.04)


def test_impatient_callers_leave_as_erlang_a_says() -> None:
    """M/M/n+M by its balance equations: 120 calls/h, 3 min, 6 agents, patience 2 min."""
    plan = room_plan(k=1, agents=6)
    plan = replace(plan, queues=(replace(plan.queues[0], wrap_up_ms=0, gap_ms=0),))
    patience = "  patience: {kind: exponential, mean: 2m}"
    result = run(scenario(AT_ONCE + patience, duration="50h"), plan, 1)
    rate, mu, theta, agents = 120 / 3600, 1 / 180, 1 / 120, 6
    weight, total, waiting = 1.0, 1.0, 0.0
    for state in range(1, 200):
        weight *= rate / (min(state, agents) * mu + max(0, state - agents) * theta)
        total += weight
        waiting += weight * max(0, state - agents)
    assert result.missed_share == pytest.approx(theta * waiting / total / rate, rel=0.08)


def test_the_same_seed_meets_the_same_callers_under_another_plan() -> None:
    text = "clients: {patience: {kind: exponential, mean: 60s}}"
    one = run(scenario(text, duration="4h"), room_plan(1, 20, Ranking.ROUND_ROBIN), 5)
    other = run(scenario(text, duration="4h"), room_plan(3, 10), 5)
    assert one.arrivals == other.arrivals
    assert one.asa_ms > other.asa_ms


def test_ringing_three_and_calling_back_lose_fewer_clients() -> None:
    """Agents idle but away from the telephone: the case of the article."""
    text = """
clients:
  patience: {kind: exponential, mean: 90s}
  redial: {share: 0.36, after: {kind: exponential, mean: 10m}}
people:
  default:
    away: {share: 0.5, mean: 240s}
    talk: {kind: lognormal, mean: 480s, sd: 384s}
"""
    played = scenario(text, per_hour=35)
    before = run(played, room_plan(1, 20, Ranking.ROUND_ROBIN), 1)
    three = run(played, room_plan(3, 10), 1)
    back = run(played, room_plan(3, 10, rules=CALLBACK), 1)
    assert before.missed_share > 1.5 * three.missed_share
    assert before.asa_ms > 1.8 * three.asa_ms
    assert back.lost_share < 0.7 * three.lost_share


def test_a_digest_tells_two_runs_apart() -> None:
    played = scenario("clients: {withheld: 0.1}", duration="1h")
    assert run(played, room_plan(), 1, digest=True).digest == (
        run(played, room_plan(), 1, digest=True).digest
    )
    assert run(played, room_plan(), 1, digest=True).digest != (
        run(played, room_plan(), 2, digest=True).digest
    )
