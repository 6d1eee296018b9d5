"""What the driver knows of the legs that it drives: who, how far, and what is played to them.

Kept only for the time of a link; an audit writes it anew. It decides nothing about calls.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from perezvon.asterisk.translate import LegView, Side
from perezvon.core.ids import CallId, Duration, LegId

CLIENT_LEG = re.compile(r".+/\d+c")
"""See `core.ids`: the client's leg of a call-back."""

ID = re.compile(r"[A-Za-z0-9_.,:/-]{1,128}")
"""Ours, and Asterisk's own, whose system name may have a dash."""


@dataclass(eq=False)
class Leg(LegView):
    """One party's connection. `channel` differs from `id` after a transfer only."""

    id: LegId = field(kw_only=True)
    channel: str = ""
    telephone: str = ""
    """Name of the endpoint of ours that it rings; empty for a mobile."""
    call: CallId | None = None
    """Set while it is in the bridge of this call."""
    ring_ms: Duration = 0
    recipe: Mapping[str, Any] | None = None
    """How its channel is made, when this driver makes it."""
    dialled: bool = False
    """Told to ring, or to be told again until it does."""
    is_recorded: bool = False
    """A client's whom we dial: whoever talks with him is recorded on his leg."""
    is_calling: bool = False
    """The switch has said that it dials."""
    leaving: bool = False
    """A hang-up is under way."""
    answer_asked: bool = False
    """We have asked on this link that the switch answers it."""
    hears_music: bool = False
    hears_ringing: bool = False
    playbacks: set[str] = field(default_factory=set)
    rings_to: LegId | None = None
    """The leg that hears this one ring."""
    unsure_until: float = 0.0
    """In the event loop's time: until then it may hear what was begun before our start."""
    guarded_until: float = 0.0
    """In the event loop's time: when its dead-man falls due."""
    tries: int = 0
    timer: asyncio.TimerHandle | None = None
    """At most one: what is to be done if nothing is heard of it."""

    @property
    def is_being_made(self) -> bool:
        """It may not exist yet."""
        return self.side is not Side.CALLER and not self.dialled

    def disarm(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Book:
    """The legs by id and by channel, and who is in the bridge of which call."""

    def __init__(self) -> None:
        self.by_channel: dict[LegId, Leg] = {}
        """What the translator looks at; an old channel after a transfer is not in it."""
        self._legs: dict[LegId, Leg] = {}
        self._bridges: dict[CallId, list[Leg]] = {}

    def __iter__(self) -> Iterator[Leg]:
        return iter(tuple(self._legs.values()))

    def __len__(self) -> int:
        return len(self._legs)

    def get(self, leg: LegId | None) -> Leg | None:
        return self._legs.get(leg) if leg is not None else None

    def on_channel(self, channel: str) -> Leg | None:
        return self.by_channel.get(LegId(channel))

    def add(self, leg: Leg) -> Leg:
        leg.channel = leg.channel or leg.id
        self._legs[leg.id] = leg
        self.by_channel[LegId(leg.channel)] = leg
        return leg

    def known_or_new(self, leg_id: LegId) -> Leg:
        """For a command about a leg of which we never heard: it may exist all the same."""
        return self._legs.get(leg_id) or self.add(Leg(side_of(leg_id), id=leg_id))

    def remove(self, leg: Leg) -> None:
        leg.disarm()
        self.separate(leg)
        self._legs.pop(leg.id, None)
        self.by_channel.pop(LegId(leg.channel), None)

    def move(self, leg: Leg, channel: str) -> None:
        """A transfer put its party on another channel."""
        self.by_channel.pop(LegId(leg.channel), None)
        leg.channel = channel
        self.by_channel[LegId(channel)] = leg

    def clear(self) -> None:
        for leg in self:
            self.remove(leg)

    def join(self, leg: Leg, call: CallId) -> None:
        if leg.call != call:
            self.separate(leg)
            leg.call = call
            self._bridges.setdefault(call, []).append(leg)

    def separate(self, leg: Leg) -> None:
        if leg.call is not None:
            together = self._bridges.get(leg.call, [])
            if leg in together:
                together.remove(leg)
            if not together:
                self._bridges.pop(leg.call, None)
            leg.call = None

    def together(self, call: CallId) -> tuple[Leg, ...]:
        """Who is in the bridge of a call: two, and during a transfer more."""
        return tuple(self._bridges.get(call, ()))


def side_of(leg: LegId) -> Side:
    """By the shape of its id alone."""
    if "/" not in leg:
        return Side.CALLER
    return Side.CLIENT if CLIENT_LEG.fullmatch(leg) else Side.AGENT
