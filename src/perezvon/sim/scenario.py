"""The scenario file: how callers, agents' people and the carrier behave. Strict, with line numbers.

One file has two readers: the simulated world (`sim.world`) and the demo town, which plays it over
real SIP. It says nothing of routing, which is the plan's; agents are named as the plan names
them. The format is described in `docs/scenario.md`.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from perezvon.core.ids import Instant
from perezvon.sim.draws import Sampler, exponential, fixed, lognormal, uniform, weibull

SIZE_MAX = 1_000_000
"""Bytes of a scenario file."""
_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
MONDAY_NINE: Instant = 1_767_592_800_000
"""2026-01-05T09:00 in Moscow: where a scenario without `start` begins."""


class ScenarioError(ValueError):
    """The scenario file cannot be used. The message names the file, the line and the reason."""


def parse_length(value: object) -> object:
    """`500ms`, `8s`, `1m30s`, `2h`; anything else is left for the validator to refuse."""
    if isinstance(value, str):
        text = value.strip()
        parts = _PART.findall(text)
        if parts and "".join(number + unit for number, unit in parts) == text:
            return round(sum(float(number) * _UNITS[unit] for number, unit in parts))
        raise ValueError(f"{value!r} is not a length such as 500ms, 8s, 1m30s or 2h")
    if isinstance(value, int) and value != 0:
        raise ValueError(f"{value!r} has no unit; write {value}s or {value}m")
    return value


def _parse_start(value: object) -> object:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError("needs an offset, such as 2026-03-02T09:00:00+03:00")
        return round(moment.timestamp() * 1_000)
    raise ValueError(f"{value!r} is not a moment such as 2026-03-02T09:00:00+03:00")


LengthMs = Annotated[int, BeforeValidator(parse_length), Field(ge=0, le=366 * _UNITS["d"])]
Moment = Annotated[int, BeforeValidator(_parse_start)]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Number = Annotated[str, Field(pattern=r"^\+?\d{2,15}$")]


class Part(BaseModel):
    """Of a scenario: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Length(Part):
    """How long something takes: a fixed length, or one of these distributions."""

    kind: Literal["fixed", "uniform", "exponential", "lognormal", "weibull"]
    mean: LengthMs | None = None
    sd: LengthMs | None = None
    shape: Annotated[float, Field(ge=0.1, le=20)] | None = None
    low: LengthMs | None = None
    high: LengthMs | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"kind": "fixed", "mean": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _complete(self) -> "Length":
        wanted = {
            "fixed": {"mean"},
            "uniform": {"low", "high"},
            "exponential": {"mean"},
            "lognormal": {"mean", "sd"},
            "weibull": {"mean", "shape"},
        }[self.kind]
        given = {n for n in ("mean", "sd", "shape", "low", "high") if getattr(self, n) is not None}
        if given != wanted:
            raise ValueError(f"{self.kind} takes exactly: {', '.join(sorted(wanted))}")
        if self.kind not in {"fixed", "uniform"} and not self.mean:
            raise ValueError("mean must be more than 0")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("low is more than high")
        return self

    def sampler(self) -> Sampler:
        match self.kind:
            case "fixed":
                return fixed(self.mean or 0)
            case "uniform":
                return uniform(self.low or 0, self.high or 0)
            case "exponential":
                return exponential(self.mean or 1)
            case "lognormal":
                return lognormal(self.mean or 1, self.sd or 0)
            case "weibull":
                return weibull(self.mean or 1, self.shape or 1)


def _length(kind: str, **words: str) -> Length:
    return Length.model_validate({"kind": kind, **words})


class RatePoint(Part):
    """From this offset on, until the next point."""

    at: LengthMs
    per_hour: Annotated[float, Field(ge=0, le=1_000_000)]


class Stream(Part):
    """Callers of one number of ours, as a Poisson process."""

    id: Name = "main"
    did: Number
    per_hour: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    profile: tuple[RatePoint, ...] = ()

    @model_validator(mode="after")
    def _one_rate(self) -> "Stream":
        if (self.per_hour is None) == (not self.profile):
            raise ValueError("give either per_hour or profile")
        offsets = [point.at for point in self.profile]
        if offsets != sorted(set(offsets)):
            raise ValueError("the points of a profile must follow one another")
        return self

    def rates(self) -> tuple[RatePoint, ...]:
        return self.profile or (RatePoint(at=0, per_hour=self.per_hour or 0),)


class ScriptedCall(Part):
    """A caller at a stated moment; what is left out is drawn as for anybody."""

    at: LengthMs
    did: Number
    number: Number | None = None
    patience: LengthMs | None = None
    talk: LengthMs | None = None


class AtOnce(Part):
    """Those who hang up whatever happens."""

    share: Share = 0.0
    after: Length = _length("uniform", low="500ms", high="3s")


class Redial(Part):
    """Of callers who were not served."""

    share: Share = 0.0
    after: Length = _length("exponential", mean="600s")


