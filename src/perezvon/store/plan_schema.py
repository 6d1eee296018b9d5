"""The shape of a plan file: one model for each noun, strict, with the core's own defaults.

Keys are the core's names without the unit (`ring_ms` is `ring: 10s`), so what the core says of
`queues.sales.steps[0].k` is said of the file. Only the shape is checked here; what refers to what
is `plan_file`'s business.
"""

import dataclasses
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from perezvon.core.events import NumberClass
from perezvon.core.ids import DAY, HOUR, MINUTE, SECOND
from perezvon.core.plan import (
    RING_AT_ONCE_MAX,
    Agent,
    CallbackOrder,
    CallbackRule,
    DeviceKind,
    Dialling,
    Did,
    Group,
    Hours,
    Interval,
    Ladder,
    Member,
    Plan,
    Project,
    Queue,
    Ranking,
    Shift,
    Step,
    StepMode,
    Targets,
    Thresholds,
    Trunk,
)
from perezvon.store.plan_values import (
    CLOSED,
    Country,
    DateKey,
    DayList,
    DaysKey,
    Flag,
    Host,
    Id,
    Ids,
    Intervals,
    Length,
    Lengths,
    Mobile,
    Name,
    Names,
    Networks,
    Number,
    OneInterval,
    Phrase,
    Phrases,
    Prefix,
    Script,
    Secret,
    Sound,
    Tenant,
    Whole,
    Zone,
    as_list,
    as_mapping,
    as_text,
    between,
    length_text,
    parse_days,
    wrong,
)

ROUND_THE_CLOCK = "24/7"


def default(core: type, name: str) -> Any:  # noqa: ANN401 - what the core's field has
    """A field whose default is the core's. Lengths show as people write them."""
    field = next(field for field in dataclasses.fields(core) if field.name == name)
    value = field.default
    if value is dataclasses.MISSING:
        assert field.default_factory is not dataclasses.MISSING
        value = field.default_factory()
    if isinstance(value, tuple):
        return Field(default_factory=lambda: list(value))
    if isinstance(value, int) and "_ms" in name:
        return Field(default=value, json_schema_extra={"default": length_text(value)})
    return Field(default=value)


def _word(key: str, noun: type[BaseModel]) -> BeforeValidator:
    """A short form: a bare word stands for a mapping with one key, and nothing for an empty one."""

    def expand(value: object) -> object:
        if value is None:
            return {}
        value = as_text(value)
        return {key: value} if isinstance(value, str) else value

    return BeforeValidator(expand, json_schema_input_type=noun | str | int | None)


def _rules(value: object) -> object:
    """Nothing written after `callback:` must not mean that nobody is called back."""
    return [{"id": "default"}] if value is None else as_list(value)


