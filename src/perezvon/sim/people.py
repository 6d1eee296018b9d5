"""What people draw from a scenario: who calls and when, how an agent reacts to his telephone.

No engine and no heap here: the simulated world and the town of real SIP share these.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from heapq import merge
from itertools import pairwise
from math import log1p

from perezvon.core.ids import HOUR, Duration
from perezvon.sim.draws import Draws, exponential
from perezvon.sim.scenario import Person, Scenario, Stream

REDIALS_MAX = 5
"""Of one caller after one first call."""
FOREVER: Duration = 366 * 24 * HOUR


@dataclass(frozen=True, slots=True)
class Arrival:
    """One caller coming in. `at_ms` counts from the scenario's start."""

    at_ms: Duration
    key: str
    """Names him in further draws."""
    did: str
    client: str
    """The same for every call of one person."""
    withheld: bool
    patience_ms: Duration
    """He hangs up so long after he came in, unless he talks."""
    talk: float
    """Uniform: where his talk lies in the distribution of whoever answers."""
    talk_ms: Duration | None = None
    """Given by the script, whoever answers."""
    redials: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client does when his telephone rings."""

    after_ms: Duration | None
    """None: lets it ring."""
    busy: bool
    bad_number: bool
    trunk_fails: bool
    talk: float


class Callers:
    """Draws of everybody outside."""

    def __init__(self, scenario: Scenario, draws: Draws) -> None:
        clients = scenario.clients
        self._scenario = scenario
        self._clients = clients
        self._draws = draws
        self._patience = clients.patience.sampler()
        self._at_once = clients.hang_up_at_once.after.sampler()
        self._redial = clients.redial.after.sampler()
        self._answers_after = clients.answers_after.sampler()
        self._numbers = {
            client_of(call.number): call.number for call in scenario.calls if call.number
        }

    def arrivals(self) -> Iterator[Arrival]:
        """In order of time; lazily, as a day may hold a million."""
        streams = [self._stream(stream) for stream in self._scenario.arrivals]
        return merge(*streams, self._scripted(), key=_by_time)

    def redial(self, arrival: Arrival, ended_at_ms: Duration) -> Arrival | None:
        """The next call of one whom nobody served, if he makes it."""
        if arrival.redials >= REDIALS_MAX:
            return None
        root = arrival.key.split("+", 1)[0]
        key = f"{root}+{arrival.redials + 1}"
        whether, delay = self._draws.some("redial", key, 2)
        if whether >= self._clients.redial.share:
            return None
        at_ms = ended_at_ms + self._redial(delay) + 1
        return self._arrival(at_ms, key, arrival.did, arrival.client, redials=arrival.redials + 1)

    def answer(self, client: str, attempt: int) -> Answer:
        """`attempt` counts from 1 for this client."""
        clients = self._clients
        key = f"{client}#{attempt}"
        whether, after, busy, trunk, talk = self._draws.some("callback", key, 5)
        by_attempt = clients.answers_callback or (0.0,)
        share = by_attempt[min(attempt, len(by_attempt)) - 1]
        answers = whether < share
        return Answer(
            after_ms=self._answers_after(after) if answers else None,
            busy=not answers and busy < clients.busy,
            bad_number=self._draws.one("bad-number", client) < clients.bad_number,
            trunk_fails=trunk < self._scenario.trunks.fails,
            talk=talk,
        )

    def is_mobile(self, client: str) -> bool:
        return self._draws.one("mobile", client) < self._clients.mobile

    def number(self, client: str) -> str:
        """A number in E.164 that a Russian carrier would show, mobile or landline."""
        if client in self._numbers:
            return self._numbers[client]
        if self.is_mobile(client):
            return f"+79{int(self._draws.one('number', client) * 10**9):09d}"
        return f"+7495{int(self._draws.one('number', client) * 10**7):07d}"

    def _stream(self, stream: Stream) -> Iterator[Arrival]:
        """Poisson, by running a unit process through the cumulated rate."""
        rates = stream.rates()
        starts = [point.at for point in rates]
        load, count = 0.0, 0
        mass = [0.0]
        for here, after in pairwise(rates):
            mass.append(mass[-1] + here.per_hour * (after.at - here.at) / HOUR)
        while True:
            load -= log1p(-self._draws.one("gap", f"{stream.id}/{count}"))
            piece = bisect_right(mass, load) - 1
            if rates[piece].per_hour == 0:
                return
            at_ms = starts[piece] + int((load - mass[piece]) / rates[piece].per_hour * HOUR)
            if at_ms >= self._scenario.duration:
                return
            yield self._arrival(at_ms, f"{stream.id}/{count}", stream.did, None)
            count += 1

    def _scripted(self) -> Iterator[Arrival]:
        calls = sorted(enumerate(self._scenario.calls), key=lambda pair: (pair[1].at, pair[0]))
        for number, call in calls:
            client = client_of(call.number) if call.number else None
            drawn = self._arrival(call.at, f"call/{number}", call.did, client)
            yield Arrival(
                at_ms=drawn.at_ms,
                key=drawn.key,
                did=drawn.did,
                client=drawn.client,
                withheld=drawn.withheld and call.number is None,
                patience_ms=drawn.patience_ms if call.patience is None else call.patience,
                talk=drawn.talk,
                talk_ms=call.talk,
            )

    def _arrival(
        self, at_ms: Duration, key: str, did: str, client: str | None, *, redials: int = 0
    ) -> Arrival:
        who, withheld, at_once, early, patience, talk = self._draws.some("caller", key, 6)
        clients = self._clients
        if client is None:
            population = clients.population
            client = f"n{int(who * population)}" if population else key
        leaves = at_once < clients.hang_up_at_once.share
        return Arrival(
            at_ms=at_ms,
            key=key,
            did=did,
            client=client,
            withheld=withheld < clients.withheld,
            patience_ms=self._at_once(early) if leaves else self._patience(patience),
            talk=talk,
            redials=redials,
        )


def client_of(number: str) -> str:
    return "s" + number.lstrip("+")


def _by_time(arrival: Arrival) -> tuple[Duration, str]:
    return arrival.at_ms, arrival.key


class Reaction(StrEnum):
    ANSWERS = "answers"
    REFUSES = "refuses"
    VOICEMAIL = "voicemail"
    """His mobile's voicemail picks up: an answer that presses nothing."""


