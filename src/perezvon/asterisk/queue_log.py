"""queue_log: what became of callers in the switch's own fallback queue. Parsed once, here."""

from dataclasses import dataclass

from perezvon.core.ids import AgentId, Instant, LegId

FIELDS_MIN = 5


@dataclass(frozen=True, slots=True)
class QueueRow:
    at: Instant
    """To the second."""
    leg: LegId
    queue: str
    agent: AgentId | None
    event: str
    data: tuple[str, ...]


def parse_line(line: str) -> QueueRow | None:
    """None for what is not one whole row."""
    fields = line.split("|")
    if len(fields) < FIELDS_MIN:
        return None
    seconds, leg, queue, agent, event, *data = fields
    if not (seconds.isascii() and seconds.isdecimal() and len(seconds) <= 11):  # noqa: PLR2004 - s
        return None
    if not leg or not event:
        return None
    return QueueRow(
        int(seconds) * 1000, LegId(leg), queue, _agent(agent), event, tuple(data)
    )  # fmt: skip


def is_stay(row: QueueRow, tenant: str) -> bool:
    """A caller came into the fallback queue, or was answered there."""
    return row.event in {"ENTERQUEUE", "CONNECT"} and row.queue == f"fallback-{tenant}"


def is_connect(row: QueueRow, tenant: str) -> bool:
    """An agent answered a caller of the fallback queue."""
    return row.event == "CONNECT" and row.queue == f"fallback-{tenant}"


def _agent(text: str) -> AgentId | None:
    """Members have the agents' ids as names; an interface is there where a name is missing."""
    name = text.removeprefix("PJSIP/").partition("~")[0]
    return AgentId(name) if name and name != "NONE" else None
