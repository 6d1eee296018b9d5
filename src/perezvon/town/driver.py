"""The people of the town, acting by ARI on its Asterisk: callers, clients called back, agents.

They do what the scenario draws and know what people know: a caller knows that he waits or talks,
an agent that his telephone rings and what its display shows. Nothing here looks into the main
system; who talks with whom is told by the number on the display, as it is for people.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from perezvon.asterisk.ari import Address, Ari, Message, part
from perezvon.core.events import ChosenStatus
from perezvon.core.ids import AgentId, Duration
from perezvon.core.plan import Agent, DeviceKind
from perezvon.sim.draws import Draws
from perezvon.sim.people import Arrival, Callers, Reaction, Worker, client_of
from perezvon.sim.scenario import Scenario
from perezvon.town.pbx import MAIN

CALLERS_MAX = 200
"""On the line at once; one more does not get through, as in any town."""
NUMBER_DIGITS = 10
"""Numbers are compared by their last digits: a display may show +7…, 7… or 8…."""
LONELY_MS: Duration = 90_000
"""Nobody speaks for so long: he hangs up."""
TONE = "tone:dial"
"""What an agent says: heard by the client, and in the recording."""

SetStatus = Callable[[AgentId, ChosenStatus], Awaitable[None]]

log = logging.getLogger(__name__)


class Role(StrEnum):
    CALLER = "caller"
    CLIENT = "client"
    """A client whom the main system calls."""
    PHONE = "phone"
    """An agent's telephone that the main system rings."""


@dataclass(slots=True)
class Leg:
    """One channel of the town."""

    id: str
    role: Role
    number: str
    """The client's, by its last digits; empty when the display shows none."""
    up: bool = False
    partner: "Leg | None" = None
    talked: bool = False
    agent: AgentId | None = None
    arrival: Arrival | None = None
    talk: float = 0.5
    """Where his talk lies in the distribution of whoever answers."""
    timer: asyncio.TimerHandle | None = None
    """What he does next: hang up, pick up, end the talk."""


@dataclass(frozen=True, slots=True)
class Person:
    """An agent as the town sees him."""

    agent: Agent
    groups: tuple[str, ...]


