"""The plan: one immutable, valid configuration of a tenant. Everything the core may know.

Values only. The plan file's format, its defaults and its errors with file and line belong to
`store.plan_file`; here a plan that contradicts itself cannot be built at all (`PlanError`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from perezvon.core.ids import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    AgentId,
    Duration,
    GroupId,
    HoursId,
    PlanVersion,
    ProjectId,
    QueueId,
    RuleId,
    ShiftId,
    TenantId,
    TrunkId,
)

RING_AT_ONCE_MAX = 50
"""Telephones that may ring for one caller."""


class PlanError(ValueError):
    """The plan contradicts itself. `where` is a path such as `queues.sales.steps[0].k`."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what


class DeviceKind(StrEnum):
    SIP = "sip"
    WEBRTC = "webrtc"
    MOBILE = "mobile"
    """Reached through a trunk; wins an offer only after pressing 1."""


class Ranking(StrEnum):
    LONGEST_IDLE = "longest_idle"
    FEWEST_CALLS = "fewest_calls"
    ROUND_ROBIN = "round_robin"
    BY_LEVEL = "by_level"
    RANDOM = "random"
    ALL = "all"
    """Every eligible agent at once; `k` is not looked at."""
    BY_PRESENCE = "by_presence"
    """Highest estimated probability of sitting at the telephone first."""
    LEAST_RECENT = "least_recent"
    """Longest since the last answered call; a miss does not reset it. For comparison only."""


class StepMode(StrEnum):
    REPLACE = "replace"
    """The first K stop ringing when the step ends."""
    ADD = "add"
    """They ring on while others are added."""


class CallbackOrder(StrEnum):
    AGENT_FIRST = "agent_first"
    CLIENT_FIRST = "client_first"


@dataclass(frozen=True, slots=True)
class Agent:
    id: AgentId
    name: str
    device: DeviceKind = DeviceKind.SIP
    number: str = ""
    """E.164 of a mobile; for the others empty (the endpoint has the agent's id as its name)."""
    trunk: TrunkId | None = None
    """Through which a mobile is rung."""
    secret: str = ""
    """Name of the secret of his telephone, resolved at provisioning; never the secret itself."""
    skills: tuple[str, ...] = ()
    others: tuple[DeviceKind, ...] = ()
    """Devices that he may choose instead of his own."""

    @property
    def devices(self) -> tuple[DeviceKind, ...]:
        return (self.device, *self.others)


@dataclass(frozen=True, slots=True)
class Member:
    agent: AgentId
    level: int = 1


@dataclass(frozen=True, slots=True)
class Group:
    id: GroupId
    name: str
    members: tuple[Member, ...]
    leader: AgentId | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Ring `k` of these people for `ring_ms`, then go on."""

    groups: tuple[GroupId, ...] = ()
    agents: tuple[AgentId, ...] = ()
    skills: tuple[str, ...] = ()
    """An agent must have all of them."""
    k: int = 3
    ring_ms: Duration = 10 * SECOND
    mode: StepMode = StepMode.REPLACE
    ranking: Ranking = Ranking.LONGEST_IDLE
    skip_when_nobody: bool = False
    """Go on at once when nobody of the step is free (a personal manager who is on a call)."""


@dataclass(frozen=True, slots=True)
class Queue:
    id: QueueId
    name: str
    steps: tuple[Step, ...]
    rounds_max: int | None = None
    """How often the steps are gone through; None: until the longest wait."""
    gap_ms: Duration = 0
    """Silence of the telephones between two steps."""
    wait_ms_max: Duration | None = 10 * MINUTE
    length_max: int = 500
    """Waiting callers; one more is promised a call-back at once."""
    hours: HoursId | None = None
    """None: always open."""
    tier: int = 0
    """Lower is served first, whatever the wait."""
    answer_first: bool = True
    """Pick up at once, so that greeting and music can be heard; else the caller hears ringing."""
    greeting: str | None = None
    music: str = "default"
    closed_prompt: str | None = None
    promise_prompt: str | None = None
    wrap_up_ms: Duration = 10 * SECOND
    pause_after_misses: int | None = 2
    project: ProjectId | None = None


@dataclass(frozen=True, slots=True)
class Did:
    number: str
    """As the trunk delivers it: digits, maybe with a leading plus."""
    queue: QueueId
    trunk: TrunkId | None = None
    project: ProjectId | None = None


@dataclass(frozen=True, slots=True)
class Trunk:
    id: TrunkId
    host: str
    port: int = 5060
    username: str = ""
    secret: str = ""
    """Name of the secret, resolved at provisioning."""
    register: bool = False
    """We register with the carrier; else we know each other by address."""
    match: tuple[str, ...] = ()
    """Addresses from which its calls come; empty: the host."""
    number_format: str = "e164"
    """How numbers are dialled: `e164` (+7…), `digits` (7…), `national` (8…)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Open from one minute of the day to another; 24:00 is 1440."""

    from_minute: int
    to_minute: int


@dataclass(frozen=True, slots=True)
class Hours:
    id: HoursId
    week: tuple[tuple[Interval, ...], ...]
    """Monday first, seven days."""
    holidays: bool = True
    """Closed on the plan's holidays."""