class Noun(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class AgentFile(Noun):
    name: Name | None = None
    """Without it, the identifier."""
    device: DeviceKind = default(Agent, "device")
    devices: Annotated[list[DeviceKind], Field(max_length=len(DeviceKind))] = default(
        Agent, "others"
    )
    """Others that he may choose instead."""
    number: Mobile | None = None
    """Of a mobile, such as +79161234567."""
    trunk: Id | None = None
    """Through which a mobile is rung; not needed when the plan has only one."""
    secret: Secret | None = None
    """Name of the secret of the telephone, never the secret itself."""
    skills: Annotated[Ids, Field(max_length=50)] = default(Agent, "skills")


class MemberFile(Noun):
    agent: Id
    level: Annotated[Whole, Field(ge=1, le=100)] = default(Member, "level")


class GroupFile(Noun):
    name: Name | None = None
    members: Annotated[
        list[Annotated[MemberFile, _word("agent", MemberFile)]],
        BeforeValidator(as_list, json_schema_input_type=list[MemberFile | str] | str),
        Field(min_length=1, max_length=5_000),
    ]
    leader: Id | None = default(Group, "leader")
    """Owns the debts of the group's queues."""


_short_group = BeforeValidator(
    lambda value: {"members": value} if isinstance(value, list) else value,
    json_schema_input_type=GroupFile | list[MemberFile | str],
)


class StepFile(Noun):
    groups: Annotated[Ids, Field(max_length=100)] = default(Step, "groups")
    agents: Annotated[Ids, Field(max_length=1_000)] = default(Step, "agents")
    skills: Annotated[Ids, Field(max_length=20)] = default(Step, "skills")
    """An agent must have all of them."""
    k: Annotated[Whole, Field(ge=1, le=RING_AT_ONCE_MAX)] = default(Step, "k")
    """How many ring at once."""
    ring: Annotated[Length, between(SECOND, HOUR)] = default(Step, "ring_ms")
    mode: StepMode = default(Step, "mode")
    ranking: Ranking = default(Step, "ranking")
    skip_when_nobody: Flag = default(Step, "skip_when_nobody")


class QueueFile(Noun):
    name: Name | None = None
    steps: Annotated[
        list[StepFile],
        BeforeValidator(as_list, json_schema_input_type=list[StepFile] | StepFile),
        Field(min_length=1, max_length=50),
    ]
    rounds_max: Annotated[Whole, Field(ge=1, le=1_000_000)] | None = default(Queue, "rounds_max")
    """How often the steps are gone through; null: until the longest wait."""
    gap: Annotated[Length, between(0, HOUR)] = default(Queue, "gap_ms")
    """Silence of the telephones between two steps."""
    wait_max: Annotated[Length, between(SECOND)] | None = default(Queue, "wait_ms_max")
    """Then the caller is promised a call-back."""
    length_max: Annotated[Whole, Field(ge=1, le=100_000)] = default(Queue, "length_max")
    hours: Id | None = default(Queue, "hours")
    """Without them, always open."""
    tier: Annotated[Whole, Field(ge=-1_000, le=1_000)] = default(Queue, "tier")
    """Lower is served first, whatever the wait."""
    answer_first: Flag = default(Queue, "answer_first")
    """Pick up at once; else the caller hears ringing."""
    greeting: Sound | None = default(Queue, "greeting")
    music: Sound = default(Queue, "music")
    closed_prompt: Sound | None = default(Queue, "closed_prompt")
    promise_prompt: Sound | None = default(Queue, "promise_prompt")
    wrap_up: Annotated[Length, between(0, DAY)] = default(Queue, "wrap_up_ms")
    pause_after_misses: Annotated[Whole, Field(ge=1, le=1_000)] | None = default(
        Queue, "pause_after_misses"
    )
    project: Id | None = default(Queue, "project")


class NumberFile(Noun):
    queue: Id
    trunk: Id | None = default(Did, "trunk")
    project: Id | None = default(Did, "project")


class TrunkFile(Noun):
    host: Host
    port: Annotated[Whole, Field(ge=1, le=65_535)] = default(Trunk, "port")
    username: Secret | None = None
    secret: Secret | None = None
    """Name of the secret, never the secret itself."""
    register_: Flag = Field(default=False, alias="register")
    match: Annotated[Networks, Field(max_length=100)] = default(Trunk, "match")
    """Addresses from which its calls come; without them, the host."""
    number_format: Literal["e164", "digits", "national"] = default(Trunk, "number_format")


class HoursFile(Noun):
    days: dict[DaysKey, Intervals]
    holidays: Flag = default(Hours, "holidays")

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, value: object) -> object:
        if value == ROUND_THE_CLOCK:
            return {"days": {"mon-sun": "00:00-24:00"}, "holidays": False}
        if not isinstance(value, dict):
            return value
        days = {key: hours for key, hours in value.items() if key != "holidays"}
        own = {"holidays": value["holidays"]} if "holidays" in value else {}
        return {"days": days} | own

    @model_validator(mode="after")
    def _once(self) -> "HoursFile":
        parse_days(",".join(self.days) or "mon")
        if not any(self.days.values()):
            raise wrong("never_open")
        return self

    def week(self) -> tuple[tuple[Interval, ...], ...]:
        week: list[tuple[Interval, ...]] = [()] * 7
        for days, intervals in self.days.items():
            for day in parse_days(days):
                week[day] = intervals
        return tuple(week)


