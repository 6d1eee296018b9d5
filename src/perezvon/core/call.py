"""Calls: what a caller lives through, from the first leg to the last, and how it ends.

An inbound call goes greeting -> waiting -> talking, and ends in the ledger exactly once. A
call-back (`callback.py`) and what an agent dials by hand (`dial.py`) are calls too: they join the
same states once their client is on the line.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from perezvon.core.commands import (
    AnswerCall,
    HangUp,
    HangUpReason,
    PlayPrompt,
    Prompt,
    PromptKind,
    SignalRinging,
    StartMusic,
)
from perezvon.core.events import CallArrived, EndCause, NumberClass
from perezvon.core.facts import (
    CallMissed,
    CallQueued,
    CallReceived,
    LegFailed,
    MissReason,
)
from perezvon.core.ids import (
    AgentId,
    CallId,
    DebtId,
    Duration,
    Instant,
    LegId,
    PersonId,
    PlanVersion,
    PlaybackId,
    QueueId,
    TrunkId,
)
from perezvon.core.party import Offer, Transfer
from perezvon.core.plan import DeviceKind
from perezvon.core.queue import CallKey, PoolKey
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine

RUNG_SHOWN_MAX = 20


WORTH_SHOWING = frozenset({EndCause.TRUNK_FAILED, EndCause.BAD_NUMBER, EndCause.LOST})


class CallState(StrEnum):
    GREETING = "greeting"
    WAITING = "waiting"
    TALKING = "talking"
    CLOSING = "closing"
    """He hears the last prompt; the attempt has its end in the ledger already."""
    FELL_BACK = "fell_back"
    """The switch's own queue has him, or we lost sight: the second witness will tell."""
    RINGING_AGENT = "ringing_agent"
    BRIEFING = "briefing"
    DIALLING = "dialling"
    TRANSFERRING = "transferring"
    """Handed over: the client hears music, and somebody else is rung for him by name."""
    CONSULTING = "consulting"
    """The client hears music, while his agent asks, or rings, who is to take him over."""
    OUTSIDE = "outside"
    """The client talks with somebody outside to whom he was handed over."""
    REJOINING = "rejoining"
    """The client hears music until his agent has a telephone again."""


BEFORE_TALK = frozenset({CallState.GREETING, CallState.WAITING})


@dataclass(slots=True)
class Call:
    id: CallId
    policy: str
    """Key of the queue's settings under which it arrived, see `Engine.policy`."""
    queue: QueueId
    plan: PlanVersion
    did: str
    trunk: TrunkId | None
    person: PersonId | None
    number_class: NumberClass
    zone: str | None
    arrived_at: Instant
    key_at: Instant
    state: CallState
    client: LegId | None = None
    """The caller's leg, or in a call-back the client's, from dialling on."""
    debt: DebtId | None = None
    """Set in a call-back."""
    picked_up: bool = False
    queued_at: Instant | None = None
    step: int = 0
    round: int = 0
    step_count: int = 0
    in_gap: bool = False
    line: PoolKey | None = None
    """In whose hungry line it stands."""
    offers: dict[LegId, Offer] = field(default_factory=dict)
    offer_count: int = 0
    supervised_count: int = 0
    missed_by: list[AgentId] = field(default_factory=list)
    refused_by: list[AgentId] = field(default_factory=list)
    rung: list[AgentId] = field(default_factory=list)
    won: Offer | None = None
    """The offer that was answered; its leg is the agent's."""
    answered_at: Instant | None = None
    proved: bool = False
    """The talk lasted long enough to be one."""
    settled: bool = False
    """The inbound attempt has left `in_progress`."""
    lost_as: MissReason | None = None
    """Out of sight: what he left, should the second witness know of no talk."""
    client_rang: bool = False
    playback_count: int = 0
    playback: PlaybackId | None = None
    order: str = ""
    """Of a call-back: agent first or client first."""
    was_cut: bool = False
    """The agent's telephone died in the talk, and he waits, or talks, again."""
    reached_us: bool = False
    """His talk after that one settled what we owed him."""
    witnessed: bool = False
    """Of an inbound attempt: the second witness has told its end, though for us it goes on."""

    placed: bool = False
    """Dialled by an agent by hand, and nobody was owed."""
    dialled_by: AgentId | None = None
    """Who dialled by hand, whether a person was owed or not."""
    transfer: Transfer | None = None
    transfer_count: int = 0
    handed_over_by: AgentId | None = None
    """It has been answered, and this agent has left it to somebody else."""
    talked_ms: Duration = 0
    """With those who handed him over."""
    rejoin: LegId | None = None
    """The agent's next leg, while it rings."""
    rejoin_device: DeviceKind | None = None

    @property
    def handed_over(self) -> bool:
        return self.handed_over_by is not None

    @property
    def inbound(self) -> bool:
        return self.debt is None and not self.placed

    def key(self, tier: int) -> CallKey:
        return (tier, self.key_at, self.id)