@dataclass(frozen=True, slots=True)
class Holiday:
    """A date that is not as its weekday says: closed, or open at other hours."""

    date: str
    """ISO, in the tenant's zone."""
    open: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class Ladder:
    """When to try, counted from the miss in open time."""

    offsets_ms: tuple[Duration, ...] = (
        0,
        5 * MINUTE,
        10 * MINUTE,
        15 * MINUTE,
        1 * HOUR,
        3 * HOUR,
        6 * HOUR,
    )

    def __post_init__(self) -> None:
        if not self.offsets_ms:
            raise PlanError("ladder", "needs one offset at least")
        if list(self.offsets_ms) != sorted(set(self.offsets_ms)) or self.offsets_ms[0] < 0:
            raise PlanError("ladder", "offsets must increase and not be negative")


@dataclass(frozen=True, slots=True)
class CallbackRule:
    """How the missed calls that it matches are called back. The first match wins."""

    id: RuleId
    queues: tuple[QueueId, ...] = ()
    """Empty: all."""
    number_classes: tuple[str, ...] = ()
    """Values of `NumberClass`; empty: all that have a number."""
    wait_ms_min: Duration = 0
    hours_missed: HoursId | None = None
    """Matches only calls missed in these hours."""
    waive: bool = False
    """These are not called back: the attempt is waived by this rule, and shown."""
    ladder: Ladder = field(default_factory=Ladder)
    order: CallbackOrder = CallbackOrder.AGENT_FIRST
    hours: HoursId | None = None
    """When we may ring; None: the queue's hours."""
    attempts_max: int = 10
    give_up_after_ms: Duration | None = None
    """Waived by this rule when so old; None: open until a person waives it."""
    gap_ms_min: Duration = 3 * MINUTE
    """Between two attempts."""
    ring_agent_ms: Duration = 15 * SECOND
    ring_client_ms: Duration = 25 * SECOND
    reserve: int = 0
    """Free agents kept for live callers when an attempt starts."""
    join_line_after_ms: Duration = 30 * MINUTE
    """From this age on it stands in one line with live callers, by its own arrival."""
    assignee: AgentId | None = None
    """Who owns the debt; None: the leader of the queue's first group, else its first member."""
    group: GroupId | None = None
    """Who calls back; None: the queue's people."""
    deadline_ms: Duration = DAY
    """Of open time; then the debt is overdue and goes to the leader."""
    briefing: bool = True
    """The agent first hears whom he calls back."""


