"""The engine's state: all that a snapshot holds, beside the timers."""

from dataclasses import dataclass, field

from perezvon.core.agent import AgentState
from perezvon.core.call import Call
from perezvon.core.debt import Debt
from perezvon.core.ids import (
    AgentId,
    CallId,
    DebtId,
    Instant,
    LegId,
    PersonId,
    QueueId,
    TrunkId,
)
from perezvon.core.ledger import Ledger
from perezvon.core.plan import Queue
from perezvon.core.queue import PoolKey
from perezvon.core.reconciliation import Reconciliation
from perezvon.core.supervision import Supervision
from perezvon.core.trunk import TrunkState


@dataclass(slots=True)
class State:
    """All that a snapshot holds, beside the timers."""

    era: str
    now: Instant = 0
    calls: dict[CallId, Call] = field(default_factory=dict)
    agents: dict[AgentId, AgentState] = field(default_factory=dict)
    debts: dict[DebtId, Debt] = field(default_factory=dict)
    debt_of: dict[PersonId, DebtId] = field(default_factory=dict)
    live_count: dict[PersonId, int] = field(default_factory=dict)
    """Inbound calls of a person that are going on: while there is one, he is not called."""
    legs: dict[LegId, CallId] = field(default_factory=dict)
    ending: dict[LegId, bool] = field(default_factory=dict)
    """Legs that we let go and whose end is not reported yet; whether it is an agent's."""
    ended_legs: dict[LegId, bool] = field(default_factory=dict)
    """Inbound attempts that have ended; whether the second witness has named them."""
    ledger: Ledger = field(default_factory=Ledger)
    policies: dict[str, Queue] = field(default_factory=dict)
    """Settings of queues by plan version: a call keeps those under which it arrived."""
    waiting_count: dict[QueueId, int] = field(default_factory=dict)
    last_rung: dict[PoolKey, AgentId] = field(default_factory=dict)
    trunk_held_until: dict[TrunkId, Instant] = field(default_factory=dict)
    trunks: dict[TrunkId, TrunkState] = field(default_factory=dict)
    """Those that failed or carried somebody."""
    client_first: dict[CallId, PoolKey] = field(default_factory=dict)
    """Attempts whose client rings before an agent is sought, each wants one of the pool."""
    called_back: dict[PersonId, int] = field(default_factory=dict)
    """Call-backs of a person that go on, also after their debt was settled."""
    placed: dict[PersonId, CallId] = field(default_factory=dict)
    """Whom agents have dialled by hand, of those who were not owed."""
    call_count: int = 0
    debt_count: int = 0
    switch_started_at: Instant | None = None
    """As the switch said when it was last audited; None: it has never said."""
    recovered: dict[CallId, Debt] = field(default_factory=dict)
    """Debts settled by a call-back whose talk goes on: a failure of the switch reopens them."""
    supervisions: dict[AgentId, Supervision] = field(default_factory=dict)
    """By supervisor."""
    reconciliation: Reconciliation = field(default_factory=Reconciliation)
