"""Who plays in the contract of the switch: telephones and clients by how they behave.

Both benches know the same people by the same names, so a test names a behaviour and nothing else.
"""

from dataclasses import dataclass
from enum import StrEnum

from perezvon.core.ids import HOUR, SECOND, AgentId, Duration, PersonId, QueueId, TrunkId
from perezvon.core.plan import Agent, DeviceKind, Did, Plan, Trunk
from tests.support.plans import CARRIER, NUMBER, plan_of

OF_EACH = 3
"""Agents of every manner."""
MOBILE_PREFIX = "+7916555"

ANSWERS_AFTER_MS = 400
TALKS_MS = 900
FLEES_AFTER_MS = 30


class Manner(StrEnum):
    """What an agent's telephone does when it is rung."""

    ANSWERS = "answers"
    """After a moment, and stays on the line."""
    LEAVES = "leaves"
    """Answers, talks for a moment and hangs up."""
    FLEES = "flees"
    """Answers and hangs up in the same breath."""
    RINGS_ON = "rings-on"
    BUSY = "busy"
    """Refuses with 486."""
    DECLINES = "declines"
    """Refuses with 603."""
    MUTE = "mute"
    """Registered, and gives no sign of life."""
    ABSENT = "absent"
    """Not registered."""
    MOBILE = "mobile"
    """Somebody answers it and presses 1."""


class ClientManner(StrEnum):
    """What comes of dialling a client."""

    ANSWERS = "c-answers"
    RINGS_ON = "c-rings-on"
    BUSY = "c-busy"
    BAD_NUMBER = "c-bad-number"
    NO_TRUNK = "c-no-trunk"
    """The carrier fails."""


@dataclass(frozen=True, slots=True)
class Client:
    person: PersonId
    trunk: TrunkId


def agents_of(manner: Manner) -> tuple[AgentId, ...]:
    return tuple(AgentId(f"{manner}-{place}") for place in range(1, OF_EACH + 1))


def trunk_of(manner: ClientManner) -> TrunkId:
    return TrunkId(manner.value)


MOBILES = TrunkId("mobiles")


def plan(callers_ports: tuple[int, ...], ports: dict[TrunkId, int]) -> Plan:
    """`ports`: where those live who are reached through each trunk."""
    carrier = Trunk(
        CARRIER,
        "127.0.0.1",
        port=callers_ports[0],
        match=tuple(f"127.0.0.1:{port}" for port in callers_ports),
    )
    others = (Trunk(trunk, "127.0.0.1", port=port) for trunk, port in ports.items())
    people = tuple(
        Agent(agent, agent.title(), DeviceKind.MOBILE, f"{MOBILE_PREFIX}00{place:02}", MOBILES)
        if manner is Manner.MOBILE
        else Agent(agent, agent.title())
        for manner in Manner
        for place, agent in enumerate(agents_of(manner))
    )
    return plan_of(
        people,
        callers_port=callers_ports[0],
        trunks=(carrier, *others),
        dids=(Did(NUMBER, QueueId("sales"), trunk=CARRIER),),
    )


def scenario_of_people() -> dict[str, dict[str, object]]:
    """The same people as the simulation's scenario file describes them."""
    stays = {"talk": length(HOUR), "ends_talk": 0.0, "pick_up": length(ANSWERS_AFTER_MS)}
    refuses = stays | {"pick_up": length(50), "refuses": 1.0}
    by_manner: dict[Manner, dict[str, object]] = {
        Manner.ANSWERS: stays,
        Manner.LEAVES: stays | {"talk": length(TALKS_MS), "ends_talk": 1.0},
        Manner.FLEES: stays,
        Manner.RINGS_ON: stays | {"pick_up": length(HOUR)},
        Manner.BUSY: refuses,
        Manner.DECLINES: refuses,
        Manner.MUTE: stays,
        Manner.ABSENT: stays,
        Manner.MOBILE: stays | {"presses_one": length(SECOND)},
    }
    return {agent: by_manner[manner] for manner in Manner for agent in agents_of(manner)}


def length(ms: Duration) -> str:
    return f"{ms}ms"