@dataclass(frozen=True, slots=True)
class Project:
    id: ProjectId
    name: str
    results: tuple[str, ...] = ()
    script: str = ""
    crm: str = ""
    opening: str = ""
    """What an agent says first when he calls back; `{agent}` and `{company}` are put in."""
    viewers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    id: ShiftId
    name: str
    days: tuple[int, ...]
    """Monday is 0."""
    interval: Interval
    members: tuple[AgentId, ...] = ()


@dataclass(frozen=True, slots=True)
class Thresholds:
    short_ms: Duration = 5 * SECOND
    """Attempts that end sooner are waived as `short`."""
    unreachable_ms: Duration = 2 * SECOND
    """A telephone that gives no sign for so long is not there (tau)."""
    missed_share_percent: int = 80
    """An offer is missed only when the telephone truly rang for this share of its time."""
    dropped_at_answer_ms: Duration = 2 * SECOND
    press_one_ms: Duration = 8 * SECOND
    talk_ms_max: Duration = 4 * HOUR
    prompt_ms_max: Duration = 60 * SECOND
    """A prompt whose end we never hear is over then."""
    trunk_retry_ms: Duration = 30 * SECOND
    """After a trunk failed, nothing is dialled through it for so long."""


@dataclass(frozen=True, slots=True)
class Dialling:
    """Which numbers agents may dial by hand, and hand clients over to."""

    countries: tuple[str, ...] = ()
    """ISO 3166; empty: the plan's own. Numbers of premium rate are in none."""
    prefixes: tuple[str, ...] = ()
    """Permitted besides, whatever they are: beginnings of E.164 numbers, such as `+7800`."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What the figures of the live board should be; nothing is decided by them."""

    waiting: int = 5
    """Callers who wait, at most."""
    wait_ms: Duration = 20 * SECOND
    """An answer within so long counts for the service level."""
    longest_wait_ms: Duration = MINUTE
    service_level_percent: int = 80
    missed_percent: int = 5
    """Of today's calls, at most."""
    available: int = 1
    """Agents who are free, at least."""
    debts: int = 10
    """Open ones, at most."""
    debt_age_ms: Duration = 20 * MINUTE


