"""What a seed makes: a plan, a scenario, and people who change their minds. No checks here."""

from dataclasses import dataclass, replace
from random import Random

from perezvon.core.commands import SupervisionMode
from perezvon.core.events import (
    AgentGivenBack,
    AgentLent,
    AgentStatusSet,
    CallbackAsked,
    ChosenStatus,
    DebtAssigned,
    DeviceChosen,
    PlanChanged,
    SuperviseAsked,
    SuperviseEndAsked,
    WaiverGiven,
)
from perezvon.core.facts import CallAnswered, DebtOpened
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
    QueueId,
    RuleId,
    TenantId,
    TrunkId,
)
from perezvon.core.plan import (
    Agent,
    CallbackOrder,
    CallbackRule,
    DeviceKind,
    Did,
    Group,
    Hours,
    Interval,
    Ladder,
    Member,
    Plan,
    Queue,
    Ranking,
    Step,
    StepMode,
    Thresholds,
    Trunk,
)
from perezvon.sim.faults import NONE, Faults, swarm
from perezvon.sim.scenario import Scenario, loads
from perezvon.sim.storm import Storm
from tests.dst.talks import act_in_talks

LADDERS = (
    (0, 30 * SECOND, 2 * MINUTE, 10 * MINUTE),
    (0, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, HOUR),
    (20 * SECOND,),
    (0, 1, 2, 3 * MINUTE),
)


@dataclass(frozen=True, slots=True)
class Workload:
    seed: int
    plan: Plan
    scenario: Scenario
    faults: Faults
    acts_every_ms: Duration
    """People choose a status, waive a debt, ask for a call-back; 0: never."""
    plans_every_ms: Duration
    talks_every_ms: Duration
    """Agents dial, hand clients over and load their pages anew; 0: never."""
    choices_every_ms: Duration
    """Devices are chosen, agents lent, talks supervised; 0: never."""

    @property
    def people_act(self) -> bool:
        return bool(self.acts_every_ms or self.talks_every_ms or self.choices_every_ms)


def workload(seed: int) -> Workload:
    rng = Random(f"workload {seed}")
    plan = with_devices(make_plan(rng, version=1), seed)
    return Workload(
        seed,
        plan,
        make_scenario(rng, plan),
        NONE if rng.random() < 0.15 else swarm(seed),
        rng.choice((0, 0, 20 * SECOND, 2 * MINUTE)),
        rng.choice((0, 0, 0, 5 * MINUTE)),
        rng.choice((0, 3 * SECOND, 15 * SECOND)),
        rng.choice((0, 2 * SECOND, 10 * SECOND)),
    )


def start_acts(load: Workload, storm: Storm) -> None:
    """From now on people act; who waits for whom is drawn from the seed too."""
    rng = Random(f"acts {load.seed}")
    version = [1]

    def act(storm: Storm) -> None:
        _act(storm, rng)
        storm.at(int(rng.expovariate(1 / load.acts_every_ms)) + 1, act)

    def change(storm: Storm) -> None:
        version[0] += 1
        plan = make_plan(Random(f"workload {load.seed}"), version=version[0])
        plan = with_devices(plan, load.seed)
        storm.put(PlanChanged(_changed(plan, rng, version[0])))
        storm.at(int(rng.expovariate(1 / load.plans_every_ms)) + 1, change)

    choices = Random(f"choices {load.seed}")

    def choose(storm: Storm) -> None:
        _choose(storm, choices)
        storm.at(int(choices.expovariate(1 / load.choices_every_ms)) + 1, choose)

    talks = Random(f"talks {load.seed}")

    def act_on_a_talk(storm: Storm) -> None:
        act_in_talks(storm, talks)
        storm.at(int(talks.expovariate(1 / load.talks_every_ms)) + 1, act_on_a_talk)

    if load.talks_every_ms:
        storm.at(load.talks_every_ms, act_on_a_talk)
    if load.acts_every_ms:
        storm.at(load.acts_every_ms, act)
    if load.choices_every_ms:
        storm.at(load.choices_every_ms, choose)
    if load.plans_every_ms:
        storm.at(load.plans_every_ms, change)


