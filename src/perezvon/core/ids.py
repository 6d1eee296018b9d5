"""Names of things, and the two units of time.

Distinct types, so that a call cannot be handed over where an agent is meant. The core mints
leg, bridge and playback ids from what they name, so a command can be repeated safely:

- call `{era}c42`, debt `{era}d7`, where `era` is `{tenant}-{letters}`, drawn with the store;
- offer (an agent's leg) of a call `{call}/2`: the second offer;
- call-back: agent's legs `{debt}/{dial}a{k}`, client's leg `{debt}/{dial}c`;
- dialled by hand: the client's leg `{call}/0c`; a number outside that is to take a client over
  `{call}/{k}c`;
- an inbound caller's leg keeps the id that the switch gave it.
"""

from typing import NewType, TypeAlias

Instant: TypeAlias = int
"""Milliseconds since 1970-01-01T00:00Z."""

Duration: TypeAlias = int
"""Milliseconds."""

TenantId = NewType("TenantId", str)
CallId = NewType("CallId", str)
LegId = NewType("LegId", str)
PlaybackId = NewType("PlaybackId", str)
DebtId = NewType("DebtId", str)
PersonId = NewType("PersonId", str)
"""Opaque and stable for one client: a keyed digest of his number, or his contact's id. Numbers
and names live in an erasable table of the store, never in an event, a fact or a snapshot."""
AgentId = NewType("AgentId", str)
GroupId = NewType("GroupId", str)
QueueId = NewType("QueueId", str)
TrunkId = NewType("TrunkId", str)
HoursId = NewType("HoursId", str)
RuleId = NewType("RuleId", str)
ProjectId = NewType("ProjectId", str)
ShiftId = NewType("ShiftId", str)
PlanVersion = NewType("PlanVersion", str)

SECOND: Duration = 1_000
MINUTE: Duration = 60 * SECOND
HOUR: Duration = 60 * MINUTE
DAY: Duration = 24 * HOUR
