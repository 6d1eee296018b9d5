"""What refers to what in a plan file, and the contradictions between its parts.

The core finds the first of these by itself (`PlanError`); here all are found, each at its place,
so that a customer mends his file in one go.
"""

from collections.abc import Iterable, Iterator, Mapping

from perezvon.core.plan import DeviceKind
from perezvon.store.plan_reasons import Reason
from perezvon.store.plan_schema import PlanFile
from perezvon.store.plan_values import parse_dates
from perezvon.store.plan_yaml import Path, Value

_Found = tuple[Path, Reason]
_Link = tuple[Path, str | None, str]


def links_of(file: PlanFile, written: Mapping[str, Value]) -> Iterator[_Found]:
    """Everything that is wrong between the parts. `written`: the file's sections as they stand,
    with the entries that are wrong in themselves, which are known names all the same.
    """
    if not file.queues and not written.get("queues"):
        yield ("queues",), Reason("no_queue")
    for path, name, kind in _links(file):
        known = written.get(kind)
        names = known if isinstance(known, dict) else {}
        if name is not None and name not in names:
            params = {"name": name, "kind": kind, "word": name, "known": names}
            yield path, Reason("unknown", params)
    yield from _doubles(file)
    yield from _devices_twice(file)
    yield from _contradictions(file, written)


def _links(file: PlanFile) -> Iterator[_Link]:
    for name, agent in file.agents.items():
        yield ("agents", name, "trunk"), agent.trunk, "trunks"
    for name, group in file.groups.items():
        for at, member in enumerate(group.members):
            yield ("groups", name, "members", at, "agent"), member.agent, "agents"
        yield ("groups", name, "leader"), group.leader, "agents"
    for name, queue in file.queues.items():
        yield ("queues", name, "hours"), queue.hours, "hours"
        yield ("queues", name, "project"), queue.project, "projects"
        for number, step in enumerate(queue.steps):
            place: Path = ("queues", name, "steps", number)
            yield from _each((*place, "groups"), step.groups, "groups")
            yield from _each((*place, "agents"), step.agents, "agents")
    for number_, did in file.numbers.items():
        yield ("numbers", number_, "queue"), did.queue, "queues"
        yield ("numbers", number_, "trunk"), did.trunk, "trunks"
        yield ("numbers", number_, "project"), did.project, "projects"
    for at, rule in enumerate(file.callback):
        yield from _each(("callback", at, "queues"), rule.queues, "queues")
        yield ("callback", at, "hours"), rule.hours, "hours"
        yield ("callback", at, "hours_missed"), rule.hours_missed, "hours"
        yield ("callback", at, "assignee"), rule.assignee, "agents"
        yield ("callback", at, "group"), rule.group, "groups"
    for name, shift in file.shifts.items():
        yield from _each(("shifts", name, "members"), shift.members, "agents")
    yield ("default_queue",), file.default_queue, "queues"


def _each(path: Path, names: Iterable[str], kind: str) -> Iterator[_Link]:
    for at, name in enumerate(names):
        yield (*path, at), name, kind


def _doubles(file: PlanFile) -> Iterator[_Found]:
    for name, group in file.groups.items():
        members = [member.agent for member in group.members]
        yield from _twice(("groups", name, "members"), members)
    yield from _twice(("callback",), [rule.id for rule in file.callback])
    for name, shift in file.shifts.items():
        yield from _twice(("shifts", name, "members"), shift.members)
    dates: set[str] = set()
    for key in file.holidays:
        for day in parse_dates(key):
            if day in dates:
                yield ("holidays", key), Reason("date_twice", {"date": day})
                break
            dates.add(day)


def _devices_twice(file: PlanFile) -> Iterator[_Found]:
    for name, agent in file.agents.items():
        seen = {agent.device}
        for at, device in enumerate(agent.devices):
            if device in seen:
                yield ("agents", name, "devices", at), Reason("twice", {"name": device.value})
            seen.add(device)


def _twice(path: Path, names: Iterable[str]) -> Iterator[_Found]:
    seen: set[str] = set()
    for at, name in enumerate(names):
        if name in seen:
            yield (*path, at), Reason("twice", {"name": name})
        seen.add(name)


def _contradictions(file: PlanFile, written: Mapping[str, Value]) -> Iterator[_Found]:
    trunks = written.get("trunks")
    trunk_count = len(trunks) if isinstance(trunks, dict) else 0
    for name, agent in file.agents.items():
        place: Path = ("agents", name)
        if DeviceKind.MOBILE not in (agent.device, *agent.devices):
            if agent.number is not None:
                yield (*place, "number"), Reason("only_mobile")
            continue
        if agent.number is None:
            yield place, Reason("mobile_number")
        if agent.trunk is None and trunk_count != 1:
            yield place, Reason("mobile_trunk", {"count": trunk_count})
    for name, trunk in file.trunks.items():
        if trunk.register_ and trunk.username is None:
            yield ("trunks", name, "register"), Reason("register_whom")
    for name, queue in file.queues.items():
        if queue.wait_max is None and queue.rounds_max is None:
            yield ("queues", name, "wait_max"), Reason("endless")
        for number, step in enumerate(queue.steps):
            if not step.groups and not step.agents:
                yield ("queues", name, "steps", number), Reason("nobody")