class CallbackFile(Noun):
    id: Id
    queues: Annotated[Ids, Field(max_length=500)] = default(CallbackRule, "queues")
    """Without them, all."""
    number_classes: Annotated[
        list[NumberClass],
        BeforeValidator(as_list, json_schema_input_type=list[NumberClass] | NumberClass),
        Field(max_length=len(NumberClass)),
    ] = default(CallbackRule, "number_classes")
    wait_min: Length = default(CallbackRule, "wait_ms_min")
    hours_missed: Id | None = default(CallbackRule, "hours_missed")
    """Matches only calls missed in these hours."""
    waive: Flag = default(CallbackRule, "waive")
    """These are not called back."""
    ladder: Annotated[Lengths, Field(min_length=1, max_length=100)] = Field(
        default_factory=lambda: list(Ladder().offsets_ms),
        json_schema_extra={"default": [length_text(step) for step in Ladder().offsets_ms]},
    )
    """When to try, counted from the miss in open time."""
    order: CallbackOrder = default(CallbackRule, "order")
    hours: Id | None = default(CallbackRule, "hours")
    """When we may ring; without them, the queue's hours."""
    attempts_max: Annotated[Whole, Field(ge=1, le=1_000)] = default(CallbackRule, "attempts_max")
    give_up_after: Annotated[Length, between(SECOND)] | None = default(
        CallbackRule, "give_up_after_ms"
    )
    gap_min: Length = default(CallbackRule, "gap_ms_min")
    ring_agent: Annotated[Length, between(SECOND, HOUR)] = default(CallbackRule, "ring_agent_ms")
    ring_client: Annotated[Length, between(SECOND, HOUR)] = default(CallbackRule, "ring_client_ms")
    reserve: Annotated[Whole, Field(ge=0, le=5_000)] = default(CallbackRule, "reserve")
    """Free agents kept for live callers."""
    join_line_after: Length = default(CallbackRule, "join_line_after_ms")
    assignee: Id | None = default(CallbackRule, "assignee")
    group: Id | None = default(CallbackRule, "group")
    deadline: Annotated[Length, between(MINUTE)] = default(CallbackRule, "deadline_ms")
    briefing: Flag = default(CallbackRule, "briefing")

    @model_validator(mode="after")
    def _climbs(self) -> "CallbackFile":
        if self.ladder != sorted(set(self.ladder)):
            raise wrong("bad_ladder")
        return self


class ProjectFile(Noun):
    name: Name | None = None
    results: Annotated[Names, Field(max_length=200)] = default(Project, "results")
    script: Script | None = None
    crm: Phrase | None = None
    opening: Phrase | None = None
    """Said first in a call-back; {agent} and {company} are put in."""
    viewers: Annotated[Phrases, Field(max_length=500)] = default(Project, "viewers")


class ShiftFile(Noun):
    name: Name | None = None
    days: DayList
    hours: OneInterval
    members: Annotated[Ids, Field(max_length=5_000)] = default(Shift, "members")


class DiallingFile(Noun):
    countries: Annotated[list[Country], BeforeValidator(as_list), Field(max_length=250)] = default(
        Dialling, "countries"
    )
    prefixes: Annotated[list[Prefix], BeforeValidator(as_list), Field(max_length=1_000)] = default(
        Dialling, "prefixes"
    )


class ThresholdsFile(Noun):
    short: Length = default(Thresholds, "short_ms")
    unreachable: Annotated[Length, between(1, HOUR)] = default(Thresholds, "unreachable_ms")
    missed_share_percent: Annotated[Whole, Field(ge=1, le=100)] = default(
        Thresholds, "missed_share_percent"
    )
    dropped_at_answer: Length = default(Thresholds, "dropped_at_answer_ms")
    press_one: Annotated[Length, between(SECOND, HOUR)] = default(Thresholds, "press_one_ms")
    talk_max: Annotated[Length, between(MINUTE)] = default(Thresholds, "talk_ms_max")
    prompt_max: Annotated[Length, between(SECOND, DAY)] = default(Thresholds, "prompt_ms_max")
    trunk_retry: Length = default(Thresholds, "trunk_retry_ms")


