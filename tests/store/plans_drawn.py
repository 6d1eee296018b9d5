"""Plans of all kinds, for tests that hold for every plan that a file can express."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from typing import TypeVar

from hypothesis import strategies as st

from perezvon.core.calendar import zone_names
from perezvon.core.events import NumberClass
from perezvon.core.ids import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    AgentId,
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
from perezvon.core.plan import (
    Agent,
    CallbackOrder,
    CallbackRule,
    DeviceKind,
    Dialling,
    Did,
    Group,
    Holiday,
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
from perezvon.store.plans import with_version

T = TypeVar("T")
Id = TypeVar("Id", bound=str)

ids = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,31}", fullmatch=True) | st.sampled_from(
    # What another reader of YAML would take for something else.
    ["no", "on", "null", "true", "1", "0x1f", "1e3", "12_3", "y", "n", "days", "0o7", "007"]
)
names = st.text(
    st.characters(exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"]),
    min_size=1,
    max_size=20,
) | st.sampled_from(
    [
        "no",
        "~",
        "#x",
        "a: b",
        "'",
        '"',
        "- x",
        " x ",
        "1",
        "2026-01-01",
        "<<",
        "=",
    ]
)
sounds = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,9}(/[A-Za-z0-9]{1,9})?", fullmatch=True)
secrets = st.just("") | st.from_regex(r"[A-Za-z0-9_.@+~-]{1,20}", fullmatch=True)
flags = st.booleans()


def lengths(least: int = 0, most: int = 30 * DAY) -> st.SearchStrategy[int]:
    whole = st.integers(-(-least // SECOND), most // SECOND).map(lambda count: count * SECOND)
    return whole | st.integers(least, most)


@st.composite
def intervals(draw: st.DrawFn, least: int = 0) -> tuple[Interval, ...]:
    edges = sorted(draw(st.sets(st.integers(0, 1440), min_size=2 * least, max_size=6)))
    return tuple(Interval(*pair) for pair in zip(edges[::2], edges[1::2], strict=False))


def tuples(
    items: st.SearchStrategy[T], most: int = 3, least: int = 0
) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(items, min_size=least, max_size=most).map(tuple)


def known_by(draw: st.DrawFn, kind: Callable[[str], Id], least: int = 0, most: int = 3) -> list[Id]:
    found = draw(st.lists(ids, min_size=least, max_size=most, unique=True))
    return [kind(name) for name in found]


def some(known: list[T], least: int = 0) -> st.SearchStrategy[tuple[T, ...]]:
    if not known:
        return st.just(())
    return st.lists(st.sampled_from(known), unique=True, min_size=least, max_size=3).map(tuple)


def maybe(known: Sequence[T]) -> st.SearchStrategy[T | None]:
    return st.none() | st.sampled_from(known) if known else st.none()


def hours_of(name: HoursId) -> st.SearchStrategy[Hours]:
    weeks = st.tuples(*[intervals() for _ in range(7)]).filter(any)
    return st.builds(Hours, st.just(name), week=weeks, holidays=flags)


def agents_of(name: AgentId, trunks: list[TrunkId]) -> st.SearchStrategy[Agent]:
    own = {"id": st.just(name), "name": names, "secret": secrets, "skills": tuples(ids)}
    sip, webrtc = (
        st.builds(Agent, device=st.just(kind), trunk=maybe(trunks), others=some([other]), **own)
        for kind, other in permutations((DeviceKind.SIP, DeviceKind.WEBRTC))
    )
    desk = sip | webrtc
    if not trunks:
        return desk
    numbers = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)
    mobile = st.builds(
        Agent,
        device=st.just(DeviceKind.MOBILE),
        number=numbers,
        trunk=st.sampled_from(trunks),
        others=some([DeviceKind.SIP, DeviceKind.WEBRTC]),
        **own,
    )
    both = st.builds(
        Agent,
        device=st.just(DeviceKind.WEBRTC),
        number=numbers,
        trunk=st.sampled_from(trunks),
        others=st.just((DeviceKind.MOBILE,)),
        **own,
    )
    return desk | mobile | both


def trunks_of(name: TrunkId) -> st.SearchStrategy[Trunk]:
    return st.builds(
        Trunk,
        st.just(name),
        host=st.sampled_from(["sip.example.com", "192.0.2.7", "2001:db8::7", "10"]),
        port=st.integers(1, 65_535),
        username=secrets,
        secret=secrets,
        match=tuples(st.sampled_from(["192.0.2.0/24", "198.51.100.7", "2001:db8::/32"])),
        number_format=st.sampled_from(["e164", "digits", "national"]),
    ).flatmap(
        lambda trunk: (
            st.sampled_from([trunk, registered(trunk)]) if trunk.username else st.just(trunk)
        )
    )


def registered(trunk: Trunk) -> Trunk:
    return Trunk(trunk.id, trunk.host, username=trunk.username, register=True)


def steps_of(groups: list[GroupId], agents: list[AgentId]) -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        groups=some(groups),
        agents=some(agents, least=1),
        skills=tuples(ids, most=2),
        k=st.integers(1, 50),
        ring_ms=lengths(SECOND, HOUR),
        mode=st.sampled_from(StepMode),
        ranking=st.sampled_from(Ranking),
        skip_when_nobody=flags,
    )


def queues_of(
    name: QueueId, steps: st.SearchStrategy[Step], hours: list[HoursId], projects: list[ProjectId]
) -> st.SearchStrategy[Queue]:
    return st.builds(
        Queue,
        st.just(name),
        name=names,
        steps=tuples(steps, least=1),
        rounds_max=st.none() | st.integers(1, 1_000_000),
        gap_ms=lengths(0, HOUR),
        wait_ms_max=lengths(SECOND),
        length_max=st.integers(1, 100_000),
        hours=maybe(hours),
        tier=st.integers(-1_000, 1_000),
        answer_first=flags,
        greeting=st.none() | sounds,
        music=sounds,
        closed_prompt=st.none() | sounds,
        promise_prompt=st.none() | sounds,
        wrap_up_ms=lengths(0, DAY),
        pause_after_misses=st.none() | st.integers(1, 1_000),
        project=maybe(projects),
    )


def rules_of(
    queues: list[QueueId], hours: list[HoursId], agents: list[AgentId], groups: list[GroupId]
) -> st.SearchStrategy[CallbackRule]:
    ladders = st.sets(lengths(), min_size=1, max_size=5).map(
        lambda steps: Ladder(tuple(sorted(steps)))
    )
    return st.builds(
        CallbackRule,
        ids.map(RuleId),
        queues=some(queues),
        number_classes=tuples(st.sampled_from([kind.value for kind in NumberClass])),
        wait_ms_min=lengths(),
        hours_missed=maybe(hours),
        waive=flags,
        ladder=st.just(Ladder()) | ladders,
        order=st.sampled_from(CallbackOrder),
        hours=maybe(hours),
        attempts_max=st.integers(1, 1_000),
        give_up_after_ms=st.none() | lengths(SECOND),
        gap_ms_min=lengths(),
        ring_agent_ms=lengths(SECOND, HOUR),
        ring_client_ms=lengths(SECOND, HOUR),
        reserve=st.integers(0, 5_000),
        join_line_after_ms=lengths(),
        assignee=maybe(agents),
        group=maybe(groups),
        deadline_ms=lengths(MINUTE),
        briefing=flags,
    )


def projects_of(name: ProjectId) -> st.SearchStrategy[Project]:
    scripts = st.just("") | names | st.sampled_from(["one\ntwo", "tail\n", "\n\n", "a\tb\n c"])
    return st.builds(
        Project,
        st.just(name),
        name=names,
        results=tuples(names),
        script=scripts,
        crm=st.just("") | names,
        opening=st.just("") | names,
        viewers=tuples(names),
    )


def shifts_of(name: ShiftId, agents: list[AgentId]) -> st.SearchStrategy[Shift]:
    days = st.lists(st.integers(0, 6), min_size=1, unique=True).map(tuple)
    interval = intervals(least=1).map(lambda found: found[0])
    return st.builds(
        Shift, st.just(name), name=names, days=days, interval=interval, members=some(agents)
    )


thresholds = st.just(Thresholds()) | st.builds(
    Thresholds,
    short_ms=lengths(),
    unreachable_ms=lengths(1, HOUR),
    missed_share_percent=st.integers(1, 100),
    dropped_at_answer_ms=lengths(),
    press_one_ms=lengths(SECOND, HOUR),
    talk_ms_max=lengths(MINUTE),
    prompt_ms_max=lengths(SECOND, DAY),
    trunk_retry_ms=lengths(),
)


diallings = st.just(Dialling()) | st.builds(
    Dialling,
    countries=st.lists(st.sampled_from(["RU", "KZ", "DE"]), unique=True).map(tuple),
    prefixes=st.lists(st.sampled_from(["+7800", "+44"]), unique=True).map(tuple),
)

targets = st.just(Targets()) | st.builds(
    Targets,
    waiting=st.integers(0, 100),
    wait_ms=lengths(SECOND, HOUR),
    longest_wait_ms=lengths(SECOND, DAY),
    service_level_percent=st.integers(1, 100),
    missed_percent=st.integers(0, 100),
    available=st.integers(0, 100),
    debts=st.integers(0, 100),
    debt_age_ms=lengths(MINUTE),
)


@st.composite
def holidays(draw: st.DrawFn) -> tuple[Holiday, ...]:
    days = draw(st.lists(st.integers(0, 12), unique=True, max_size=8))
    first = date(2026, 12, 26)
    return tuple(
        Holiday((first + timedelta(days=day)).isoformat(), open=draw(st.just(()) | intervals()))
        for day in draw(st.sampled_from([days, sorted(days)]))
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    agents = known_by(draw, AgentId, least=1)
    groups = known_by(draw, GroupId)
    queues = known_by(draw, QueueId, least=1)
    trunks = known_by(draw, TrunkId, most=2)
    hours = known_by(draw, HoursId, most=2)
    projects = known_by(draw, ProjectId, most=2)
    numbers = st.lists(st.from_regex(r"\+?[0-9]{1,20}", fullmatch=True), unique=True, max_size=3)
    rules = st.lists(
        rules_of(queues, hours, agents, groups), max_size=2, unique_by=lambda rule: rule.id
    )
    plan = Plan(
        version=PlanVersion(""),
        tenant=TenantId(draw(st.from_regex(r"[a-z0-9]{1,16}", fullmatch=True))),
        zone=draw(st.sampled_from(sorted(zone_names()))),
        language=draw(st.sampled_from(["ru", "en"])),
        country=draw(st.sampled_from(["RU", "DE", "NO", "US"])),
        agents=tuple(draw(agents_of(name, trunks)) for name in agents),
        groups=tuple(
            Group(
                name,
                name=draw(names),
                members=tuple(
                    Member(agent, level=draw(st.integers(1, 100)))
                    for agent in draw(some(agents, least=1))
                ),
                leader=draw(maybe(agents)),
            )
            for name in groups
        ),
        queues=tuple(
            draw(queues_of(name, steps_of(groups, agents), hours, projects)) for name in queues
        ),
        dids=tuple(
            Did(number, draw(st.sampled_from(queues)), draw(maybe(trunks)), draw(maybe(projects)))
            for number in draw(numbers)
        ),
        trunks=tuple(draw(trunks_of(name)) for name in trunks),
        hours=tuple(draw(hours_of(name)) for name in hours),
        holidays=draw(holidays()),
        projects=tuple(draw(projects_of(name)) for name in projects),
        shifts=tuple(draw(shifts_of(name, agents)) for name in known_by(draw, ShiftId, most=2)),
        thresholds=draw(thresholds),
        dialling=draw(diallings),
        targets=draw(targets),
        default_queue=draw(maybe(queues)),
    )
    if draw(flags):
        plan = replace(plan, callback_rules=tuple(draw(rules)))
    return with_version(plan)