def everybody_back(storm: Storm) -> None:
    for agent in storm.world.office.phones:
        storm.put(AgentStatusSet(AgentId(agent), ChosenStatus.AVAILABLE, by="test"))


def _act(storm: Storm, rng: Random) -> None:
    agents = sorted(storm.world.office.phones)
    agent = AgentId(rng.choice(agents))
    debts = [fact.debt for fact in storm.host.facts if isinstance(fact, DebtOpened)][-20:]
    match rng.randrange(8):
        case 0 | 1:
            storm.put(AgentStatusSet(agent, ChosenStatus.PAUSED, "lunch", agent))
        case 2:
            storm.put(AgentStatusSet(agent, ChosenStatus.SIGNED_OUT, "", "chief"))
        case 3 if debts:
            storm.put(WaiverGiven(rng.choice(debts), "chief", "spoke in person"))
        case 4 if debts:
            storm.put(CallbackAsked(rng.choice(debts), "chief"))
        case 5 if debts:
            storm.put(DebtAssigned(rng.choice(debts), agent, "chief"))
        case _:
            storm.put(AgentStatusSet(agent, ChosenStatus.AVAILABLE, "", agent))


def _choose(storm: Storm, rng: Random) -> None:
    """Somebody takes another telephone, or one that the plan does not have for him; or he is lent
    to a group, maybe his own.
    """
    agent = AgentId(rng.choice(sorted(storm.world.office.phones)))
    group = rng.choice(storm.plan.groups).id
    talks = [fact.call for fact in storm.host.facts[-200:] if isinstance(fact, CallAnswered)][-3:]
    match rng.randrange(8):
        case 0 | 1 | 2 if talks:
            mode = rng.choice(list(SupervisionMode))
            storm.put(SuperviseAsked(rng.choice(talks), agent, mode, "chief"))
        case 3:
            storm.put(SuperviseEndAsked(agent, "chief"))
        case 4 | 5:
            device = rng.choice(list(DeviceKind))
            storm.put(DeviceChosen(agent, device, rng.choice((agent, "chief"))))
        case 6:
            until_at = storm.now + rng.choice((-SECOND, 5 * SECOND, MINUTE, 10 * MINUTE))
            storm.put(AgentLent(agent, group, until_at, "chief"))
        case _:
            storm.put(AgentGivenBack(agent, group, "chief"))


def with_devices(plan: Plan, seed: int) -> Plan:
    """Some of them have more devices than one; drawn apart, so that the rest is as it was."""
    rng = Random(f"devices {seed}")
    agents: list[Agent] = []
    for agent in plan.agents:
        more = [kind for kind in DeviceKind if kind is not agent.device]
        others = tuple(rng.sample(more, rng.choice((0, 0, 1, 2))))
        number = agent.number or f"+7916111000{len(agents)}"
        agents.append(replace(agent, others=others, number=number, trunk=plan.trunks[0].id))
    return replace(plan, agents=tuple(agents))


def _changed(plan: Plan, rng: Random, version: int) -> Plan:
    """The same house with other rules: steps, an agent less or back, call-back rules."""
    queues = tuple(
        replace(queue, steps=tuple(replace(step, k=rng.randint(1, 4)) for step in queue.steps))
        for queue in plan.queues
    )
    plan = replace(plan, version=PlanVersion(f"v{version}"), queues=queues)
    if rng.random() < 0.5 and len(plan.agents) > 2:
        gone = plan.agents[-1].id
        groups = tuple(
            replace(
                group,
                members=tuple(m for m in group.members if m.agent != gone),
                leader=None if group.leader == gone else group.leader,
            )
            for group in plan.groups
        )
        named = any(gone in step.agents for queue in queues for step in queue.steps)
        if not named and all(group.members for group in groups):
            return replace(plan, agents=plan.agents[:-1], groups=groups)
    return plan


