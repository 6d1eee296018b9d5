"""Agents' telephones in the simulated world, and the people who sit at them or do not."""

from perezvon.core.commands import PlayPrompt, PromptKind, RingAgent
from perezvon.core.events import (
    AgentStatusSet,
    ChosenStatus,
    DeviceChanged,
    DigitPressed,
    EndCause,
    LegAnswered,
    LegRinging,
)
from perezvon.core.ids import AgentId, Duration, Instant
from perezvon.core.plan import DeviceKind, Plan
from perezvon.sim.draws import Draws
from perezvon.sim.legs import Leg, Phone, Side
from perezvon.sim.people import Reaction, Worker
from perezvon.sim.scenario import Scenario
from perezvon.sim.switchboard import Switchboard

IDLE_MS: Duration = 240_000
"""An agent who picked up and is given nobody hangs up."""
VOICEMAIL_MS: Duration = 30_000
MISSED_MS: Duration = 4_000
"""Rang so long in vain: it may have been counted as missed."""
SILENCE_MS: Duration = 8_000
"""After so long without a sound the switch takes a telephone for dead."""
COMES_BACK_MS: Duration = 3_000
"""From being back at the telephone to saying so."""
FEW_MS = 4


class Office:
    def __init__(self, board: Switchboard, scenario: Scenario, draws: Draws) -> None:
        self.phones: dict[str, Phone] = {}
        self.same_ms = 0.0
        """Share of answers at which somebody else acts within the same few ms (a fault)."""
        self._board = board
        self._scenario = scenario
        self._draws = draws
        self._network = max(1, scenario.network)
        self._misses_pause = False
        board.on_gone[Side.AGENT] = self._gone

    def learn_plan(self, plan: Plan) -> None:
        self._misses_pause = any(queue.pause_after_misses is not None for queue in plan.queues)
        groups: dict[str, list[str]] = {}
        for group in plan.groups:
            for member in group.members:
                groups.setdefault(member.agent, []).append(group.id)
        for agent in plan.agents:
            if agent.id not in self.phones:
                mobile = agent.device is DeviceKind.MOBILE
                person = self._scenario.person(agent.id, groups.get(agent.id, ()))
                worker = Worker(agent.id, person, self._draws, mobile=mobile)
                self.phones[agent.id] = Phone(agent.id, worker, mobile)
            self.phones[agent.id].others = agent.others

    def open(self) -> None:
        """Everybody comes to work, or will by his shift."""
        board = self._board
        by_shift = {name for shift in self._scenario.shifts for name in shift.agents}
        for agent in self.phones:
            board.out.append(DeviceChanged(AgentId(agent), reachable=True))
            if agent not in by_shift:
                board.out.append(_chosen(agent, ChosenStatus.AVAILABLE))
        for shift in self._scenario.shifts:
            for agent in shift.agents:
                board.later(shift.starts, _chosen(agent, ChosenStatus.AVAILABLE))
                if shift.ends is not None:
                    board.later(shift.ends, _chosen(agent, ChosenStatus.SIGNED_OUT))

    def ring_agent(self, command: RingAgent) -> None:
        board = self._board
        phone = self.phones.get(command.agent)
        if command.leg in board.legs:
            return
        if command.leg in board.truth.agent_rings:
            board.wrong(f"the leg of an agent is used again: {command.leg}")
        if phone is None:
            board.refuse(command.leg, EndCause.UNREACHABLE, self._network)
            return
        if any(not (leg.asked_to_end or leg.deaf) for leg in phone.legs):
            board.wrong(f"an agent is given two calls: {phone.legs[-1].id} {command.leg}")
        caller = board.legs.get(command.caller) if command.caller else None
        leg = Leg(
            command.leg,
            Side.AGENT,
            board.now,
            phone.agent,
            caller.attempt if caller else None,
            ring_ms=command.ring_ms,
            device=command.device,
        )
        mute = phone.mute and command.device is None
        if board.truth.keep:
            board.truth.agent_rings[leg.id] = leg
        if not phone.rings(command.device) and not mute:
            leg.gone_at = board.now
            board.refuse(leg.id, EndCause.UNREACHABLE, self._network)
        elif any(not leg.deaf for leg in phone.legs) or phone.busy_until > board.now:
            leg.gone_at = board.now
            board.refuse(leg.id, EndCause.BUSY, self._network)
        else:
            board.make(leg)
            phone.legs.append(leg)
            rings = phone.rings(command.device)
            if rings and command.auto and not phone.is_mobile(command.device):
                board.after(self._network, self._reacts, leg, phone, Reaction.ANSWERS)
            elif rings:
                board.after(self._network, self._rings, leg, phone)
            board.after(self._network + leg.ring_ms, self._rang_out, leg)

    def hears(self, command: PlayPrompt) -> None:
        """A prompt plays on this leg; asked to press 1, a person does."""
        leg = self._board.play_prompt(command)
        if leg is None or leg.side is not Side.AGENT or not leg.presses:
            return
        if command.prompt.kind is PromptKind.PRESS_ONE:
            worker = self.phones[leg.who].worker
            self._board.after(worker.presses_after(leg.id), self._presses, leg)

    def gone(self, agent: str, *, mute: bool, told: bool, device: DeviceKind | None = None) -> None:
        """The telephone loses the network, with all that is on it."""
        phone = self.phones[agent]
        if device is None:
            phone.reachable, phone.mute = False, mute
        else:
            phone.gone.add(device)
        for leg in [leg for leg in phone.legs if leg.device is device]:
            self._board.end(leg, self._how_it_died(leg))
        if told:
            self._board.out.append(DeviceChanged(AgentId(agent), reachable=False, device=device))

    def reload(self, agent: str) -> bool:
        """The page of a softphone in mid-talk is loaded anew. False when he is in no talk."""
        phone = self.phones[agent]
        legs = [
            leg
            for leg in phone.legs
            if leg.bridged is not None and not leg.deaf and not phone.is_mobile(leg.device)
        ]
        if not legs or not phone.rings(legs[0].device):
            return False
        for leg in legs:
            leg.deaf = True
            self._board.after(SILENCE_MS, self._is_found_dead, leg)
        return True

    def _is_found_dead(self, leg: Leg) -> None:
        if leg.live:
            self._board.end(leg, self._how_it_died(leg))

    def _how_it_died(self, leg: Leg) -> EndCause:
        """In a talk the switch misses the sound; else it has only lost the telephone."""
        if leg.bridged is None:
            return EndCause.LOST
        if leg.bridged.attempt is not None:
            leg.bridged.attempt.silenced = True
        return EndCause.WENT_SILENT

    def back(self, agent: str, device: DeviceKind | None = None) -> None:
        phone = self.phones[agent]
        if device is None:
            phone.reachable = True
        else:
            phone.gone.discard(device)
        self._board.out.append(DeviceChanged(AgentId(agent), reachable=True, device=device))

    def take_from_fallback(self, talk_ms: Duration) -> str | None:
        """Who of them answers the fallback queue now."""
        now = self._board.now
        for phone in self.phones.values():
            if phone.free(now) and phone.worker.back_at(now - self._board.start_at) <= now:
                phone.busy_until = now + talk_ms
                return phone.agent
        return None

    def _rings(self, leg: Leg, phone: Phone) -> None:
        if not leg.live:
            return
        board = self._board
        leg.rang_at = board.now
        board.out.append(LegRinging(leg.id))
        key = str(leg.id)
        if leg.attempt is not None:
            count = leg.attempt.rung.get(phone.agent, 0)
            leg.attempt.rung[phone.agent] = count + 1
            key = f"{leg.attempt.arrival.key}/{count}"
        since = board.now - board.start_at
        at_ms, reaction = phone.worker.reacts(since, key)
        delay = max(1, at_ms - since)
        if delay >= leg.ring_ms:
            return
        if self.same_ms and leg.attempt is not None:
            delay = self._coincide(leg, delay, key)
        board.after(delay, self._reacts, leg, phone, reaction)

    def _coincide(self, leg: Leg, delay: Duration, key: str) -> Duration:
        """Let the caller leave, or another answer, within the few ms of this answer."""
        whether, which, shift = self._draws.some("same-ms", f"{leg.who}:{key}", 3)
        if whether >= self.same_ms or leg.attempt is None:
            return delay
        board = self._board
        near = max(1, delay + int(shift * (2 * FEW_MS + 1)) - FEW_MS)
        caller = board.legs.get(leg.attempt.leg)
        if which < 1 / 2 and caller is not None:
            board.after(near, self._caller_gives_up, caller)
            return delay
        # A common grid: whoever else draws the same makes it two answers at once.
        return delay + -(board.now + delay) % 2_000

    def _caller_gives_up(self, caller: Leg) -> None:
        if caller.bridged is None and not caller.in_fallback:
            cause = EndCause.CANCELLED if caller.up_at is None else EndCause.NORMAL
            self._board.end(caller, cause)

    def _reacts(self, leg: Leg, phone: Phone, reaction: Reaction) -> None:
        if not leg.live or leg.up_at is not None:
            return
        board = self._board
        if reaction is Reaction.REFUSES:
            board.end(leg, EndCause.REFUSED)
            return
        leg.up_at = board.now
        leg.presses = phone.is_mobile(leg.device) and reaction is Reaction.ANSWERS
        board.out.append(LegAnswered(leg.id))
        person = reaction is not Reaction.VOICEMAIL
        board.after(board.hangs_on(leg, IDLE_MS) if person else VOICEMAIL_MS, self._tires, leg)

    def _presses(self, leg: Leg) -> None:
        if leg.live:
            self._board.out.append(DigitPressed(leg.id, "1"))

    def _rang_out(self, leg: Leg) -> None:
        if leg.live and leg.up_at is None:
            rang = leg.rang_at is not None
            self._board.end(leg, EndCause.NO_ANSWER if rang else EndCause.UNREACHABLE)

    def _tires(self, leg: Leg) -> None:
        if leg.live and leg.bridged is None:
            self._board.end(leg, EndCause.NORMAL)

    def _gone(self, leg: Leg, other: Leg | None) -> None:
        board = self._board
        phone = self.phones[leg.who]
        phone.legs.remove(leg)
        now = board.now - board.start_at
        if other is not None:
            phone.worker.seen(now)
            wrap_up_ms = phone.worker.wrap_up(leg.id)
            if wrap_up_ms is not None:
                board.after(wrap_up_ms, self._is_ready, phone)
        if leg.up_at is not None:
            phone.missed = 0
        elif leg.rang_at is not None and board.now - leg.rang_at >= MISSED_MS:
            phone.missed += 1
            if self._misses_pause:
                back_ms = phone.worker.back_at(now) - now
                board.after(back_ms + COMES_BACK_MS, self._comes_back, phone, board.now)

    def _is_ready(self, phone: Phone) -> None:
        if not phone.legs:
            self._board.out.append(_chosen(phone.agent, ChosenStatus.AVAILABLE))

    def _comes_back(self, phone: Phone, _: Instant) -> None:
        """One who may have been paused for the calls he missed says that he is here."""
        if phone.missed and not phone.legs:
            phone.missed = 0
            self._board.out.append(_chosen(phone.agent, ChosenStatus.AVAILABLE))


def _chosen(agent: str, status: ChosenStatus) -> AgentStatusSet:
    return AgentStatusSet(AgentId(agent), status, by=agent)
