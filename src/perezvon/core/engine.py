"""The engine: events in, commands and facts out. It routes; the rooms decide.

    step = engine.handle(event, now)   # due timers first, each at its own due time
    step = engine.advance(now)         # only those
    engine.next_deadline()             # when to wake it next

Rooms: `Calls` (call.py), `Offers` (offer.py), `Talks` (talk.py), `Agents` (agent.py), `Devices`
(device.py), `Loans` (loan.py), `Debts` (debt.py), `Callbacks` (callback.py), `Attempts`
(attempt.py), `Dials` (dial.py), `Transfers` (transfer.py), `Rejoins` (rejoin.py),
`Supervisions` (supervision.py); and for what others saw while we looked away `resync.py`,
`restart.py` and `witness.py`.
Deterministic: the same events at the same times give the same steps in any process.
"""

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from perezvon.core import resync, witness
from perezvon.core.agent import Agents, AgentState
from perezvon.core.attempt import Attempts
from perezvon.core.calendar import Calendar, day_of
from perezvon.core.call import Call, Calls, CallState
from perezvon.core.callback import Callbacks
from perezvon.core.commands import Command, StopRinging
from perezvon.core.debt import Debts
from perezvon.core.device import Devices
from perezvon.core.dial import Dials
from perezvon.core.events import (
    AgentGivenBack,
    AgentLent,
    AgentStatusSet,
    ArrivalWitnessed,
    CallArrived,
    CallbackAsked,
    CallFellBack,
    DebtAssigned,
    DeviceChanged,
    DeviceChosen,
    DialAsked,
    DigitPressed,
    EndCause,
    Event,
    LegAnswered,
    LegEnded,
    LegRinging,
    PlanChanged,
    PromptEnded,
    RejoinAsked,
    Resynced,
    SuperviseAsked,
    SuperviseEndAsked,
    TimePassed,
    TransferAsked,
    TransferCancelAsked,
    TransferCompletionAsked,
    TrunkChanged,
    WaiverGiven,
)
from perezvon.core.facts import Fact, PlanTaken, TrunkStateChanged
from perezvon.core.ids import (
    MINUTE,
    SECOND,
    AgentId,
    CallId,
    DebtId,
    Duration,
    HoursId,
    Instant,
    LegId,
    QueueId,
    RuleId,
)
from perezvon.core.loan import Loans, groups_of
from perezvon.core.offer import Offers
from perezvon.core.plan import Agent, CallbackRule, Did, Plan, Queue
from perezvon.core.queue import Pools
from perezvon.core.rejoin import Rejoins
from perezvon.core.state import State
from perezvon.core.supervision import Supervisions
from perezvon.core.talk import Talks
from perezvon.core.timers import Timer, TimerKind, Timers
from perezvon.core.transfer import Transfers
from perezvon.core.trunk import Trunks

AgentsAct: TypeAlias = (
    DialAsked | TransferAsked | TransferCompletionAsked | TransferCancelAsked | RejoinAsked
)

OVERSLEPT_MS: Duration = 5 * SECOND
"""A timer that fires so late: we were away, and what was told meanwhile is not heard yet."""


@dataclass(frozen=True, slots=True)
class Step:
    commands: tuple[Command, ...]
    facts: tuple[Fact, ...]


