"""What is true in the simulated world: legs, callers, telephones. The engine is told otherwise.

The auditor of the tests compares this with the engine's facts; so nothing here is ever computed
from what the engine says, but for the commands that were carried out.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from perezvon.core.events import CallArrived
from perezvon.core.ids import Instant, LegId
from perezvon.core.plan import DeviceKind
from perezvon.sim.people import Answer, Arrival, Worker


class Side(StrEnum):
    CALLER = "caller"
    AGENT = "agent"
    CLIENT = "client"


@dataclass(slots=True, eq=False)
class Attempt:
    """One inbound attempt as it really went."""

    leg: LegId
    arrival: Arrival
    arrived_at: Instant
    arrived: CallArrived
    ended_at: Instant | None = None
    talks: list[tuple[str, Instant]] = field(default_factory=list)
    """With whom and from when: two at once would be the worst mistake."""
    talked_ms: int = 0
    """The longest of them."""
    fell_back_at: Instant | None = None
    fallback_answered_at: Instant | None = None
    fallback_agent: str | None = None
    rung: dict[str, int] = field(default_factory=dict)
    """How often each agent was rung for him."""
    cut_at: Instant | None = None
    """The switch died while he waited, or in the middle of his talk."""
    silenced: bool = False
    """The agent's telephone died in the middle of his talk, and the switch noticed."""
    disturbed: bool = False
    """A fault touched what the engine heard or did about him: its figures may differ."""

    @property
    def served(self) -> bool:
        return bool(self.talks) or self.fallback_answered_at is not None


@dataclass(slots=True, eq=False)
class Leg:
    id: LegId
    side: Side
    made_at: Instant
    who: str
    """The agent, or the client."""
    attempt: Attempt | None = None
    """The inbound attempt that this leg belongs to, or is to serve."""
    rang_at: Instant | None = None
    up_at: Instant | None = None
    gone_at: Instant | None = None
    bridged: "Leg | None" = None
    bridged_at: Instant | None = None
    ring_ms: int = 0
    asked_to_end_at: Instant | None = None
    """When the engine told it to stop: first, or last in vain."""
    held: bool = False
    """Told to hear music, whether it was carried out or not."""
    deaf: bool = False
    """Of a page that was closed: the switch believes in it yet."""
    in_fallback: bool = False
    presses: bool = False
    """A person holds this mobile, who will press what he is asked to."""
    answer: Answer | None = None
    hears: LegId | None = None
    """Of a supervisor's leg: the agent's leg through which he hears a talk."""
    device: DeviceKind | None = None
    """Of an agent's leg: which telephone of his it rings; None: his own."""

    @property
    def live(self) -> bool:
        return self.gone_at is None

    @property
    def asked_to_end(self) -> bool:
        return self.asked_to_end_at is not None


@dataclass(slots=True, eq=False)
class Phone:
    """An agent's telephone and who sits at it. One person: his other devices are here too."""

    agent: str
    worker: Worker
    mobile: bool
    reachable: bool = True
    mute: bool = False
    """Cannot be reached and gives no sign of it, not even an error."""
    others: tuple[DeviceKind, ...] = ()
    """Devices that he may choose instead of this one."""
    gone: set[DeviceKind] = field(default_factory=set)
    """Of those, which cannot be reached."""
    legs: list[Leg] = field(default_factory=list)
    busy_until: Instant = 0
    """With a caller of the fallback queue, of which the engine knows nothing."""
    missed: int = 0
    """Rings in a row that he let go: who was paused for it comes back and says so."""

    @property
    def talks(self) -> bool:
        return any(leg.bridged is not None for leg in self.legs)

    def rings(self, device: DeviceKind | None) -> bool:
        """Whether this device can be reached; None: the one that is his own."""
        return self.reachable if device is None else device not in self.gone

    def is_mobile(self, device: DeviceKind | None) -> bool:
        return self.mobile if device is None else device is DeviceKind.MOBILE

    def free(self, now: Instant) -> bool:
        return self.reachable and not self.legs and self.busy_until <= now


@dataclass(slots=True, eq=False)
class Client:
    """A person outside with one telephone."""

    key: str
    inbound: Leg | None = None
    ringing: list[Leg] = field(default_factory=list)
    attempts: int = 0
    """Times that we really rang him."""
    called: int = 0
    talked: bool = False

    @property
    def busy(self) -> bool:
        return self.inbound is not None or any(leg.up_at is not None for leg in self.ringing)


@dataclass(slots=True)
class Truth:
    """The record of a run. `wrongs` are things that must never happen, noted as they happen."""

    attempts: dict[LegId, Attempt] = field(default_factory=dict)
    client_rings: dict[LegId, int] = field(default_factory=dict)
    agent_rings: dict[LegId, Leg] = field(default_factory=dict)
    recovered: dict[str, int] = field(default_factory=dict)
    """Clients with whom somebody talked in a call-back, and how long at most."""
    clients: dict[str, Client] = field(default_factory=dict)
    cut_off: list[tuple[Instant, "Leg", "Leg"]] = field(default_factory=list)
    """Legs that the engine hung up in the middle of a talk, and who talked with them."""
    wrongs: list[str] = field(default_factory=list)
    talk_ms: int = 0
    keep: bool = True
    """Long runs without an auditor need no record of every ring."""