class Town:
    """See the module. `start` returns when everybody is in his place and the first may call."""

    def __init__(
        self,
        *,
        scenario: Scenario,
        people: Sequence[Person],
        ari: Address,
        set_status: SetStatus,
        seed: int = 1,
    ) -> None:
        self.scenario = scenario
        self.people = people
        self.legs: dict[str, Leg] = {}
        self._app = ari.app
        self._set_status = set_status
        self._tasks: set[asyncio.Task[None]] = set()
        self._attempts: dict[str, int] = {}
        self._clients: dict[str, str] = {}
        """A number, by its last digits, to the client who has it."""
        self._rings: dict[AgentId, int] = {}
        draws = Draws(seed)
        self._callers = Callers(scenario, draws)
        self._workers: Mapping[AgentId, Worker] = {
            person.agent.id: Worker(
                person.agent.id, scenario.person(person.agent.id, person.groups), draws
            )
            for person in people
        }
        self._mobiles = {
            _digits(person.agent.number): person.agent.id
            for person in people
            if person.agent.device is DeviceKind.MOBILE
        }
        self._link = Ari(ari, on_event=self._take, on_link=_nothing, on_replaced=lambda: None)
        self._began_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._link.start()
        self._began_at = self._loop.time()
        shifted = {name for shift in self.scenario.shifts for name in shift.agents}
        for person in self.people:
            if person.agent.id not in shifted:
                await self._set_status(person.agent.id, ChosenStatus.AVAILABLE)
        for shift in self.scenario.shifts:
            for name in shift.agents:
                self._at(shift.starts, self._status, AgentId(name), ChosenStatus.AVAILABLE)
                if shift.ends is not None:
                    self._at(shift.ends, self._status, AgentId(name), ChosenStatus.SIGNED_OUT)
        self._began_at = self._loop.time()
        self._spawn(self._let_them_call())

    async def stop(self) -> None:
        """Everybody hangs up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for leg in list(self.legs.values()):
            _cancel(leg)
            self._hang_up(leg)
        self.legs.clear()
        await self._link.stop()

    def now(self) -> Duration:
        """Since the town began."""
        assert self._loop is not None, "not started"
        return round((self._loop.time() - self._began_at) * 1_000)

    # --- callers ----------------------------------------------------------------------------

    async def _let_them_call(self) -> None:
        for arrival in self._callers.arrivals():
            await asyncio.sleep(max(0, arrival.at_ms - self.now()) / 1_000)
            self._call(arrival)

    def _call(self, arrival: Arrival) -> None:
        if sum(leg.role is Role.CALLER for leg in self.legs.values()) >= CALLERS_MAX:
            return
        number = self._callers.number(arrival.client)
        self._clients[_digits(number)] = arrival.client
        leg = Leg(
            id=f"town-{arrival.key.replace('/', '-')}-{self.now()}",
            role=Role.CALLER,
            number="" if arrival.withheld else _digits(number),
            arrival=arrival,
            talk=arrival.talk,
        )
        self.legs[leg.id] = leg
        body: dict[str, object] = {
            "endpoint": f"PJSIP/{arrival.did}@{MAIN}",
            "app": self._app,
            "appArgs": Role.CALLER.value,
            "channelId": leg.id,
            "callerId": number,
            "timeout": -1,
        }
        if arrival.withheld:
            body["variables"] = {"CALLERID(pres)": "prohib"}
        self._spawn(self._originate(leg, body))
        leg.timer = self._at(self.now() + arrival.patience_ms, self._give_up, leg)

    async def _originate(self, leg: Leg, body: dict[str, object]) -> None:
        reply = await self._link.request("POST", "channels", body=body, timeout_ms=5_000)
        if not reply.ok:
            log.warning("the town could not call", extra={"status": reply.status})
            self._end(leg.id)

    def _give_up(self, leg: Leg) -> None:
        if not leg.talked:
            self._hang_up(leg)

    # --- what the main system sends ---------------------------------------------------------

    def _take(self, event: Message) -> None:
        channel = event.get("channel")
        if not isinstance(channel, dict):
            return
        leg_id = str(channel.get("id"))
        match event.get("type"):
            case "StasisStart":
                self._enter(leg_id, event.get("args") or [], channel)
            case "ChannelStateChange" if channel.get("state") == "Up":
                self._picked_up(leg_id)
            case "StasisEnd" | "ChannelDestroyed":
                self._end(leg_id)
            case _:
                pass

    def _enter(self, leg_id: str, args: Sequence[str], channel: Message) -> None:
        match list(args):
            case [Role.CALLER]:
                self._submit("POST", f"channels/{part(leg_id)}/moh")
            case [Role.PHONE, str(agent)]:
                self._ring_agent(leg_id, AgentId(agent), _display(channel))
            case [Role.CLIENT, str(number)]:
                mobile = self._mobiles.get(_digits(number))
                if mobile is not None:
                    self._ring_agent(leg_id, mobile, _display(channel))
                else:
                    self._ring_client(leg_id, _digits(number))
            case _:
                self._submit("DELETE", f"channels/{part(leg_id)}")

    def _ring_agent(self, leg_id: str, agent: AgentId, number: str) -> None:
        worker = self._workers.get(agent)
        if worker is None:
            self._submit("DELETE", f"channels/{part(leg_id)}", reason="unallocated")
            return
        if any(leg.agent == agent for leg in self.legs.values()):
            self._submit("DELETE", f"channels/{part(leg_id)}", reason="busy")
            return
        leg = self.legs[leg_id] = Leg(leg_id, Role.PHONE, number, agent=agent)
        self._submit("POST", f"channels/{part(leg_id)}/ring")
        self._rings[agent] = self._rings.get(agent, 0) + 1
        at_ms, reaction = worker.reacts(self.now(), str(self._rings[agent]))
        if reaction is Reaction.REFUSES:
            leg.timer = self._at(at_ms, self._hang_up, leg)
        else:
            leg.timer = self._at(at_ms, self._pick_up, leg, reaction)

    def _ring_client(self, leg_id: str, number: str) -> None:
        client = self._clients.get(number) or client_of(number)
        self._attempts[client] = attempt = self._attempts.get(client, 0) + 1
        answer = self._callers.answer(client, attempt)
        refusal = (
            "congestion" if answer.trunk_fails
            else "unallocated" if answer.bad_number
            else "busy" if answer.busy or self._has(number)
            else ""
        )  # fmt: skip
        if refusal:
            self._submit("DELETE", f"channels/{part(leg_id)}", reason=refusal)
            return
        leg = self.legs[leg_id] = Leg(leg_id, Role.CLIENT, number, talk=answer.talk)
        self._submit("POST", f"channels/{part(leg_id)}/ring")
        if answer.after_ms is not None:
            leg.timer = self._at(self.now() + answer.after_ms, self._pick_up, leg, Reaction.ANSWERS)

    def _has(self, number: str) -> bool:
        return any(
            leg.number == number and leg.role is not Role.PHONE for leg in self.legs.values()
        )

    def _pick_up(self, leg: Leg, reaction: Reaction) -> None:
        self._submit("POST", f"channels/{part(leg.id)}/answer")
        if reaction is Reaction.VOICEMAIL or leg.agent is None:
            return
        if leg.agent in self._mobiles.values():
            press_ms = self._workers[leg.agent].presses_after(str(self._rings[leg.agent]))
            self._at(
                self.now() + press_ms,
                self._submit_dtmf,
                leg,
            )

    def _submit_dtmf(self, leg: Leg) -> None:
        self._submit("POST", f"channels/{part(leg.id)}/dtmf", dtmf="1")

    # --- talks ------------------------------------------------------------------------------

    def _picked_up(self, leg_id: str) -> None:
        leg = self.legs.get(leg_id)
        if leg is None or leg.up:
            return
        leg.up = True
        if leg.role is Role.CALLER:
            return
        if leg.role is Role.PHONE:
            self._submit("POST", f"channels/{part(leg_id)}/play", media=TONE)
        else:
            self._submit("POST", f"channels/{part(leg_id)}/moh")
        _cancel(leg)
        leg.timer = self._at(self.now() + LONELY_MS, self._hang_up, leg)
        self._pair(leg)

    def _pair(self, leg: Leg) -> None:
        other = self._other(leg)
        if other is not None:
            self._begin_talk(*((leg, other) if leg.role is Role.PHONE else (other, leg)))

    def _left_alone(self, leg: Leg) -> None:
        """The main system ends the rest of a talk; but of two that picked up at once it may have
        kept the other one.
        """
        if leg.id in self.legs:
            leg.timer = self._at(self.now() + LONELY_MS, self._hang_up, leg)
            self._pair(leg)

    def _other(self, leg: Leg) -> Leg | None:
        """Whom he hears: the one whose number is on the display, else one without a number."""
        fits = [
            other for other in self.legs.values()
            if other.partner is None
            and (other.role is Role.PHONE) != (leg.role is Role.PHONE)
            and (other.up or other.role is Role.CALLER)
        ]  # fmt: skip
        same = [other for other in fits if other.number == leg.number]
        loose = [other for other in fits if not other.number] if leg.role is Role.CLIENT else []
        return next(iter(same or loose), None)

    def _begin_talk(self, phone: Leg, client: Leg) -> None:
        phone.partner, client.partner = client, phone
        phone.talked = client.talked = True
        _cancel(phone)
        _cancel(client)
        assert phone.agent is not None, "a telephone is an agent's"
        worker = self._workers[phone.agent]
        arrival = client.arrival
        talk_ms = arrival.talk_ms if arrival is not None else None
        if talk_ms is None:
            talk_ms = worker.talk(client.talk)
        ends = phone if worker.hangs_up_himself(phone.id) else client
        phone.timer = self._at(self.now() + talk_ms, self._hang_up, ends)

    def _end(self, leg_id: str) -> None:
        leg = self.legs.pop(leg_id, None)
        if leg is None:
            return
        _cancel(leg)
        partner = leg.partner
        if partner is not None:
            partner.partner = None
            _cancel(partner)
            self._left_alone(partner)
        if leg.agent is not None and leg.talked:
            self._after_talk(leg.agent)
        if leg.arrival is not None and not leg.talked:
            again = self._callers.redial(leg.arrival, self.now())
            if again is not None:
                self._at(again.at_ms, self._call, again)

    def _after_talk(self, agent: AgentId) -> None:
        worker = self._workers[agent]
        worker.seen(self.now())
        wrap_up_ms = worker.wrap_up(str(self._rings.get(agent, 0)))
        if wrap_up_ms is not None:
            self._at(self.now() + wrap_up_ms, self._status, agent, ChosenStatus.AVAILABLE)

    # --- means ------------------------------------------------------------------------------

    def _hang_up(self, leg: Leg) -> None:
        self._submit("DELETE", f"channels/{part(leg.id)}")

    def _submit(self, method: str, uri: str, **query: str) -> None:
        """A request whose failure means that the channel is gone, which an event tells."""
        self._link.submit(method, uri, query=query)

    def _status(self, agent: AgentId, status: ChosenStatus) -> None:
        async def choose() -> None:
            await self._set_status(agent, status)

        self._spawn(choose())

    def _at(self, at_ms: Duration, act: Callable[..., None], *args: object) -> asyncio.TimerHandle:
        assert self._loop is not None, "not started"
        return self._loop.call_at(self._began_at + at_ms / 1_000, act, *args)

    def _spawn(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _cancel(leg: Leg) -> None:
    if leg.timer is not None:
        leg.timer.cancel()
        leg.timer = None


async def _nothing() -> None:
    pass


def _display(channel: Message) -> str:
    """The number that the telephone shows, by its last digits."""
    caller = channel.get("caller")
    return _digits(str(caller.get("number") or "")) if isinstance(caller, dict) else ""


def _digits(number: str) -> str:
    return "".join(c for c in number if c.isdigit())[-NUMBER_DIGITS:]