class Calls:
    """The room of the engine where calls live."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    # Arrival and greeting.

    def arrive(self, event: CallArrived) -> None:
        engine = self._engine
        if event.leg in engine.legs or event.leg in engine.ended_legs:
            return
        call = self.receive(event, engine.now)
        if engine.callbacks.client_calls(call) or engine.dials.client_calls(call):
            return
        queue = engine.policy(call)
        if not engine.calendar_of(queue.hours).is_open(engine.now):
            self.miss(call, MissReason.AFTER_HOURS)
            self.say_goodbye(call, PromptKind.CLOSED, queue.closed_prompt)
        elif engine.waiting_count.get(call.queue, 0) >= queue.length_max:
            self.miss(call, MissReason.QUEUE_FULL)
            self.say_goodbye(call, PromptKind.PROMISE, queue.promise_prompt)
        elif queue.answer_first and queue.greeting is not None:
            call.state = CallState.GREETING
            self.pick_up(call)
            self.play(call, event.leg, Prompt(PromptKind.GREETING, queue.greeting))
        else:
            self.greeted(call)

    def receive(self, event: CallArrived, at: Instant) -> Call:
        """Enter an inbound attempt into the books."""
        engine = self._engine
        did = engine.dids.get(event.did) or engine.dids.get(event.did.removeprefix("+"))
        queue_id = did.queue if did is not None else engine.default_queue
        engine.state.call_count += 1
        person = event.caller.person
        call = Call(
            id=CallId(f"{engine.era}c{engine.state.call_count}"),
            policy=engine.policy_key(queue_id),
            queue=queue_id,
            plan=engine.plan.version,
            did=event.did,
            trunk=event.trunk or (did.trunk if did is not None else None),
            person=person,
            number_class=event.caller.number_class,
            zone=event.caller.zone,
            arrived_at=at,
            key_at=at,
            state=CallState.WAITING,
            client=event.leg,
        )
        engine.calls[call.id] = call
        engine.legs[event.leg] = call.id
        engine.ledger.arrive()
        engine.note(
            CallReceived(
                at,
                call.id,
                event.leg,
                call.did,
                call.queue,
                person,
                call.number_class,
                call.trunk,
                call.plan,
                did is not None,
            )
        )
        if person is not None:
            debt = engine.debt_of.get(person)
            if debt is not None:
                call.key_at = min(at, engine.debts[debt].first_missed_at)
            self.occupy(person)
        return call

    def greeted(self, call: Call) -> None:
        """The greeting is over, or there is none: he waits."""
        engine = self._engine
        assert call.client is not None
        queue = engine.policy(call)
        if queue.answer_first:
            self.pick_up(call)
            engine.do(StartMusic(call.client, queue.music))
        else:
            engine.do(SignalRinging(call.client))
        engine.note(CallQueued(engine.now, call.id, call.queue, call.key_at))
        self.wait(call)

    def pick_up(self, call: Call) -> None:
        assert call.client is not None
        if not call.picked_up:
            call.picked_up = True
            self._engine.do(AnswerCall(call.client))

    def play(self, call: Call, leg: LegId, prompt: Prompt) -> None:
        engine = self._engine
        call.playback_count += 1
        call.playback = PlaybackId(f"{call.id}/p{call.playback_count}")
        engine.do(PlayPrompt(leg, call.playback, prompt))
        engine.timers.set(
            TimerKind.PROMPT_ENDS, call.id, engine.now + engine.plan.thresholds.prompt_ms_max
        )

    def prompt_ended(self, call: Call) -> None:
        engine = self._engine
        engine.timers.cancel(TimerKind.PROMPT_ENDS, call.id)
        call.playback = None
        match call.state:
            case CallState.GREETING:
                self.greeted(call)
            case CallState.CLOSING:
                self.finish(call)
            case CallState.BRIEFING:
                engine.outgoing(call).dial_client(call)
            case _:
                pass

    # Waiting.

    def wait(self, call: Call) -> None:
        engine = self._engine
        queue = engine.policy(call)
        call.state = CallState.WAITING
        if call.queued_at is None:
            call.queued_at = engine.now
            engine.waiting_count[call.queue] = engine.waiting_count.get(call.queue, 0) + 1
            if queue.wait_ms_max is not None:
                engine.timers.set(TimerKind.WAIT_ENDS, call.id, engine.now + queue.wait_ms_max)
        self._enter_step(call)

    def _enter_step(self, call: Call) -> None:
        engine = self._engine
        steps = engine.policy(call).steps
        call.step_count += 1
        while (
            steps[call.step].skip_when_nobody
            and call.step + 1 < len(steps)
            and not engine.offers.somebody_for(call)
        ):
            call.step += 1
        if len(steps) > 1 or engine.policy(call).rounds_max is not None:
            engine.timers.set(TimerKind.STEP_ENDS, call.id, engine.now + steps[call.step].ring_ms)
        engine.offers.want(call)

    def step_ends(self, call: Call) -> None:
        if call.state is not CallState.WAITING:
            return
        queue = self._engine.policy(call)
        call.step += 1
        if call.step >= len(queue.steps):
            call.step = 0
            call.round += 1
            if queue.rounds_max is not None and call.round >= queue.rounds_max:
                self.give_up_waiting(call)
                return
        self._enter_step(call)

    def gap(self, call: Call, length_ms: Duration) -> None:
        call.in_gap = True
        self._engine.timers.set(TimerKind.GAP_ENDS, call.id, self._engine.now + length_ms)

    def gap_ends(self, call: Call) -> None:
        call.in_gap = False
        self._engine.offers.want(call)

    def give_up_waiting(self, call: Call) -> None:
        """The longest wait is reached: a promise to call back, and a debt."""
        if call.state is not CallState.WAITING:
            return
        if call.handed_over:
            self._engine.transfers.timed_out(call)
            return
        if call.inbound:
            self.miss(call, MissReason.TIMED_OUT)
        else:
            self._engine.outgoing(call).client_was_not_served(call)
            if call.placed:
                # We called him, so nothing is promised.
                self.finish(call)
                return
        self.say_goodbye(call, PromptKind.PROMISE, self._engine.policy(call).promise_prompt)

    def leave_line(self, call: Call) -> None:
        """He waits no more, for whatever reason: no telephone rings for him any longer."""
        engine = self._engine
        if call.queued_at is not None and call.state is CallState.WAITING:
            engine.waiting_count[call.queue] -= 1
            call.queued_at = None
        engine.offers.leave_hungry(call)
        for kind in (TimerKind.WAIT_ENDS, TimerKind.STEP_ENDS, TimerKind.GAP_ENDS):
            engine.timers.cancel(kind, call.id)
        call.in_gap = False

    def say_goodbye(self, call: Call, kind: PromptKind, sound: str | None) -> None:
        engine = self._engine
        assert call.client is not None
        self.leave_line(call)
        call.state = CallState.CLOSING
        engine.offers.withdraw_all(call)
        self.pick_up(call)
        self.play(call, call.client, Prompt(kind, sound or ""))

    def client_left(self, call: Call, cause: EndCause) -> None:
        """The caller's (or the called client's) leg is gone."""
        engine = self._engine
        if cause in WORTH_SHOWING and call.client is not None:
            engine.note(LegFailed(engine.now, call.id, call.client, cause))
        match call.state:
            case CallState.TALKING:
                engine.talks.client_left(call, cause)
            case CallState.DIALLING:
                engine.outgoing(call).client_failed(call, cause)
            case CallState.TRANSFERRING | CallState.CONSULTING | CallState.OUTSIDE:
                engine.transfers.client_left(call, cause)
            case CallState.REJOINING:
                engine.talks.cut(call, engine.now)
            case CallState.WAITING if call.handed_over:
                engine.transfers.client_left(call, cause)
            case CallState.WAITING | CallState.GREETING if not call.inbound:
                engine.outgoing(call).client_was_not_served(call)
                self.finish(call)
            case CallState.WAITING | CallState.GREETING:
                self.miss(call, self.why_left(call, cause))
                self.finish(call)
            case _:
                self.finish(call)

    def why_left(self, call: Call, cause: EndCause) -> MissReason:
        if cause in (EndCause.LOST, EndCause.TRUNK_FAILED, EndCause.NEVER_MADE):
            return MissReason.SYSTEM_FAILURE
        if call.state is CallState.GREETING:
            return MissReason.LEFT_IN_GREETING
        if any(offer.answered for offer in call.offers.values()):
            return MissReason.CALLER_ABANDONED_AT_ANSWER
        if any(offer.ringing_at is not None for offer in call.offers.values()):
            return MissReason.LEFT_RINGING
        return MissReason.LEFT_WAITING

    # The end.

    def miss(
        self,
        call: Call,
        reason: MissReason,
        at: Instant | None = None,
    ) -> None:
        """The inbound attempt ends without a talk: it is waived or owed, in this very turn.

        Nothing, if it came back from a talk that was cut: it is answered, or owed, already.
        """
        engine = self._engine
        assert call.inbound
        if call.settled:
            assert call.was_cut
            return
        call.settled = True
        at = engine.now if at is None else at
        cause = engine.offers.miss_cause(call, reason)
        waited_ms = max(0, at - call.arrived_at)
        rung = tuple(call.rung[:RUNG_SHOWN_MAX])
        engine.note(CallMissed(at, call.id, reason, cause, waited_ms, rung))
        engine.debts_room.owe_or_waive(call, reason, at)

    def finish(self, call: Call, *, wraps_up: bool = True) -> None:
        """Hang up what is left of the call and forget it; whoever comes free gets work."""
        engine = self._engine
        self.leave_line(call)
        for kind in (
            TimerKind.PROMPT_ENDS,
            TimerKind.TALK_PROVED,
            TimerKind.WITNESS,
            TimerKind.CLIENT_RINGS,
        ):
            engine.timers.cancel(kind, call.id)
        engine.offers.withdraw_all(call)
        engine.transfers.drop(call)
        engine.rejoins.drop(call)
        if call.client is not None and engine.legs.pop(call.client, None) is not None:
            engine.let_go(call.client, HangUp(call.client, HangUpReason.NORMAL))
        if call.inbound and call.client is not None:
            engine.remember_ended(call)
        engine.recovered.pop(call.id, None)
        del engine.calls[call.id]
        if call.won is not None:
            if engine.legs.pop(call.won.leg, None) is not None:
                engine.let_go(call.won.leg, HangUp(call.won.leg))
            agent = engine.agents.get(call.won.agent)
            if agent is not None and agent.call == call.id:
                wraps_up = wraps_up and call.proved
                engine.agents_room.after_call(
                    agent, engine.policy(call).wrap_up_ms if wraps_up else 0
                )
        if call.debt is None and call.person is not None:
            if engine.state.placed.get(call.person) == call.id:
                del engine.state.placed[call.person]
            self.free_person(call.person)
        elif call.person is not None:
            # Of before a new release there is no count.
            left = engine.state.called_back.pop(call.person, 1) - 1
            if left:
                engine.state.called_back[call.person] = left

    def is_on_the_line(self, person: PersonId) -> bool:
        """Whether he talks with us in any way, or his telephone is being rung."""
        engine = self._engine
        return person in engine.live_count or person in engine.state.called_back

    def occupy(self, person: PersonId) -> None:
        """He is on the line with us: nobody calls him, not even whose turn it is."""
        live_count = self._engine.live_count
        live_count[person] = live_count.get(person, 0) + 1
        self._engine.callbacks.wait_for_person(person)

    def free_person(self, person: PersonId) -> None:
        engine = self._engine
        left = engine.live_count[person] - 1
        if left:
            engine.live_count[person] = left
        else:
            del engine.live_count[person]
            engine.callbacks.person_free(person)