class Clients(Part):
    """How clients behave."""

    population: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """How many there are; None: everyone calls for the first time."""
    mobile: Share = 0.8
    withheld: Share = 0.0
    patience: Length = _length("exponential", mean="90s")
    hang_up_at_once: AtOnce = AtOnce()
    redial: Redial = Redial()
    answers_callback: tuple[Share, ...] = (0.55, 0.35, 0.25, 0.15)
    """By attempt; the last one holds from there on."""
    answers_after: Length = _length("lognormal", mean="8s", sd="4s")
    busy: Share = 0.1
    """Of those who do not answer a call-back."""
    bad_number: Share = 0.0
    """Clients whose number cannot be called back at all."""


class Away(Part):
    """Time that an agent sits idle and not at the telephone."""

    share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    mean: LengthMs = 240_000


class Person(Part):
    """How an agent behaves. What is left out comes from his group, then from `default`."""

    pick_up: Length = _length("lognormal", mean="4500ms", sd="2500ms")
    away: Away = Away()
    refuses: Share = 0.0
    talk: Length = _length("lognormal", mean="180s", sd="120s")
    wrap_up: Length | None = None
    """Says that he is ready after so long; None: waits until the plan's wrap-up is over."""
    ends_talk: Share = 0.3
    """How often he and not the client hangs up."""
    presses_one: Length = _length("lognormal", mean="2s", sd="800ms")
    """On a mobile, after he picked it up."""
    voicemail_after: LengthMs | None = None
    """On a mobile: picks up when its owner does not; never presses 1."""


class People(Part):
    default: Person = Person()
    groups: dict[Name, Person] = {}
    agents: dict[Name, Person] = {}


class Trunks(Part):
    fails: Share = 0.0
    """Of our dials: the carrier's fault."""
    number: Number = "74950000000"


class Attendance(Part):
    """Signs these agents in and out. Who is in none of them is signed in from the start."""

    agents: tuple[Name, ...]
    starts: LengthMs = 0
    ends: LengthMs | None = None


class Scenario(Part):
    name: Name
    about: str = ""
    start: Moment = MONDAY_NINE
    duration: LengthMs
    """Nobody new calls after it; the rest is let settle."""
    arrivals: tuple[Stream, ...] = ()
    calls: tuple[ScriptedCall, ...] = ()
    clients: Clients = Clients()
    people: People = People()
    trunks: Trunks = Trunks()
    shifts: tuple[Attendance, ...] = ()
    network: LengthMs = 60
    """From a command to the telephone's first sign."""

    @model_validator(mode="after")
    def _consistent(self) -> "Scenario":
        ids = [stream.id for stream in self.arrivals]
        if len(set(ids)) != len(ids):
            raise ValueError("two arrivals have the same id")
        if not self.arrivals and not self.calls:
            raise ValueError("nobody calls: give arrivals or calls")
        for shift in self.shifts:
            if shift.ends is not None and shift.ends <= shift.starts:
                raise ValueError("a shift ends before it starts")
        return self

    def person(self, agent: str, groups: Sequence[str] = ()) -> Person:
        """How this agent behaves: his own lines, over his first group's, over the default."""
        person = self.people.default
        group = next((g for g in groups if g in self.people.groups), None)
        for over in (self.people.groups.get(group or ""), self.people.agents.get(agent)):
            if over is not None:
                said = {name: getattr(over, name) for name in over.model_fields_set}
                person = person.model_copy(update=said)
        return person


def load(path: Path) -> Scenario:
    """Read a scenario file, or raise `ScenarioError` naming file, line and reason."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from error
    if len(data) > SIZE_MAX:
        raise ScenarioError(f"{path}: larger than {SIZE_MAX} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: not UTF-8 text") from error
    return loads(text, name=str(path))


def loads(text: str, *, name: str = "scenario") -> Scenario:
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        tree = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScenarioError(f"{name}:{line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ScenarioError(f"{name}: {error}") from error
    if not isinstance(tree, dict):
        raise ScenarioError(f"{name}:1: expected a mapping with name, duration and arrivals")
    _refuse_duplicates(node, name)
    try:
        return Scenario.model_validate(tree)
    except ValidationError as error:
        lines = [_explain(name, node, problem) for problem in error.errors()[:20]]
        raise ScenarioError("\n".join(lines)) from error


def _refuse_duplicates(node: yaml.Node | None, name: str) -> None:
    """A key written twice: YAML would silently take the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise ScenarioError(f"{name}:{line}: {key.value!r} is there twice")
            seen.add(key.value)
            _refuse_duplicates(value, name)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_duplicates(value, name)


def _explain(name: str, node: yaml.Node | None, problem: Any) -> str:  # noqa: ANN401 - pydantic's own dict
    line, place = 1, ""
    for step in problem["loc"]:
        found = _child(node, step)
        if found is None:
            place += f".{step}" if place else str(step)
            continue
        line, node = found
        place += f"[{step}]" if isinstance(step, int) else f".{step}" if place else str(step)
    what = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        what = "unknown key"
    return f"{name}:{line}: {place or 'scenario'}: {what}"


def _child(node: yaml.Node | None, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    return None
