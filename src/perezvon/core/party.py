"""Parties of a call besides its client: agents who are rung or talk, and who is to take it over."""

from dataclasses import dataclass

from perezvon.core.ids import AgentId, Duration, Instant, LegId, PersonId, QueueId
from perezvon.core.plan import DeviceKind


@dataclass(slots=True)
class Offer:
    leg: LegId
    agent: AgentId
    made_at: Instant
    ring_ms: Duration
    step_count: int
    """Which entry into a step it belongs to."""
    ringing_at: Instant | None = None
    answered: bool = False
    """A mobile was picked up; 1 is still to be pressed."""
    won_at: Instant | None = None
    device: DeviceKind | None = None
    """Which telephone of his rings; None: his own."""


@dataclass(slots=True)
class Transfer:
    """A client being handed over; see `transfer.py`."""

    number: int
    agent: AgentId
    """Who hands him over."""
    to_agent: AgentId | None = None
    to_queue: QueueId | None = None
    to_person: PersonId | None = None
    outside: LegId | None = None
    """Of a number outside, from dialling on."""
    outside_rang: bool = False
    outside_up: bool = False
    taken: Offer | None = None
    """The colleague who is asked; his leg is not the client's yet."""
    told: bool = False
    """What came of it is a fact already."""
    returning: bool = False
    """Nobody took him: who handed him over is rung."""

    @property
    def answered(self) -> bool:
        return self.taken is not None or self.outside_up
