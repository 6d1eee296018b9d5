"""The oracle of what agents do with calls: whom they hand over, ask about, and come back to."""

from typing import TYPE_CHECKING

from perezvon.core import facts as f
from perezvon.core import talk_facts as t
from perezvon.core.facts import Fact
from perezvon.core.ids import CallId

if TYPE_CHECKING:
    from tests.dst.auditor import Auditor


LEFT_ALONE = frozenset({t.TransferFailure.CLIENT_LEFT, t.TransferFailure.TIMED_OUT})


class Handing:
    """A part of the auditor: it knows of each transfer how it ended, and that it did once."""

    def __init__(self, auditor: "Auditor") -> None:
        self._all = auditor
        self._open: dict[CallId, t.TransferBegan] = {}
        self._consulting: set[CallId] = set()
        self._lost: set[CallId] = set()
        """Whose agent lost his telephone, and may come back."""
        self._not_taken: list[CallId] = []
        """Of this turn: who left, or was sent away, with nobody on the line."""
        self._attended: set[CallId] = set()
        self._calls: list[CallId] = []
        """In which an agent has let go of his leg, or of another's."""

    def fold(self, fact: Fact) -> None:
        match fact:
            case t.TransferBegan(call=call):
                self._want(call not in self._open, f"two transfers at once: {call}")
                self._open[call] = fact
                if fact.attended:
                    self._attended.add(call)
                self._calls.append(call)
                if call in self._all.calls:
                    self._all.calls[call].handed = True
            case t.ConsultBegan(call=call):
                self._want(call in self._open, f"asks about nobody: {call}")
                self._consulting.add(call)
            case t.TransferTaken(call=call) | t.TransferFailed(call=call):
                self._want(call in self._open, f"a transfer that was not, or ended twice: {fact}")
                alone = isinstance(fact, t.TransferFailed) and fact.reason in LEFT_ALONE
                if alone and call not in self._attended and call in self._all.calls:
                    self._not_taken.append(call)
                self._open.pop(call, None)
                self._attended.discard(call)
                self._consulting.discard(call)
            case t.TalkHandedOver(call=call):
                self._attended.discard(call)
            case t.AgentLost(call=call):
                self._lost.add(call)
            case t.AgentRejoined(call=call):
                self._lost.discard(call)
                self._calls.append(call)
            case f.CallEnded(call=call):
                self._lost.discard(call)
                if call in self._all.calls:
                    self._all.calls[call].waiting = False
            case t.PlacedCallAnswered(call=call) | f.PlacedCallFailed(call=call):
                self._want(call not in self._all.calls, f"placed and came in: {call}")
            case _:
                pass

    def turn_is_over(self) -> None:
        for call in self._not_taken:
            inbound = self._all.calls[call]
            nobody_to_call = inbound.person is None or self._all.waives or inbound.cut
            owed = inbound.ends == ["owed"] or nobody_to_call
            self._want(owed, f"handed over, taken by nobody, and not owed: {call}")
        self._not_taken.clear()

    def queued(self, fact: f.CallQueued) -> None:
        """He may have been handed to another queue; who has rung for him is forgotten."""
        inbound, plan = self._all.calls[fact.call], self._all.plan
        if not inbound.handed:
            return
        if inbound.queue is None or inbound.queue.id == fact.queue:
            # In his own queue he is under the plan of his arrival.
            inbound.tried = {agent.id for agent in plan.agents}
            return
        inbound.queue = next((one for one in plan.queues if one.id == fact.queue), None)
        inbound.refused.clear()
        inbound.tried = {agent.id for agent in plan.agents}

    def consults(self, call: CallId) -> bool:
        return call in self._consulting

    def hears_music(self, call: CallId) -> bool:
        return call in self._open or call in self._lost

    def was_handed(self, call: CallId) -> bool:
        return call in self._calls

    def unfinished(self) -> list[CallId]:
        return sorted(self._open)

    def _want(self, holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
        self._all.want(holds, otherwise)