class Worker:
    """An agent's person. Comes to and leaves his telephone by himself while he is idle.

    He is at it when a talk ends; from then on presence and absence alternate, both exponential.
    An absent one who returns takes a telephone that still rings.
    """

    __slots__ = ("_away", "_count", "_draws", "_leaves", "_name", "_person", "_pick_up",
                 "_present", "_press", "_talk", "_until", "_voicemail", "_wrap_up")  # fmt: skip

    def __init__(self, name: str, person: Person, draws: Draws, *, mobile: bool = False) -> None:
        self._name = name
        self._voicemail = person.voicemail_after if mobile else None
        self._person = person
        self._draws = draws
        self._pick_up = person.pick_up.sampler()
        self._talk = person.talk.sampler()
        self._press = person.presses_one.sampler()
        self._wrap_up = person.wrap_up.sampler() if person.wrap_up else None
        share, mean = person.away.share, person.away.mean
        self._away = exponential(mean) if share and mean else None
        self._leaves = exponential(round(mean * (1 - share) / share)) if self._away else None
        self._count = 0
        self._present = self._draws.one("presence", name) >= share
        self._until = 0
        self._draw_spell()

    def seen(self, at_ms: Duration) -> None:
        """He was at the telephone just now: a talk of his ended."""
        self._present = True
        self._until = at_ms
        self._draw_spell()

    def back_at(self, at_ms: Duration) -> Duration:
        """When he is at the telephone, from this moment on. Moments must not go back."""
        while self._until <= at_ms:
            self._present = not self._present
            self._draw_spell()
        return at_ms if self._present else self._until

    def reacts(self, rings_at_ms: Duration, key: str) -> tuple[Duration, Reaction]:
        """When he does what about a telephone that rings from this moment on."""
        delay, refuses = self._draws.some("pick-up", f"{self._name}:{key}", 2)
        hears_at = self.back_at(rings_at_ms)
        voicemail = self._voicemail
        at_ms = hears_at + self._pick_up(delay)
        if voicemail is not None and rings_at_ms + voicemail < at_ms:
            return rings_at_ms + voicemail, Reaction.VOICEMAIL
        reaction = Reaction.REFUSES if refuses < self._person.refuses else Reaction.ANSWERS
        return at_ms, reaction

    def presses_after(self, key: str) -> Duration:
        return self._press(self._draws.one("press", f"{self._name}:{key}"))

    def talk(self, where: float) -> Duration:
        return self._talk(where)

    def hangs_up_himself(self, key: str) -> bool:
        return self._draws.one("ends", f"{self._name}:{key}") < self._person.ends_talk

    def wrap_up(self, key: str) -> Duration | None:
        """None: he waits until the plan's wrap-up is over."""
        if self._wrap_up is None:
            return None
        return self._wrap_up(self._draws.one("wrap-up", f"{self._name}:{key}"))

    def _draw_spell(self) -> None:
        spell = self._leaves if self._present else self._away
        if spell is None:
            self._until = FOREVER
            return
        self._count += 1
        self._until += 1 + spell(self._draws.one("spell", f"{self._name}/{self._count}"))