class TargetsFile(Noun):
    """What the figures of the live board should be."""

    waiting: Annotated[Whole, Field(ge=0, le=100_000)] = default(Targets, "waiting")
    wait: Annotated[Length, between(SECOND, HOUR)] = default(Targets, "wait_ms")
    """An answer within so long counts for the service level."""
    longest_wait: Annotated[Length, between(SECOND, DAY)] = default(Targets, "longest_wait_ms")
    service_level_percent: Annotated[Whole, Field(ge=1, le=100)] = default(
        Targets, "service_level_percent"
    )
    missed_percent: Annotated[Whole, Field(ge=0, le=100)] = default(Targets, "missed_percent")
    available: Annotated[Whole, Field(ge=0, le=5_000)] = default(Targets, "available")
    debts: Annotated[Whole, Field(ge=0, le=100_000)] = default(Targets, "debts")
    debt_age: Annotated[Length, between(MINUTE)] = default(Targets, "debt_age_ms")


def _closed_dates(value: object) -> object:
    """A list of dates on which it is closed."""
    if isinstance(value, list) and all(isinstance(day, str) for day in value):
        return dict.fromkeys(value, CLOSED)
    return as_mapping(value)


_HOURS_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"const": ROUND_THE_CLOCK},
        {
            "type": "object",
            "properties": {"holidays": {"type": "boolean", "default": True}},
            "additionalProperties": {"type": ["string", "array"], "items": {"type": "string"}},
        },
    ],
    "description": "mon-fri: 09:00-18:00; a day that is not named is closed",
}


class PlanFile(Noun):
    """A plan of Perezvon."""

    tenant: Tenant = "main"
    zone: Zone
    """IANA name, such as Europe/Moscow; hours, holidays and days are in it."""
    language: Literal["ru", "en"] = default(Plan, "language")
    """Of prompts."""
    country: Country = default(Plan, "country")
    """In which national numbers are read."""
    hours: Annotated[
        dict[Id, Annotated[HoursFile, WithJsonSchema(_HOURS_SCHEMA)]],
        BeforeValidator(as_mapping),
        Field(max_length=500),
    ] = Field(default_factory=dict)
    holidays: Annotated[
        dict[DateKey, Intervals],
        BeforeValidator(_closed_dates, json_schema_input_type=dict[str, Intervals] | list[str]),
        Field(max_length=2_000),
    ] = Field(default_factory=dict)
    trunks: Annotated[dict[Id, TrunkFile], BeforeValidator(as_mapping), Field(max_length=200)] = (
        Field(default_factory=dict)
    )
    projects: Annotated[
        dict[Id, Annotated[ProjectFile, _word("name", ProjectFile)]],
        BeforeValidator(as_mapping),
        Field(max_length=1_000),
    ] = Field(default_factory=dict)
    agents: Annotated[
        dict[Id, Annotated[AgentFile, _word("name", AgentFile)]],
        BeforeValidator(as_mapping),
        Field(max_length=5_000),
    ] = Field(default_factory=dict)
    groups: Annotated[
        dict[Id, Annotated[GroupFile, _short_group]],
        BeforeValidator(as_mapping),
        Field(max_length=1_000),
    ] = Field(default_factory=dict)
    queues: Annotated[dict[Id, QueueFile], BeforeValidator(as_mapping), Field(max_length=500)] = (
        Field(default_factory=dict)
    )
    default_queue: Id | None = default(Plan, "default_queue")
    """For a number that the plan does not know; without it, the first queue."""
    numbers: Annotated[
        dict[Number, Annotated[NumberFile, _word("queue", NumberFile)]],
        BeforeValidator(as_mapping),
        Field(max_length=10_000),
    ] = Field(default_factory=dict)
    callback: Annotated[list[CallbackFile], BeforeValidator(_rules), Field(max_length=500)] = Field(
        default_factory=lambda: [CallbackFile(id="default")]
    )
    """The first rule that matches a missed call wins."""
    shifts: Annotated[dict[Id, ShiftFile], BeforeValidator(as_mapping), Field(max_length=1_000)] = (
        Field(default_factory=dict)
    )
    thresholds: Annotated[ThresholdsFile, BeforeValidator(as_mapping)] = Field(
        default_factory=ThresholdsFile
    )
    dialling: Annotated[DiallingFile, BeforeValidator(as_mapping)] = Field(
        default_factory=DiallingFile
    )
    """Which numbers agents may dial by hand; without it, those of the country."""
    targets: Annotated[TargetsFile, BeforeValidator(as_mapping)] = Field(
        default_factory=TargetsFile
    )