class Engine:
    """One tenant's decisions. See the module's docstring for the door."""

    def __init__(
        self, era: str, plan: Plan, state: State | None = None, timers: Timers | None = None
    ) -> None:
        fresh = state is None
        self.state = state = State(era) if state is None else state
        self.era = state.era
        self.now = state.now
        self.calls = state.calls
        self.agents = state.agents
        self.debts = state.debts
        self.debt_of = state.debt_of
        self.live_count = state.live_count
        self.legs = state.legs
        self.ended_legs = state.ended_legs
        self.ledger = state.ledger
        self.timers = Timers() if timers is None else timers
        self.policies = state.policies
        self.waiting_count = state.waiting_count
        self.last_rung = state.last_rung
        self.trunk_held_until = state.trunk_held_until
        self.client_first = state.client_first
        self.recovered = state.recovered
        self.reconciliation = state.reconciliation
        self.turn_at = state.now
        """When this turn truly began; while its timers fire, `now` is when each was due."""
        self.pools = Pools()
        self.calls_room = Calls(self)
        self.talks = Talks(self)
        self.offers = Offers(self)
        self.agents_room = Agents(self)
        self.devices_room = Devices(self)
        self.loans = Loans(self)
        self.supervisions = Supervisions(self)
        self.debts_room = Debts(self)
        self.callbacks = Callbacks(self)
        self.trunks = Trunks(self)
        self.attempts = Attempts(self)
        self.dials = Dials(self)
        self.transfers = Transfers(self)
        self.rejoins = Rejoins(self)
        self._commands: list[Command] = []
        self._facts: list[Fact] = []
        self._freed: list[AgentState] = []
        self._wanting: list[CallId] = []
        self._tried: deque[DebtId] = deque()
        self._index(plan)
        if fresh:
            self.agents_room.take_plan(plan)
        self._fill_lines()

    def _index(self, plan: Plan) -> None:
        self.plan = plan
        self.dids: dict[str, Did] = {did.number.removeprefix("+"): did for did in plan.dids}
        self.rules: dict[RuleId, CallbackRule] = {rule.id: rule for rule in plan.callback_rules}
        self.devices: dict[AgentId, Agent] = {agent.id: agent for agent in plan.agents}
        self.groups = groups_of(plan)
        self.default_queue: QueueId = plan.default_queue or plan.queues[0].id
        self._queues = {queue.id: queue for queue in plan.queues}
        self._calendars: dict[HoursId | None, Calendar] = {}
        self._today = (-1, "")

    def _fill_lines(self) -> None:
        self.pools.rebuild(self.plan, self.agents)
        self.offers.refill()
        self.callbacks.refill()

    # The door.

    def handle(self, event: Event, now: Instant) -> Step:
        # A leg that a timer of this very turn makes cannot be in an audit that was taken before.
        is_audit = isinstance(event, Resynced)
        audited = (*self.legs, *self.supervisions.legs()) if is_audit else ()
        self.turn_at = now
        self._fire_timers(now)
        self.now = max(self.now, now)
        self._route(event, audited)
        self._give_out_work()
        return self._step()

    def advance(self, now: Instant) -> Step:
        self.turn_at = now
        self._fire_timers(now)
        self.now = max(self.now, now)
        return self._step()

    def next_deadline(self) -> Instant | None:
        return self.timers.next_due()

    def _step(self) -> Step:
        step = Step(tuple(self._commands), tuple(self._facts))
        self._commands, self._facts = [], []
        self.state.now = self.now
        return step

    def _fire_timers(self, now: Instant) -> None:
        while (timer := self.timers.pop_due(now)) is not None:
            self.now = max(self.now, timer.due_at)
            self._fire(timer)
            self._give_out_work()

    def _give_out_work(self) -> None:
        """Whoever came free in this turn goes to live callers first, then to debts."""
        self.supervisions.follow()
        while self._freed or self._wanting or self._tried:
            if self._freed or self._wanting:
                freed, self._freed = self._freed, []
                wanting, self._wanting = self._wanting, []
                self.offers.match(freed, wanting)
            else:
                self.callbacks.try_now(self._tried.popleft())

    # What rooms use.

    def do(self, command: Command) -> None:
        self._commands.append(command)

    def note(self, fact: Fact) -> None:
        self._facts.append(fact)

    def came_free(self, agent: AgentState) -> None:
        self._freed.append(agent)

    def wants(self, call: Call) -> None:
        self._wanting.append(call.id)

    def may_be_tried(self, debt: DebtId) -> None:
        self._tried.append(debt)

    def policy(self, call: Call) -> Queue:
        return self.policies[call.policy]

    def policy_key(self, queue: QueueId) -> str:
        key = f"{self.plan.version}/{queue}"
        self.policies.setdefault(key, self._queues[queue])
        return key

    def queue(self, queue: QueueId) -> Queue | None:
        return self._queues.get(queue)

    def outgoing(self, call: Call) -> Attempts | Dials:
        """The room of a call that we made."""
        return self.dials if call.placed else self.attempts

    def calendar_of(self, hours: HoursId | None) -> Calendar:
        calendar = self._calendars.get(hours)
        if calendar is None:
            found = next((each for each in self.plan.hours if each.id == hours), None)
            calendar = Calendar(found, self.plan.holidays, self.plan.zone)
            self._calendars[hours] = calendar
        return calendar

    def today(self) -> str:
        quarter = self.now // (15 * MINUTE)
        if self._today[0] != quarter:
            self._today = (quarter, day_of(self.now, self.plan.zone))
        return self._today[1]

    def call_of(self, leg: LegId) -> Call | None:
        call_id = self.legs.get(leg)
        return self.calls.get(call_id) if call_id is not None else None

    def let_go(self, leg: LegId, command: Command) -> None:
        """Ask the switch to end a leg; until it reports the end we ask again at each audit."""
        self.state.ending[leg] = isinstance(command, StopRinging)
        self.do(command)

    def remember_ended(self, call: Call) -> None:
        witness.remember_ended(self, call)

    @property
    def overslept(self) -> bool:
        """Asked by a timer: whether it fires much later than it should have."""
        return self.turn_at - self.now > OVERSLEPT_MS

    # Routing.

    def _route(self, event: Event, audited: tuple[LegId, ...]) -> None:
        match event:
            case CallArrived(leg):
                witness.heard_after_all(self, leg)
                self.calls_room.arrive(event)
            case LegRinging(leg):
                self._leg_ringing(leg)
            case LegAnswered(leg):
                self._leg_answered(leg)
            case LegEnded(leg, cause):
                self.leg_ended(leg, cause)
            case PromptEnded(leg, playback):
                call = self.call_of(leg)
                if call is not None and call.playback == playback:
                    self.calls_room.prompt_ended(call)
            case DigitPressed(leg, digit):
                call = self.call_of(leg)
                if call is not None:
                    self.offers.pressed(call, leg, digit)
            case AgentStatusSet():
                self.agents_room.set_status(event)
            case DeviceChanged() | DeviceChosen():
                self.devices_room.take(event)
            case AgentLent() | AgentGivenBack():
                self.loans.take(event)
            case SuperviseAsked() | SuperviseEndAsked():
                self.supervisions.take(event)
            case WaiverGiven(debt, by, reason):
                self.debts_room.waive(debt, by, reason)
            case DebtAssigned(debt, owner, by):
                self.debts_room.assign(debt, owner, by)
            case CallbackAsked(debt, _):
                self.callbacks.asked(debt)
            case (
                DialAsked()
                | TransferAsked()
                | TransferCompletionAsked()
                | TransferCancelAsked()
                | RejoinAsked()
            ):
                self._agent_acts(event)
            case TrunkChanged(trunk, up):
                self.note(TrunkStateChanged(self.now, trunk, up))
                self.trunks.changed(trunk, up=up)
            case PlanChanged(plan):
                self._take_plan(plan)
            case CallFellBack(leg):
                witness.fell_back(self, leg)
            case ArrivalWitnessed():
                witness.witnessed(self, event)
            case Resynced():
                resync.resynced(self, event, audited)
            case TimePassed():
                pass
            case _:
                assert_never(event)

    def _agent_acts(self, event: AgentsAct) -> None:
        match event:
            case DialAsked():
                self.dials.asked(event)
            case TransferAsked() | TransferCompletionAsked() | TransferCancelAsked():
                self.transfers.take(event)
            case RejoinAsked(agent):
                self.rejoins.asked(agent)

    def _leg_ringing(self, leg: LegId) -> None:
        call = self.call_of(leg)
        if call is None:
            self._stop_stray(leg)
        elif leg == call.client:
            self.outgoing(call).client_rings(call)
        elif call.transfer is not None and leg == call.transfer.outside:
            self.transfers.outside_rings(call)
        else:
            self.offers.ringing(call, leg)

    def _leg_answered(self, leg: LegId) -> None:
        call = self.call_of(leg)
        if call is None:
            if not self.supervisions.answered(leg):
                self._stop_stray(leg)
        elif leg == call.client:
            if not call.inbound:
                self.outgoing(call).client_answered(call)
        elif leg == call.rejoin:
            self.rejoins.answered(call)
        elif call.transfer is not None and leg == call.transfer.outside:
            self.transfers.outside_answered(call)
        else:
            self.offers.answered(call, leg)

    def _stop_stray(self, leg: LegId) -> None:
        """A leg of ours that we let go meanwhile, or took for lost: nobody is left in silence."""
        if leg.startswith(self.era) and not self.supervisions.knows(leg):
            self.do(StopRinging(leg))

    def leg_ended(self, leg: LegId, cause: EndCause) -> None:
        self.state.ending.pop(leg, None)
        call = self.call_of(leg)
        if call is None:
            self.supervisions.leg_ended(leg, cause)
            return
        if leg == call.client:
            if call.state is CallState.FELL_BACK:
                witness.wait_for(self, call)
                return
            del self.legs[leg]
            self.calls_room.client_left(call, cause)
        elif (offer := call.offers.get(leg)) is not None:
            self.offers.leg_ended(call, offer, cause)
        else:
            del self.legs[leg]
            self._agent_or_target_left(call, leg, cause)

    def _agent_or_target_left(self, call: Call, leg: LegId, cause: EndCause) -> None:
        transfer = call.transfer
        if leg == call.rejoin:
            self.rejoins.leg_ended(call)
        elif transfer is not None and leg == transfer.outside:
            self.transfers.outside_ended(call, cause)
        elif transfer is not None and transfer.taken is not None and leg == transfer.taken.leg:
            self.transfers.colleague_left(call)
        elif call.state is CallState.TALKING:
            self.talks.agent_left(call, cause)
        elif call.state is CallState.CONSULTING:
            self.transfers.agent_left(call, cause)
        else:
            self.outgoing(call).agent_left_before(call)

    def _take_plan(self, plan: Plan) -> None:
        """Agents, hours and rules follow the new plan; a call keeps its queue's settings."""
        if plan.version == self.plan.version:
            return
        self._index(plan)
        self.agents_room.take_plan(plan)
        self.devices_room.take_plan()
        self.loans.take_plan()
        used = {call.policy for call in self.calls.values()}
        used |= {debt.policy for debt in (*self.debts.values(), *self.recovered.values())}
        for key in [key for key in self.policies if key not in used]:
            del self.policies[key]
        self._fill_lines()
        self.note(PlanTaken(self.now, plan.version))
        for agent in self.agents.values():
            if agent.free:
                self.came_free(agent)

    def _fire(self, timer: Timer) -> None:
        kind = timer.kind
        if kind in _OF_CALLS:
            call = self.calls.get(CallId(timer.id))
            if call is not None:
                self._fire_of_call(kind, call)
            return
        match kind:
            case TimerKind.OFFER_ENDS:
                self.offers.ring_time_is_over(LegId(timer.id))
            case TimerKind.OFFER_SIGN:
                self.offers.no_sign(LegId(timer.id))
            case TimerKind.PRESS_ONE:
                self.offers.one_not_pressed(LegId(timer.id))
            case TimerKind.WRAP_UP_ENDS:
                self.agents_room.wrap_up_ends(AgentId(timer.id))
            case TimerKind.REACHABLE_AGAIN:
                self.devices_room.reachable_again(AgentId(timer.id))
            case TimerKind.SUPERVISOR_RINGS:
                self.supervisions.rings_no_longer(AgentId(timer.id))
            case TimerKind.LOAN_ENDS:
                self.loans.over(AgentId(timer.id))
            case TimerKind.DEBT_TRY:
                self.callbacks.fell_due(DebtId(timer.id))
            case TimerKind.DEBT_DEADLINE:
                self.debts_room.overdue(DebtId(timer.id))
            case TimerKind.DEBT_GIVE_UP:
                self.debts_room.give_up(DebtId(timer.id))
            case TimerKind.UNSEEN:
                witness.unseen(self)
            case _:
                raise AssertionError(kind)

    def _fire_of_call(self, kind: TimerKind, call: Call) -> None:
        match kind:
            case TimerKind.STEP_ENDS:
                self.calls_room.step_ends(call)
            case TimerKind.GAP_ENDS:
                self.calls_room.gap_ends(call)
            case TimerKind.WAIT_ENDS:
                self.calls_room.give_up_waiting(call)
            case TimerKind.PROMPT_ENDS:
                self.calls_room.prompt_ended(call)
            case TimerKind.TALK_PROVED:
                self.talks.prove(call)
            case TimerKind.CLIENT_RINGS:
                self.outgoing(call).client_rings_no_longer(call)
            case TimerKind.TRANSFER_RINGS:
                self.transfers.outside_rings_no_longer(call)
            case TimerKind.REJOIN_RINGS:
                self.rejoins.rings_no_longer(call)
            case TimerKind.REJOIN_ENDS:
                self.rejoins.not_back(call)
            case TimerKind.WITNESS:
                witness.told_nothing(self, call)
            case _:
                raise AssertionError(kind)


_OF_CALLS = frozenset(
    {
        TimerKind.STEP_ENDS,
        TimerKind.GAP_ENDS,
        TimerKind.WAIT_ENDS,
        TimerKind.PROMPT_ENDS,
        TimerKind.TALK_PROVED,
        TimerKind.CLIENT_RINGS,
        TimerKind.TRANSFER_RINGS,
        TimerKind.REJOIN_RINGS,
        TimerKind.REJOIN_ENDS,
        TimerKind.WITNESS,
    }
)
