"""The switch port on a real Asterisk: commands out, events in, an audit after every new link.

Promises: a command about a call goes out in order and without waiting; every failure comes back
as an event; a leg that was withdrawn stops ringing even if it was just being made; nothing about
a call is decided here.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias, assert_never

from perezvon.asterisk import conf, numbers
from perezvon.asterisk.addresses import Addresses
from perezvon.asterisk.ari import Address, Ari, Message, Trace, part
from perezvon.asterisk.audit import Found
from perezvon.asterisk.beat import Heart
from perezvon.asterisk.book import Book, Leg
from perezvon.asterisk.credentials import Credentials
from perezvon.asterisk.devices import Devices
from perezvon.asterisk.dialling import Dialling
from perezvon.asterisk.errands import Errands
from perezvon.asterisk.hearing import Hearing
from perezvon.asterisk.lifesigns import LifeSigns
from perezvon.asterisk.pjsip import browser_endpoint, telephones
from perezvon.asterisk.recorder import Recorder
from perezvon.asterisk.relink import Relink
from perezvon.asterisk.replies import Reply
from perezvon.asterisk.supervising import Supervising
from perezvon.asterisk.translate import (
    BeatHeard,
    LegCalling,
    LegLeaving,
    LegLeft,
    LegReplaced,
    LegStarted,
    Report,
    Side,
    Translator,
)
from perezvon.asterisk.upkeep import Upkeep
from perezvon.asterisk.witness import Listing
from perezvon.core.commands import (
    AnswerCall,
    Command,
    ConnectCall,
    DialClient,
    HangUp,
    HangUpReason,
    PlayPrompt,
    RingAgent,
    SignalRinging,
    StartMusic,
    StopRinging,
    Supervise,
)
from perezvon.core.events import (
    CallArrived,
    Caller,
    CallFellBack,
    DeviceChanged,
    DigitPressed,
    EndCause,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegSeen,
    PromptEnded,
    Resynced,
    TrunkChanged,
)
from perezvon.core.ids import SECOND, CallId, Duration, LegId
from perezvon.core.plan import Plan
from perezvon.runtime.alerts import Alerts
from perezvon.runtime.ports import Directory, Sink

LANGUAGES = ("ru", "en")
"""Of prompts."""

ANSWERED_ELSEWHERE = "answered_elsewhere"
REASONS = {
    HangUpReason.NORMAL: "normal",
    HangUpReason.BUSY: "busy",
    HangUpReason.CONGESTION: "congestion",
    HangUpReason.UNKNOWN_NUMBER: "unallocated",
}

LegReport: TypeAlias = (
    LegCalling
    | LegRinging
    | LegAnswered
    | LegEnded
    | PromptEnded
    | DigitPressed
    | LegLeaving
    | LegLeft
)

DriverReport: TypeAlias = LegStarted | LegCalling | LegReplaced | LegLeaving | LegLeft | BeatHeard
"""Nothing for the core."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The engine's side of the two-part guard in the dialplan."""

    heartbeat_variable: str
    waiting_ms: Duration = 12 * SECOND