def make_plan(rng: Random, version: int) -> Plan:
    trunks = tuple(Trunk(TrunkId(f"t{n}"), "127.0.0.1") for n in range(rng.randint(1, 2)))
    agents = tuple(_agent(rng, n, trunks[0].id) for n in range(rng.randint(1, 8)))
    groups = tuple(_group(rng, n, agents) for n in range(rng.randint(1, 3)))
    hours = (_always(), _short(rng))
    queues = tuple(_queue(rng, n, groups, agents) for n in range(rng.randint(1, 3)))
    return Plan(
        PlanVersion(f"v{version}"),
        TenantId("dst"),
        rng.choice(("Europe/Moscow", "Asia/Vladivostok", "Europe/Berlin")),
        queues,
        agents,
        groups,
        dids=tuple(
            Did(f"7495000000{n}", queue.id, rng.choice(trunks).id) for n, queue in enumerate(queues)
        ),
        trunks=trunks,
        hours=hours,
        callback_rules=_rules(rng, groups, agents),
        thresholds=Thresholds(
            short_ms=rng.choice((0, 1 * SECOND, 5 * SECOND)),
            press_one_ms=rng.choice((3, 8)) * SECOND,
            talk_ms_max=rng.choice((10 * MINUTE, 4 * HOUR)),
            prompt_ms_max=rng.choice((6, 60)) * SECOND,
            trunk_retry_ms=rng.choice((5, 30)) * SECOND,
        ),
    )


def _agent(rng: Random, number: int, trunk: TrunkId) -> Agent:
    skills = ("en",) if rng.random() < 0.5 else ()
    if rng.random() < 0.15:
        mobile = f"+7916000000{number}"
        return Agent(
            AgentId(f"a{number}"), f"A{number}", DeviceKind.MOBILE, mobile, trunk, skills=skills
        )
    kind = rng.choice((DeviceKind.SIP, DeviceKind.WEBRTC))
    return Agent(AgentId(f"a{number}"), f"A{number}", kind, skills=skills)


def _group(rng: Random, number: int, agents: tuple[Agent, ...]) -> Group:
    count = rng.randint(1, len(agents))
    people = rng.sample(agents, count)
    members = tuple(Member(agent.id, rng.randint(1, 3)) for agent in people)
    leader = rng.choice((None, people[0].id))
    return Group(GroupId(f"g{number}"), f"G{number}", members, leader)


def _queue(rng: Random, number: int, groups: tuple[Group, ...], agents: tuple[Agent, ...]) -> Queue:
    steps = tuple(_step(rng, groups, agents) for _ in range(rng.choice((1, 1, 2, 3))))
    wait_ms = rng.choice((20 * SECOND, 2 * MINUTE, 10 * MINUTE, None))
    return Queue(
        QueueId(f"q{number}"),
        f"Q{number}",
        steps,
        rounds_max=rng.choice((1, 3)) if wait_ms is None else rng.choice((None, 1, 3)),
        gap_ms=rng.choice((0, 0, SECOND)),
        wait_ms_max=wait_ms,
        length_max=rng.choice((1, 3, 500)),
        hours=rng.choice((None, None, HoursId("always"), HoursId("short"))),
        tier=rng.choice((0, 0, 1)),
        answer_first=rng.random() < 0.7,
        greeting=rng.choice((None, "hello")),
        wrap_up_ms=rng.choice((0, 5, 20)) * SECOND,
        pause_after_misses=rng.choice((None, 1, 2)),
    )


