"""The vocabulary of the contract: one bench, two switches behind it.

A test says what somebody outside does and what the engine commands, and hears what the switch
tells. Where the two switches differ by design is in the methods under that heading, nowhere else.
"""

import asyncio
import inspect
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from itertools import count
from typing import Protocol, TypeVar

from perezvon.core.commands import Command, DialClient, PlayPrompt, Prompt, PromptKind, RingAgent
from perezvon.core.events import (
    ArrivalWitnessed,
    CallArrived,
    DigitPressed,
    EndCause,
    Event,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegSeen,
    NumberClass,
    Resynced,
)
from perezvon.core.ids import SECOND, AgentId, CallId, Duration, LegId, PlaybackId
from perezvon.runtime.ports import Switch
from tests.support.patience import PATIENCE
from tests.support.plans import NUMBER
from tests.support.sipp import until
from tests.switch.cast import Client, ClientManner, Manner, agents_of

E = TypeVar("E", bound=Event)

HEARD_MS: Duration = 5_000
POLL_S = 0.02

_numbers = count(1)
"""One Asterisk plays many tests: no id is ever used twice."""


class Bench(ABC):
    """Of one test. Events are kept in the order in which the sink was given them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._cast: Counter[Manner] = Counter()
        self._rung: dict[LegId, AgentId] = {}

    # Who plays.

    def agent(self, manner: Manner) -> AgentId:
        """Another one at each call."""
        self._cast[manner] += 1
        return agents_of(manner)[self._cast[manner] - 1]

    @abstractmethod
    def client(self, manner: ClientManner) -> Client:
        """Somebody outside whom we may dial."""

    @abstractmethod
    def client_who(self, arrival: CallArrived) -> Client:
        """The caller himself, when we dial him: he answers."""

    async def caller_comes(
        self,
        who: str = "",
        *,
        patience_ms: Duration = 20 * SECOND,
        talk_ms: Duration | None = None,
        number: NumberClass = NumberClass.MOBILE,
    ) -> CallArrived:
        """He leaves after `patience_ms` without an answer, and hangs up `talk_ms` after one.

        The same `who` is the same person. Returns when the switch has told of him.
        """
        assert await self.switch.heartbeat(proven)
        before = len(self.of(CallArrived))
        self._call_in(who or f"caller-{next(_numbers)}", patience_ms, talk_ms, number)
        await until(lambda: len(self.of(CallArrived)) > before, HEARD_MS / SECOND, self._story)
        return self.of(CallArrived)[before]

    # What the engine says.

    @property
    @abstractmethod
    def switch(self) -> Switch:
        """Another one after a gap."""

    def do(self, *commands: Command) -> None:
        self._rung |= {one.leg: one.agent for one in commands if isinstance(one, RingAgent)}
        self.switch.carry_out(commands)

    def new_call(self) -> CallId:
        return CallId(f"t-xc{next(_numbers)}")

    def offer(
        self, agent: AgentId, call: CallId | None = None, *, caller: LegId | None = None,
        ring_ms: Duration = 10 * SECOND,
    ) -> RingAgent:  # fmt: skip
        call = call or self.new_call()
        return RingAgent(LegId(f"{call}/{next(_numbers)}"), call, agent, caller, None, ring_ms)

    def dial(
        self, client: Client, *, ring_ms: Duration = 10 * SECOND, agent: LegId | None = None
    ) -> DialClient:
        debt = CallId(f"t-xd{next(_numbers)}")
        leg = LegId(f"{debt}/1c")
        return DialClient(leg, debt, client.person, client.trunk, NUMBER, ring_ms, agent)

    def prompt(self, leg: LegId, kind: PromptKind, sound: str = "") -> PlayPrompt:
        return PlayPrompt(leg, PlaybackId(f"{leg}/p{next(_numbers)}"), Prompt(kind, sound))

    async def rung(self, manner: Manner, call: CallId, caller: LegId | None = None) -> LegId:
        """Ring somebody, and wait until he rings."""
        command = self.offer(self.agent(manner), call, caller=caller)
        self.do(command)
        await self.heard(LegRinging, command.leg)
        return command.leg

    # What the switch tells.

    def of(self, kind: type[E], leg: LegId | None = None) -> list[E]:
        return [
            event
            for event in self.events
            if isinstance(event, kind) and (leg is None or getattr(event, "leg", None) == leg)
        ]

    async def heard(
        self, kind: type[E], leg: LegId | None = None, within_ms: Duration = HEARD_MS
    ) -> E:
        """The first of its kind, now or later."""
        await until(lambda: bool(self.of(kind, leg)), within_ms / SECOND, self._story)
        return self.of(kind, leg)[0]

    async def unheard(self, kind: type[E], leg: LegId, for_ms: Duration) -> None:
        """None of its kind, however long we listen."""
        try:
            async with asyncio.timeout(for_ms / SECOND):
                while not self.of(kind, leg):
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            return
        raise AssertionError(self._story())

    async def end_of(self, leg: LegId, within_ms: Duration = HEARD_MS) -> EndCause:
        """Told as it happened, or by an audit afterwards."""
        await until(lambda: bool(self._ends(leg)), within_ms / SECOND, self._story)
        return self._ends(leg)[0]

    async def until_told(self, event: Event) -> None:
        await until(lambda: event in self.events, HEARD_MS / SECOND, self._story)

    def _ends(self, leg: LegId) -> list[EndCause]:
        told = [event.cause for event in self.of(LegEnded, leg)]
        return told + [dict(one.gone)[leg] for one in self.of(Resynced) if leg in dict(one.gone)]

    @abstractmethod
    def _call_in(
        self, who: str, patience_ms: Duration, talk_ms: Duration | None, number: NumberClass
    ) -> None: ...

    @abstractmethod
    async def audit(self) -> dict[LegId, LegSeen]:
        """What the switch has now."""

    async def until_seen(self, leg: LegId, wanted: Callable[[LegSeen], bool]) -> None:
        async def seen() -> bool:
            found = (await self.audit()).get(leg)
            return found is not None and wanted(found)

        await self._until(seen)

    async def until_talking(self, one: LegId, other: LegId) -> None:
        """The two hear each other."""
        await self.until_seen(one, lambda seen: seen.bridged_with == other)
        await self.until_seen(other, lambda seen: seen.bridged_with == one)

    async def until_nobody(self) -> None:
        """Nobody is on any line of the switch."""

        async def nobody() -> bool:
            return not await self.audit()

        await self._until(nobody)

    async def _until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(HEARD_MS / SECOND * PATIENCE):
            while not await condition():
                await asyncio.sleep(POLL_S)

    def check_story(self) -> None:
        """What holds in every test: a leg rings, is answered and ends once, in this order."""
        once = Counter(
            (type(event), event.leg)
            for event in self.events
            if isinstance(event, CallArrived | LegRinging | LegAnswered)
        )
        assert set(once.values()) <= {1}, self._story()
        gone: set[LegId] = set()
        for event in self.events:
            if isinstance(event, LegEnded):
                # LOST: a command named a leg that had gone, and the switch says so.
                assert event.leg not in gone or event.cause is EndCause.LOST, self._story()
                gone.add(event.leg)
            elif isinstance(event, CallArrived | LegRinging | LegAnswered | DigitPressed):
                assert event.leg not in gone, self._story()

    def _story(self) -> str:
        return "\n".join(map(str, self.events))

    # What the people outside notice.

    @abstractmethod
    def rings_count(self, agent: AgentId) -> int:
        """How often his telephone was rung in this test."""

    @abstractmethod
    def is_quiet(self, agent: AgentId) -> bool:
        """Nothing is on his telephone any more."""

    async def check_quiet(self, agent: AgentId) -> None:
        await until(lambda: self.is_quiet(agent), HEARD_MS / SECOND, self._story)

    @abstractmethod
    def has_gone(self, arrival: CallArrived) -> bool:
        """The caller's own line is free again."""

    # Where the two differ by design.

    @abstractmethod
    async def gap(
        self,
        *unsure: Command,
        passes: Callable[[], bool] | None = None,
        commanded: Command | None = None,
    ) -> Resynced:
        """A time in which nobody listened, until `passes`, and the audit after it. `unsure`: what
        the engine may or may not have commanded before; `commanded`: what it does meanwhile.

        Asterisk: the driver is stopped; another one finds the calls. The simulated world lives in
        the process of the engine, so it cannot outlive a driver: it is audited as it is.
        """

    @abstractmethod
    async def witnessed(self, leg: LegId) -> ArrivalWitnessed:
        """What the second witness says of a caller.

        Asterisk: a reader of its own, of CEL. Simulated: told by the switch like any event.
        """

    async def check_answered_elsewhere(self, agent: AgentId) -> None:
        """His telephone heard `Call completed elsewhere`, so it logs no missed call.

        The simulated telephones have no display: only that it is quiet.
        """
        await self.check_quiet(agent)

    async def check_hears_ringing(self, arrival: CallArrived) -> None:
        """The caller heard 180. Simulated ears hear nothing: only that he is there."""
        await self.until_seen(arrival.leg, lambda seen: seen.inbound == arrival)

    async def check_shown(self, command: DialClient) -> None:
        """The client's telephone displayed our number. Simulated ones display nothing: only that
        the call is there.
        """
        assert command.leg in await self.audit()


class House(Protocol):
    """A switch of one kind, for all tests of a module."""

    def bench(self) -> AbstractAsyncContextManager[Bench]: ...


def contract(story: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Makes a test of a story that is told on a bench; its further parameters are pytest's."""

    async def play(house: House, given: dict[str, object]) -> None:
        async with house.bench() as bench:
            await story(bench, **given)

    def test(house: House, **given: object) -> None:
        asyncio.run(play(house, given))

    parameters = list(inspect.signature(story).parameters.values())
    parameters[0] = parameters[0].replace(name="house")
    test.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    test.__name__ = getattr(story, "__name__", "test")
    return test


async def proven() -> None:
    """The proof of a journal that works."""