class AsteriskSwitch:
    """Implements `runtime.ports.Switch`. `on_replaced`: another engine has taken our place.
    `may_act`, `trace`: see `Ari`; `console`: the directory of the command line's socket.
    """

    def __init__(
        self,
        plan: Plan,
        address: Address,
        directory: Directory,
        *,
        guard: Guard,
        cel_path: Path | None,
        on_replaced: Callable[[], None],
        may_act: Callable[[], bool] = lambda: True,
        recordings: Path | None = None,
        console: Path | None = None,
        alerts: Alerts | None = None,
        trace: Trace | None = None,
    ) -> None:
        self._directory = directory
        self._addresses = Addresses(directory)
        self._book, self._devices = Book(), Devices(alerts)
        self._ari = Ari(
            address,
            on_event=self._hear,
            on_link=self._on_link,
            on_replaced=on_replaced,
            may_act=may_act,
            trace=trace,
        )
        self._errands = Errands(self._ari, alerts)
        self._dialling = Dialling(
            self._ari, self._errands, self._book, address.app, end=self._end, left=self._left
        )
        self._hearing = Hearing(
            self._errands, self._book, self._dialling, guard.waiting_ms, recordings, self._tell
        )
        self._supervising = Supervising(
            self._errands, self._book, self._dialling, self._hearing, address.app
        )
        self._relink = Relink(
            self._ari,
            self._book,
            plan.tenant,
            beat_variable=guard.heartbeat_variable,
            cel_path=cel_path,
            identify=self._identify,
            follow=self._follow,
        )
        self._heart = Heart(self._ari, address.app, guard.heartbeat_variable)
        self._upkeep = Upkeep(
            self._ari, self._book, self._dialling, self._devices,
            audit=self.audit, tell=self._tell, adopt=self._adopt, alerts=alerts,
        )  # fmt: skip
        self._life_signs = LifeSigns(console, self._errands, self._book, self._devices, self._tell)
        self._app = address.app
        self._recorder = Recorder(console)
        self._sink: Sink | None = None
        self._asked: set[LegId] = set()  # of commands that may not have reached the switch
        self._translator = Translator(self._app, self._identify, self._book.by_channel, {}, ())
        self.learn_plan(plan)

    # The port.

    async def start(self, sink: Sink) -> None:
        self._sink = sink
        await self._ari.start()
        self._upkeep.start()
        self._life_signs.start()

    async def stop(self) -> None:
        await self._life_signs.stop()
        await self._recorder.stop()
        await self._upkeep.stop()
        await self._ari.stop()
        self._book.clear()

    @property
    def credentials(self) -> Credentials:
        return self._upkeep.credentials

    @property
    def linked(self) -> bool:
        return self._ari.linked

    def carry_out(self, commands: Iterable[Command]) -> None:
        for command in commands:
            if self._ari.linked:
                self._carry_out(command)
            else:
                # Not kept: the audit of the next link tells, and the core decides anew.
                self._ask_about(command)

    def learn_plan(self, plan: Plan) -> None:
        self._addresses.learn_plan(plan)
        self._country = plan.country
        self._hearing.language = plan.language if plan.language in LANGUAGES else "en"
        self._hearing.talk_ms_max = plan.thresholds.talk_ms_max
        phones = self._translator.phones = telephones(plan)
        self._devices.learn(phones, plan.trunks)
        self._translator.trunks = {trunk.id for trunk in plan.trunks}
        self.credentials.learn(filter(None, map(browser_endpoint, plan.agents)))

    def expect(self, commands: Iterable[Command]) -> None:
        for command in commands:
            self._ask_about(command)

    def protect(self, waiting: Iterable[LegId], talking: Iterable[LegId]) -> None:
        # Not for a leg that the book does not have: he may be in the local queue, and a limit on
        # his life would cut off his talk there.
        for leg in map(self._book.get, waiting):
            if leg is not None and not leg.leaving:
                self._hearing.keep_waiting(leg)
        for leg in map(self._book.get, talking):
            if leg is not None and not leg.leaving:
                self._hearing.keep_talking(leg)

    async def heartbeat(self, proof: Callable[[], Awaitable[None]]) -> bool:
        return await self._heart.beat(proof)

    # Commands.

    def _carry_out(self, command: Command) -> None:
        match command:
            case RingAgent():
                self._ring_agent(command)
            case DialClient():
                self._dial_client(command)
            case StopRinging(leg):
                self._dialling.withdraw(self._book.known_or_new(leg), ANSWERED_ELSEWHERE)
            case HangUp(leg, reason):
                self._dialling.withdraw(self._book.known_or_new(leg), REASONS[reason])
            case ConnectCall(call, client, agent):
                self._connect(call, client, agent)
            case Supervise():
                self._supervising.supervise(command)
            case PlayPrompt(leg, playback, prompt):
                known = self._book.get(leg)
                if known is None:
                    self._tell(PromptEnded(leg, playback))
                else:
                    self._hearing.prompt(known, playback, prompt)
            case AnswerCall(leg):
                self._if_there(leg, self._hearing.answer)
            case SignalRinging(leg):
                self._if_there(leg, self._hearing.ring)
            case StartMusic(leg, music):
                self._if_there(leg, lambda known: self._hearing.music(known, music))
            case _:
                assert_never(command)

    def _if_there(self, leg: LegId, act: Callable[[Leg], None]) -> None:
        known = self._book.get(leg)
        if known is not None:
            act(known)

    def _ring_agent(self, command: RingAgent) -> None:
        if self._book.get(command.leg) is not None:
            return
        address = self._addresses.of_agent(command)
        if address is None:
            self._tell(LegEnded(command.leg, EndCause.UNREACHABLE))
            return
        leg = Leg(Side.AGENT, id=command.leg, ring_ms=command.ring_ms, telephone=address.telephone)
        self._book.add(leg)
        self._dialling.make(leg, address.endpoint, address.variables)

    def _dial_client(self, command: DialClient) -> None:
        if self._book.get(command.leg) is not None:
            return
        address = self._addresses.of_client(command)
        if isinstance(address, EndCause):
            self._tell(LegEnded(command.leg, address))
            return
        leg = Leg(
            Side.CLIENT,
            id=command.leg,
            ring_ms=command.ring_ms,
            rings_to=command.agent,
            is_recorded=command.recorded,
        )
        self._book.add(leg)
        self._dialling.make(leg, address.endpoint, address.variables)
        listener = self._book.get(command.agent)
        if listener is not None:
            self._hearing.ring(listener)
            # He waits for us as long as the client rings; nobody else keeps him alive.
            self._hearing.guard(listener, command.ring_ms + 60 * SECOND)

    def _connect(self, call: CallId, client_id: LegId, agent_id: LegId) -> None:
        client, agent = self._book.get(client_id), self._book.get(agent_id)
        if client is None or agent is None:
            for leg_id, leg in ((client_id, client), (agent_id, agent)):
                if leg is None:
                    self._tell(LegEnded(leg_id, EndCause.LOST))
            return
        self._hearing.connect(call, client, agent)

    def _ask_about(self, command: Command) -> None:
        if isinstance(command, RingAgent | DialClient):
            self._asked.add(command.leg)

    # Events.

    def _tell(self, event: Report | CallFellBack | Resynced) -> None:
        assert self._sink is not None, "not started"
        assert not isinstance(event, DriverReport)
        self._sink(event)

    def _hear(self, message: Message) -> None:
        for report in self._translator.translate(message):
            self._take(report, message)

    def _take(self, report: Report, message: Message) -> None:
        match report:
            case CallArrived():
                self._caller_came(report, message)
            case LegReplaced(old, new):
                moved = self._book.on_channel(old)
                if moved is not None:
                    self._book.move(moved, new)
                    self._follow(moved)
            case BeatHeard(name):
                self._heart.heard(name)
            case DeviceChanged() | TrunkChanged():
                for change in self._devices.heard(report):
                    self._tell(change)
            case LegStarted(leg_id, _, channel_name):
                leg = self._book.on_channel(leg_id)
                if leg is None:
                    # A request from before the last audit: nobody waits for it any more.
                    self._errands.send("DELETE", f"channels/{part(leg_id)}")
                else:
                    if leg.is_recorded and not leg.dialled:
                        self._recorder.arm(leg.id, channel_name)
                    self._dialling.started(leg)
            case _:
                leg = self._book.on_channel(report.leg)
                if leg is not None:
                    self._take_of(leg, report)

    def _take_of(self, leg: Leg, report: LegReport) -> None:
        match report:
            case LegCalling():
                self._dialling.calling(leg)
            case LegRinging():
                if leg.side is not Side.CALLER and not leg.rang and not leg.answered:
                    leg.rang = True
                    self._tell(LegRinging(leg.id))
            case LegAnswered():
                self._answered(leg)
            case LegEnded(_, cause):
                self._end(leg, cause)
            case LegLeaving(_, switched_off):
                leg.leaving = True
                leg.switched_off = leg.switched_off or switched_off
            case LegLeft():
                if leg.side is Side.CALLER and not leg.leaving:
                    # Alive and out: most likely his dead-man fired.
                    self._dialling.look(leg)
                self._dialling.look_later(leg)
            case PromptEnded(_, playback):
                self._hearing.prompt_was_heard(leg, playback)
                self._tell(PromptEnded(leg.id, playback))
            case DigitPressed(_, digit):
                self._tell(DigitPressed(leg.id, digit))
            case _:
                assert_never(report)

    def _answered(self, leg: Leg) -> None:
        if leg.answered:
            return
        leg.answered = True
        if leg.side is Side.CALLER:
            return
        if not leg.withdrawn:
            leg.disarm()
        self._hearing.leg_answered(leg)
        self._tell(LegAnswered(leg.id))

    def _caller_came(self, arrival: CallArrived, message: Message) -> None:
        if self._book.get(arrival.leg) is not None:
            return
        leg = self._book.add(Leg(Side.CALLER, id=arrival.leg))
        self._tell(arrival)
        self._follow(leg)
        self._tidy_name(leg, message)

    def _follow(self, leg: Leg) -> None:
        """Without it we would never learn why he hung up."""

        def check(reply: Reply) -> None:
            if reply.gone and self._book.get(leg.id) is leg:
                self._dialling.look_later(leg)

        self._errands.send(
            "POST",
            f"applications/{part(self._app)}/subscription",
            query={"eventSource": f"channel:{leg.channel}"},
            still=lambda: self._book.get(leg.id) is leg,
            then=check,
        )

    def _tidy_name(self, leg: Leg, message: Message) -> None:
        """What a stranger calls himself goes to our telephones in SIP headers."""
        name = str((message["channel"].get("caller") or {}).get("name") or "")
        shown = conf.shown(name)
        if name != shown:
            self._ari.submit(
                "POST",
                f"channels/{part(leg.channel)}/variable",
                query={"variable": "CALLERID(name)", "value": shown},
            )

    def _end(self, leg: Leg, cause: EndCause) -> None:
        self._forget(leg)
        self._tell(LegEnded(leg.id, cause))

    def _forget(self, leg: Leg) -> None:
        self._hearing.leg_gone(leg)
        self._supervising.leg_gone(leg)
        self._book.remove(leg)

    def _left(self, leg: Leg) -> None:
        """It lives outside our application."""
        self._forget(leg)
        if leg.side is not Side.CALLER:
            self._errands.send("DELETE", f"channels/{part(leg.channel)}")
            self._tell(LegEnded(leg.id, EndCause.LOST))
            return
        # A refresh that we sent a moment ago must not cut off his talk there.
        self._errands.send(
            "POST",
            f"channels/{part(leg.channel)}/variable",
            query={"variable": "TIMEOUT(absolute)", "value": "0"},
        )
        self._tell(CallFellBack(leg.id))

    def _identify(self, number: str, name: str) -> Caller:
        return numbers.identify(number, name, self._country, self._directory)

    # The link.

    async def audit(self) -> Found:
        """All that the switch has of ours now. Raises `LinkError` when it does not say."""
        found = await self._relink.audit()
        self._supervising.tidy(found.taps)
        return found

    @property
    def listing(self) -> Listing | None:
        """What channels there were when the switch was last asked."""
        return self._relink.listing

    def _adopt(self, seen: LegSeen) -> None:
        """A stray: a client whom we do not know is never hung up."""
        if seen.inbound is None:
            self._errands.send("DELETE", f"channels/{part(seen.leg)}")
        else:
            leg = self._book.add(Leg(Side.CALLER, id=seen.leg))
            self._tell(seen.inbound)
            self._follow(leg)

    async def _on_link(self) -> None:
        asked = self._asked | {leg.id for leg in self._book if leg.is_being_made}
        found, resynced = await self._relink.look(asked)
        self._supervising.forget()
        self._relink.rewrite_book(found)
        self._supervising.tidy(found.taps)
        # Commanded while we looked: without a link nothing of it was sent.
        meanwhile = tuple((leg, EndCause.NEVER_MADE) for leg in self._asked - asked)
        self._asked.clear()
        for leg in found.fell_back:
            # Before the audit, in which he is missing without having gone.
            self._tell(CallFellBack(leg))
        self._tell(replace(resynced, gone=(*resynced.gone, *meanwhile)))