def _step(rng: Random, groups: tuple[Group, ...], agents: tuple[Agent, ...]) -> Step:
    by_name = rng.random() < 0.2
    return Step(
        groups=() if by_name else (rng.choice(groups).id,),
        agents=(rng.choice(agents).id,) if by_name else (),
        skills=("en",) if rng.random() < 0.15 else (),
        k=rng.randint(1, 4),
        ring_ms=rng.choice((5, 10, 20)) * SECOND,
        mode=rng.choice((StepMode.REPLACE, StepMode.REPLACE, StepMode.ADD)),
        ranking=rng.choice(list(Ranking)),
        skip_when_nobody=rng.random() < 0.2,
    )


def _rules(
    rng: Random, groups: tuple[Group, ...], agents: tuple[Agent, ...]
) -> tuple[CallbackRule, ...]:
    default = CallbackRule(
        RuleId("all"),
        ladder=Ladder(rng.choice(LADDERS)),
        order=rng.choice(list(CallbackOrder)),
        hours=rng.choice((None, HoursId("always"))),
        attempts_max=rng.choice((2, 10)),
        give_up_after_ms=rng.choice((None, 20 * MINUTE)),
        gap_ms_min=rng.choice((10 * SECOND, 3 * MINUTE)),
        ring_agent_ms=rng.choice((8, 15)) * SECOND,
        ring_client_ms=rng.choice((12, 25)) * SECOND,
        reserve=rng.choice((0, 0, 1)),
        join_line_after_ms=rng.choice((1, 30)) * MINUTE,
        group=rng.choice((None, groups[0].id)),
        assignee=rng.choice((None, agents[0].id)),
        deadline_ms=rng.choice((10 * MINUTE, DAY)),
        briefing=rng.random() < 0.6,
    )
    if rng.random() < 0.3:
        landlines = CallbackRule(RuleId("landlines"), number_classes=("landline",), waive=True)
        return (landlines, default)
    return (default,)


def _always() -> Hours:
    return Hours(HoursId("always"), ((Interval(0, 1440),),) * 7)


def _short(rng: Random) -> Hours:
    """Closes a few minutes after the run's start, or has not opened yet."""
    opens = rng.choice((0, 9 * 60 + 5))
    return Hours(HoursId("short"), ((Interval(opens, 9 * 60 + rng.randint(7, 40)),),) * 7)


def make_scenario(rng: Random, plan: Plan) -> Scenario:
    dids = [did.number for did in plan.dids]
    if rng.random() < 0.2:
        dids.append("74959999999")
    rate = rng.choice((60, 200, 500)) / len(dids)
    arrivals = "".join(
        f"  - {{id: s{n}, did: '{did}', per_hour: {rate:.1f}}}\n" for n, did in enumerate(dids)
    )
    away = rng.choice((0, 0.2, 0.6))
    return loads(f"""
name: dst
duration: {rng.choice((6, 12))}m
arrivals:
{arrivals}
clients:
  population: {rng.choice((3, 20, 100, 1000))}
  mobile: 0.7
  withheld: {rng.choice((0, 0.1))}
  patience: {{kind: exponential, mean: {rng.choice((10, 30, 90, 300))}s}}
  hang_up_at_once: {{share: 0.1, after: {{kind: uniform, low: 0s, high: 3s}}}}
  redial: {{share: 0.5, after: {{kind: exponential, mean: {rng.choice((5, 60))}s}}}}
  answers_callback: [{rng.choice((0.2, 0.9))}, 0.5]
  answers_after: {{kind: lognormal, mean: 6s, sd: 4s}}
  busy: 0.3
  bad_number: {rng.choice((0, 0.1))}
people:
  default:
    pick_up: {{kind: lognormal, mean: {rng.choice((1, 3, 6))}s, sd: 3s}}
    away: {{share: {away}, mean: 30s}}
    refuses: {rng.choice((0, 0.1))}
    talk: {{kind: lognormal, mean: {rng.choice((8, 30))}s, sd: 20s}}
    {rng.choice(("", "wrap_up: {kind: exponential, mean: 4s}"))}
    voicemail_after: 12s
trunks: {{fails: {rng.choice((0, 0.1))}}}
network: {rng.choice(("60ms", "60ms", "1500ms"))}
""")
