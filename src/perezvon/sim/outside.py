"""Callers and clients in the simulated world, the carrier, and the switch's own fallback queue."""

from collections.abc import Callable

from perezvon.core.commands import AnswerCall, DialClient, StartMusic
from perezvon.core.events import (
    ArrivalWitnessed,
    CallArrived,
    Caller,
    CallFellBack,
    EndCause,
    LegAnswered,
    LegRinging,
    NumberClass,
)
from perezvon.core.ids import AgentId, Duration, Instant, LegId, PersonId, TrunkId
from perezvon.core.plan import Plan
from perezvon.sim.draws import Draws
from perezvon.sim.legs import Attempt, Client, Leg, Side
from perezvon.sim.office import Office
from perezvon.sim.people import Arrival, Callers
from perezvon.sim.switchboard import Switchboard

DEAD_MAN_MS: Duration = 12_000
"""A caller whom no engine looks after leaves for the fallback queue."""
STALE_MS: Duration = 5_000
"""New callers go to the fallback at once when the engine has been away for so long."""
CARRIER_MS: Duration = 900
"""From dialling to the first ring at a client's."""
DIALLED_WAITS_MS: Duration = 20_000
"""A client who answered our call and hears nobody."""
FALLBACK_MS = (3_000, 20_000)
"""How soon the fallback queue finds somebody."""
FALLBACK_TALK_MS: Duration = 60_000
HOLD_PATIENCE_MS = (4_000, 90_000)
"""How long a client who has talked listens to music."""
CONSULT_MS: Duration = 8_000
"""Two agents about a client who is on hold."""
OUTSIDE_TALK_MS: Duration = 45_000
"""A client with somebody outside to whom he was transferred."""
WITNESS_MS: Duration = 1_500
"""From an attempt's end to the row of the second witness."""