@dataclass(frozen=True, slots=True)
class Plan:
    version: PlanVersion
    """Digest of the content, see `store.plans`."""
    tenant: TenantId
    zone: str
    """IANA name; hours, holidays and days are in it."""
    queues: tuple[Queue, ...]
    agents: tuple[Agent, ...]
    groups: tuple[Group, ...]
    dids: tuple[Did, ...] = ()
    trunks: tuple[Trunk, ...] = ()
    hours: tuple[Hours, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    callback_rules: tuple[CallbackRule, ...] = (CallbackRule(RuleId("default")),)
    projects: tuple[Project, ...] = ()
    shifts: tuple[Shift, ...] = ()
    thresholds: Thresholds = field(default_factory=Thresholds)
    dialling: Dialling = field(default_factory=Dialling)
    targets: Targets = field(default_factory=Targets)
    default_queue: QueueId | None = None
    """For a number that the plan does not know; None: the first queue."""
    country: str = "RU"
    """Region for reading national numbers, ISO 3166."""
    language: str = "ru"
    """Of prompts: `ru` or `en`."""

    def __post_init__(self) -> None:
        check(self)


def check(plan: Plan) -> None:
    """Raise `PlanError` at the first contradiction: an id twice, a name of nothing, a bad value."""
    if not plan.queues:
        raise PlanError("queues", "a plan needs one queue at least")
    agents = _unique("agents", [agent.id for agent in plan.agents])
    groups = _unique("groups", [group.id for group in plan.groups])
    queues = _unique("queues", [queue.id for queue in plan.queues])
    trunks = _unique("trunks", [trunk.id for trunk in plan.trunks])
    hours = _unique("hours", [hours.id for hours in plan.hours])
    projects = _unique("projects", [project.id for project in plan.projects])
    _unique("numbers", [did.number for did in plan.dids])
    _unique("callback", [rule.id for rule in plan.callback_rules])
    for agent in plan.agents:
        where = f"agents.{agent.id}"
        _known(f"{where}.trunk", agent.trunk, trunks)
        _unique(f"{where}.devices", agent.devices)
        if DeviceKind.MOBILE in agent.devices and not (agent.number and agent.trunk):
            raise PlanError(where, "a mobile needs a number and a trunk")
    for group in plan.groups:
        where = f"groups.{group.id}"
        _unique(f"{where}.members", [member.agent for member in group.members])
        for member in group.members:
            _known(f"{where}.members", member.agent, agents)
        _known(f"{where}.leader", group.leader, agents)
    for queue in plan.queues:
        _check_queue(queue, agents=agents, groups=groups, hours=hours, projects=projects)
    for did in plan.dids:
        where = f"numbers.{did.number}"
        _known(f"{where}.queue", did.queue, queues)
        _known(f"{where}.trunk", did.trunk, trunks)
        _known(f"{where}.project", did.project, projects)
    for office in plan.hours:
        _check_hours(office)
    for rule in plan.callback_rules:
        where = f"callback.{rule.id}"
        for queue_id in rule.queues:
            _known(f"{where}.queues", queue_id, queues)
        _known(f"{where}.hours", rule.hours, hours)
        _known(f"{where}.hours_missed", rule.hours_missed, hours)
        _known(f"{where}.assignee", rule.assignee, agents)
        _known(f"{where}.group", rule.group, groups)
        _at_least(f"{where}.attempts_max", rule.attempts_max, 1)
        _at_least(f"{where}.reserve", rule.reserve, 0)
    for shift in plan.shifts:
        for agent_id in shift.members:
            _known(f"shifts.{shift.id}.members", agent_id, agents)
    _known("default_queue", plan.default_queue, queues)


def _check_queue(
    queue: Queue, *, agents: set[str], groups: set[str], hours: set[str], projects: set[str]
) -> None:
    where = f"queues.{queue.id}"
    if not queue.steps:
        raise PlanError(f"{where}.steps", "a queue needs one step at least")
    _known(f"{where}.hours", queue.hours, hours)
    _known(f"{where}.project", queue.project, projects)
    _at_least(f"{where}.length_max", queue.length_max, 1)
    if queue.wait_ms_max is None and queue.rounds_max is None:
        raise PlanError(where, "either wait_max or rounds must end the wait")
    for number, step in enumerate(queue.steps):
        place = f"{where}.steps[{number}]"
        if not step.groups and not step.agents:
            raise PlanError(place, "names no group and no agent")
        if not 1 <= step.k <= RING_AT_ONCE_MAX:
            raise PlanError(f"{place}.k", f"must be from 1 to {RING_AT_ONCE_MAX}")
        _at_least(f"{place}.ring", step.ring_ms, SECOND)
        for group in step.groups:
            _known(f"{place}.groups", group, groups)
        for agent in step.agents:
            _known(f"{place}.agents", agent, agents)


def _check_hours(hours: Hours) -> None:
    where = f"hours.{hours.id}"
    if len(hours.week) != 7:  # noqa: PLR2004 - days of a week
        raise PlanError(where, "needs seven days")
    if not any(hours.week):
        raise PlanError(where, "is never open")
    for day in hours.week:
        end = 0
        for interval in day:
            if not end <= interval.from_minute < interval.to_minute <= DAY // MINUTE:
                raise PlanError(where, "intervals of a day must follow one another")
            end = interval.to_minute


def _unique(where: str, names: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise PlanError(where, f"{name!r} is there twice")
        seen.add(name)
    return seen


def _known(where: str, name: str | None, known: set[str]) -> None:
    if name is not None and name not in known:
        raise PlanError(where, f"{name!r} is not in the plan")


def _at_least(where: str, value: int, least: int) -> None:
    if value < least:
        raise PlanError(where, f"must be {least} at least")
