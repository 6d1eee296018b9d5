"""What agents do with calls in a run: dial, hand over, ask colleagues, load their pages anew."""

from random import Random

from perezvon.core.call import Call, CallState
from perezvon.core.events import (
    DialAsked,
    NumberClass,
    RejoinAsked,
    TransferAsked,
    TransferCancelAsked,
    TransferCompletionAsked,
)
from perezvon.core.ids import SECOND, AgentId, PersonId
from perezvon.sim.storm import Storm


def act_in_talks(storm: Storm, rng: Random) -> None:
    """One act of somebody; often one that cannot be, for people see what has just changed."""
    calls = list(storm.host.engine.calls.values())
    asked = [call for call in calls if call.state is CallState.CONSULTING]
    if asked and rng.random() < 1 / 2:
        call = rng.choice(asked)
        finish = rng.choice((TransferCompletionAsked, TransferCancelAsked))
        storm.put(finish(call.id, by="agent"))
        return
    match rng.randrange(4):
        case 0:
            storm.put(_dials(storm, rng))
        case 1:
            _reloads(storm, rng)
        case _ if calls:
            storm.put(_hands_over(storm, rng, rng.choice(calls)))
        case _:
            pass


def _dials(storm: Storm, rng: Random) -> DialAsked:
    agent = AgentId(rng.choice(sorted(storm.world.office.phones)))
    did = rng.choice((None, *(did.number for did in storm.plan.dids)))
    return DialAsked(agent, _somebody(storm, rng), NumberClass.MOBILE, by=agent, did=did)


def _somebody(storm: Storm, rng: Random) -> PersonId:
    owed = [debt.person for debt in storm.host.engine.debts.values()]
    known = [PersonId(f"p-{key}") for key in storm.world.truth.clients]
    return rng.choice([PersonId("p-a friend"), *known[-20:], *owed[-20:]])


def _hands_over(storm: Storm, rng: Random, call: Call) -> TransferAsked:
    agents = sorted(storm.world.office.phones)
    talking = call.won.agent if call.won is not None else AgentId(rng.choice(agents))
    attended = rng.random() < 1 / 2
    match rng.randrange(3):
        case 0:
            colleague = AgentId(rng.choice(agents))
            return TransferAsked(call.id, talking, attended, talking, to_agent=colleague)
        case 1:
            queue = rng.choice(storm.plan.queues).id
            return TransferAsked(call.id, talking, attended, talking, to_queue=queue)
        case _:
            person = _somebody(storm, rng)
            return TransferAsked(call.id, talking, attended, talking, to_person=person)


def _reloads(storm: Storm, rng: Random) -> None:
    """Sooner or later than the switch finds the old page silent, or never."""
    office = storm.world.office
    agent = AgentId(rng.choice(sorted(office.phones)))
    if office.reload(agent) and rng.random() < 0.8:
        delay_ms = rng.randint(1 * SECOND, 20 * SECOND)
        storm.at(delay_ms, lambda storm: _comes_back(storm, agent))


def _comes_back(storm: Storm, agent: AgentId) -> None:
    phone = storm.world.office.phones[agent]
    if all(leg.deaf for leg in phone.legs):
        storm.put(RejoinAsked(agent))