class Outside:
    def __init__(self, board: Switchboard, office: Office, callers: Callers, draws: Draws) -> None:
        self.arrivals_count = 0
        self.witness = True
        """Whether the second witness is heard; long runs without faults can do without."""
        self.trunks_down: set[TrunkId] = set()
        self.away_since: Instant | None = None
        self._away_count = 0
        self._board = board
        self._office = office
        self._callers = callers
        self._draws = draws
        self.person_of: Callable[[str], PersonId] | None = None
        """Names a client by his number where a directory knows them; else by his key."""
        self._key_of: dict[PersonId, str] = {}
        self._trunk_of: dict[str, TrunkId | None] = {}
        self._clients: dict[str, Client] = board.truth.clients
        board.on_gone[Side.CALLER] = self._caller_gone
        board.on_gone[Side.CLIENT] = self._client_gone
        board.on_talk = self._talk

    def learn_plan(self, plan: Plan) -> None:
        self._trunk_of = {did.number: did.trunk for did in plan.dids}

    # -- callers

    def arrives(self, arrival: Arrival) -> LegId | None:
        """Somebody calls now; None when he cannot (his line is busy, trunk or switch is down)."""
        board = self._board
        trunk = self._trunk_of.get(arrival.did)
        client = self._client(arrival.client)
        if trunk in self.trunks_down or client.busy or board.dead:
            return None
        leg_id = LegId("in-" + arrival.key.replace("+", "r"))
        arrived = CallArrived(leg_id, arrival.did, self._caller(arrival), trunk)
        attempt = Attempt(leg_id, arrival, board.now, arrived)
        leg = Leg(leg_id, Side.CALLER, board.now, arrival.client, attempt)
        board.make(leg)
        if board.truth.keep:
            board.truth.attempts[leg_id] = attempt
        client.inbound = leg
        client.called += 1
        self.arrivals_count += 1
        board.after(arrival.patience_ms, self._loses_patience, leg)
        if self.away_since is not None and board.now - self.away_since >= STALE_MS:
            self._falls_back(leg)
            return leg_id
        if self.away_since is not None:
            board.after(DEAD_MAN_MS, self._dead_man, leg, self._away_count)
        board.out.append(arrived)
        return leg_id

    def answer_call(self, command: AnswerCall) -> None:
        leg = self._board.legs.get(command.leg)
        if leg is not None and leg.up_at is None and not leg.in_fallback:
            leg.up_at = self._board.now

    def put_on_hold(self, command: StartMusic) -> None:
        """Whoever talked hears music now, and has patience for so long."""
        leg = self._board.legs.get(command.leg)
        talked = leg is not None and leg.bridged is not None
        self._board.start_music(command)
        if leg is not None and talked and not leg.in_fallback:
            low, high = HOLD_PATIENCE_MS
            draw = self._draws.one("hold", f"{leg.id}/{self._board.now}")
            self._board.after(low + int((high - low) * draw), self._loses_patience, leg)

    def hangs_up(self, leg_id: LegId) -> None:
        """The party at this leg puts the receiver down."""
        leg = self._board.legs.get(leg_id)
        if leg is not None:
            self._board.end(leg, _own_end(leg))

    # -- clients whom we dial

    def dial_client(self, command: DialClient) -> None:
        board = self._board
        if command.leg in board.legs:
            return
        client = self._client(self._key_of.get(command.person) or command.person.removeprefix("p-"))
        if command.trunk in self.trunks_down:
            board.refuse(command.leg, EndCause.TRUNK_FAILED, CARRIER_MS // 4)
            return
        self._note_wrong_dial(command, client)
        client.attempts += 1
        answer = self._callers.answer(client.key, client.attempts)
        cause = (
            EndCause.TRUNK_FAILED
            if answer.trunk_fails
            else EndCause.BAD_NUMBER
            if answer.bad_number
            else EndCause.BUSY
            if answer.busy or client.busy or client.ringing
            else None
        )
        if cause is not None:
            client.attempts -= answer.trunk_fails
            board.refuse(command.leg, cause, CARRIER_MS)
            return
        leg = Leg(
            command.leg,
            Side.CLIENT,
            board.now,
            client.key,
            ring_ms=command.ring_ms,
            answer=answer,
        )
        board.make(leg)
        client.ringing.append(leg)
        board.after(CARRIER_MS, self._rings, leg)

    def _note_wrong_dial(self, command: DialClient, client: Client) -> None:
        board = self._board
        rings = board.truth.client_rings
        rings[command.leg] = rings.get(command.leg, 0) + 1
        if rings[command.leg] > 1:
            board.wrong(f"a client is rung twice in one attempt: {command.leg}")
        if any(not leg.asked_to_end for leg in client.ringing):
            board.wrong(f"two call-backs to one person at once: {command.leg}")
        caller = client.inbound
        if (
            caller is not None
            and caller.attempt is not None
            and not caller.attempt.disturbed
            and not caller.attempt.arrival.withheld
            and not caller.in_fallback
            and caller.made_at < board.now
        ):
            board.wrong(f"a client on our line is called: {command.leg} {caller.id}")

    def _rings(self, leg: Leg) -> None:
        if not leg.live or leg.answer is None:
            return
        leg.rang_at = self._board.now
        self._board.out.append(LegRinging(leg.id))
        after_ms = leg.answer.after_ms
        if after_ms is not None and after_ms < leg.ring_ms:
            self._board.after(after_ms, self._answers, leg)
        self._board.after(leg.ring_ms, self._rang_out, leg)

    def _answers(self, leg: Leg) -> None:
        if not leg.live:
            return
        if self._clients[leg.who].inbound is not None:
            # He is calling us himself meanwhile, and cannot take a second call.
            self._board.end(leg, EndCause.BUSY)
            return
        leg.up_at = self._board.now
        self._board.out.append(LegAnswered(leg.id))
        self._board.after(DIALLED_WAITS_MS, self._loses_patience, leg)

    def _rang_out(self, leg: Leg) -> None:
        if leg.live and leg.up_at is None:
            self._board.end(leg, EndCause.NO_ANSWER)

    # -- talks

    def _talk(self, client: Leg, agent: Leg) -> None:
        """Also of two agents, when one asks the other; and of two outside, after a transfer."""
        board = self._board
        if Side.AGENT not in (client.side, agent.side):
            board.after(OUTSIDE_TALK_MS, self._talk_ends, client, agent, client, board.now)
            return
        worker = self._office.phones[agent.who].worker
        if client.side is Side.AGENT:
            board.after(CONSULT_MS, self._consult_ends, client, agent, board.now)
            return
        attempt = client.attempt if client.side is Side.CALLER else None
        if attempt is not None:
            # Whom he was rung for may be another: from now on his troubles are this one's.
            agent.attempt = attempt
            attempt.talks.append((agent.who, board.now))
            arrival = attempt.arrival
            talk_ms = arrival.talk_ms if arrival.talk_ms is not None else worker.talk(arrival.talk)
            key = arrival.key
        else:
            talk_ms = worker.talk(client.answer.talk if client.answer else 0.5)
            key = str(client.id)
        self._client(client.who).talked = True
        ender = agent if worker.hangs_up_himself(key) else client
        board.after(talk_ms, self._talk_ends, client, agent, ender, board.now)

    def _consult_ends(self, asked: Leg, agent: Leg, began_at: Instant) -> None:
        """Enough is said: the one who asked hangs up, and so hands the client over."""
        self._talk_ends(asked, agent, agent, began_at)

    def _talk_ends(self, client: Leg, agent: Leg, ender: Leg, began_at: Instant) -> None:
        if client.bridged is agent and client.bridged_at == began_at:
            self._board.end(ender, EndCause.NORMAL)

    def _loses_patience(self, leg: Leg) -> None:
        if leg.live and leg.bridged is None and not _served_in_fallback(leg):
            self._board.end(leg, _own_end(leg))

    def _caller_gone(self, leg: Leg, _: Leg | None) -> None:
        board = self._board
        attempt = leg.attempt
        assert attempt is not None
        attempt.ended_at = board.now
        client = self._clients[leg.who]
        client.inbound = None
        if not board.dead and (self.witness or leg.in_fallback):
            board.later(WITNESS_MS, row_of(attempt, board.now))
        if not attempt.served or attempt.cut_at is not None:
            again = self._callers.redial(attempt.arrival, board.now - board.start_at)
            if again is not None:
                delay = again.at_ms + board.start_at - board.now
                board.after(delay, self._calls_again, again, client, client.talked)

    def _calls_again(self, arrival: Arrival, client: Client, had_talked: bool) -> None:  # noqa: FBT001 - a heap entry has no keywords
        # Who was reached meanwhile has no reason to call again.
        if client.talked == had_talked:
            self.arrives(arrival)

    def _client_gone(self, leg: Leg, _: Leg | None) -> None:
        self._clients[leg.who].ringing.remove(leg)

    # -- the switch dies

    def switch_dies(self) -> list[Attempt]:
        """Everybody on the line is cut off. Gives the attempts whose ends nobody writes down."""
        board = self._board
        begun: list[Attempt] = []
        for leg in board.legs.values():
            if leg.attempt is None or leg.side is not Side.CALLER:
                continue
            begun.append(leg.attempt)
            unserved = leg.bridged is not None or not leg.attempt.served
            if unserved and not leg.asked_to_end:
                leg.attempt.cut_at = board.now
            else:
                leg.attempt.disturbed = True
        board.lose_all()
        return begun

    # -- the engine is away: the switch's own queue

    def engine_away(self) -> None:
        """From now on nobody refreshes the dead-man."""
        self.away_since = self._board.now
        self._away_count += 1
        for leg in self._board.legs.values():
            if leg.side is Side.CALLER and leg.bridged is None:
                self._board.after(DEAD_MAN_MS, self._dead_man, leg, self._away_count)

    def engine_back(self) -> None:
        self.away_since = None
        self._away_count += 1

    def _dead_man(self, leg: Leg, away_count: int) -> None:
        if away_count != self._away_count or leg.bridged is not None:
            return
        if leg.live and not leg.in_fallback:
            self._falls_back(leg)
            self._board.out.append(CallFellBack(leg.id))

    def _falls_back(self, leg: Leg) -> None:
        board = self._board
        leg.in_fallback = True
        assert leg.attempt is not None
        leg.attempt.fell_back_at = board.now
        low, high = FALLBACK_MS
        wait_ms = low + int((high - low) * self._draws.one("fallback", leg.id))
        board.after(wait_ms, self._fallback_offers, leg)

    def _fallback_offers(self, leg: Leg) -> None:
        if not leg.live or leg.attempt is None:
            return
        agent = self._office.take_from_fallback(FALLBACK_TALK_MS)
        if agent is not None:
            leg.attempt.fallback_answered_at = self._board.now
            leg.attempt.fallback_agent = agent
            self._client(leg.who).talked = True
            self._board.after(FALLBACK_TALK_MS, self._board.end, leg, EndCause.NORMAL)

    # -- who is who

    def _client(self, key: str) -> Client:
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = Client(key)
        return client

    def _caller(self, arrival: Arrival) -> Caller:
        if arrival.withheld:
            return Caller(None, NumberClass.WITHHELD)
        mobile = self._callers.is_mobile(arrival.client)
        if self.person_of is None:
            person = PersonId("p-" + arrival.client)
        else:
            person = self.person_of(self._callers.number(arrival.client))
            self._key_of[person] = arrival.client
        return Caller(person, NumberClass.MOBILE if mobile else NumberClass.LANDLINE)


def row_of(attempt: Attempt, ended_at: Instant) -> ArrivalWitnessed:
    """What the second witness tells of an attempt."""
    return ArrivalWitnessed(
        attempt.leg,
        attempt.arrival.did,
        attempt.arrived.caller,
        attempt.arrived_at,
        ended_at,
        attempt.fallback_answered_at,
        AgentId(attempt.fallback_agent) if attempt.fallback_agent else None,
        attempt.fell_back_at is not None,
    )


def _own_end(leg: Leg) -> EndCause:
    return EndCause.CANCELLED if leg.up_at is None else EndCause.NORMAL


def _served_in_fallback(leg: Leg) -> bool:
    return leg.attempt is not None and leg.attempt.fallback_answered_at is not None
