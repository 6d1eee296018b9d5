"""The scenario file: what is read, and how it is refused."""

from itertools import islice
from pathlib import Path

import pytest

from perezvon.core.ids import HOUR, MINUTE, SECOND
from perezvon.sim.draws import Draws
from perezvon.sim.people import Callers, Worker
from perezvon.sim.scenario import Length, ScenarioError, load, loads

EXAMPLES = Path(__file__).parents[2] / "examples" / "scenarios"
HEAD = "name: x\nduration: 3m\n"
CALLS = HEAD + "arrivals:\n  - {did: '7495', per_hour: 60}\n"


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.name)
def test_every_example_is_read(file: Path) -> None:
    scenario = load(file)
    assert scenario.name == file.stem
    assert next(iter(Callers(scenario, Draws(1)).arrivals())).at_ms >= 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "x.yaml:1: expected a mapping"),
        ("- 1", "x.yaml:1: expected a mapping"),
        ("a: [", "x.yaml:1: expected the node content"),
        ("name: x\nname: y", "x.yaml:2: 'name' is there twice"),
        (CALLS + "foo: 1", "x.yaml:5: foo: unknown key"),
        ("name: x\nduration: 5\n", "x.yaml:2: duration: 5 has no unit"),
        ("name: x\nduration: soon\n", "x.yaml:2: duration: 'soon' is not a length"),
        (HEAD, "nobody calls"),
        (HEAD + "arrivals:\n  - {did: abc, per_hour: 1}", "x.yaml:4: arrivals[0].did: "),
        (HEAD + "arrivals:\n  - {did: '12'}", "give either per_hour or profile"),
        (CALLS + "clients:\n  patience: {kind: lognormal, mean: 3s}", "takes exactly: mean, sd"),
        (CALLS + "clients:\n  withheld: 1.5", "x.yaml:6: clients.withheld: "),
        (CALLS + "start: 2026-03-02T09:00:00", "needs an offset"),
        (CALLS + "shifts:\n  - {agents: [a], starts: 2m, ends: 1m}", "ends before it starts"),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_reason(text: str, reason: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        loads(text, name="x.yaml")
    assert reason in str(refused.value)


def test_an_absent_or_odd_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="No such file"):
        load(tmp_path / "none.yaml")
    (tmp_path / "odd.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenarioError, match="not UTF-8"):
        load(tmp_path / "odd.yaml")
    (tmp_path / "big.yaml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(ScenarioError, match="larger than"):
        load(tmp_path / "big.yaml")


def test_an_agent_behaves_by_his_own_lines_then_his_groups_then_the_default() -> None:
    scenario = loads(
        CALLS
        + """
people:
  default: {refuses: 0.1, pick_up: 9s}
  groups:
    sales: {pick_up: 4s, away: {share: 0.5, mean: 60s}}
  agents:
    ann: {pick_up: 2s}
"""
    )
    ann = scenario.person("ann", ["other", "sales"])
    assert (ann.pick_up.mean, ann.away.share, ann.refuses) == (2 * SECOND, 0.5, 0.1)
    assert scenario.person("bob").pick_up.mean == 9 * SECOND


@pytest.mark.parametrize(
    "words",
    [
        {"kind": "fixed", "mean": "90s"},
        {"kind": "uniform", "low": "60s", "high": "2m"},
        {"kind": "exponential", "mean": "90s"},
        {"kind": "lognormal", "mean": "90s", "sd": "60s"},
        {"kind": "weibull", "mean": "90s", "shape": 1.5},
    ],
    ids=lambda words: words["kind"],
)
def test_every_distribution_has_the_mean_that_it_was_given(words: dict[str, object]) -> None:
    sample = Length.model_validate(words).sampler()
    count = 20_000
    mean = sum(sample((place + 0.5) / count) for place in range(count)) / count
    assert mean == pytest.approx(90 * SECOND, rel=0.01)


def test_arrivals_follow_the_profile() -> None:
    scenario = loads(
        "name: x\nduration: 30h\narrivals:\n"
        "  - did: '7495'\n    profile:\n"
        "      - {at: 0s, per_hour: 30}\n      - {at: 10h, per_hour: 300}\n"
        "      - {at: 20h, per_hour: 0}\n"
    )
    moments = [arrival.at_ms for arrival in Callers(scenario, Draws(7)).arrivals()]
    assert moments == sorted(moments)
    low = sum(at < 10 * HOUR for at in moments)
    assert low == pytest.approx(300, rel=0.2)
    assert len(moments) - low == pytest.approx(3_000, rel=0.1)
    assert max(moments) < 20 * HOUR


def test_draws_depend_on_their_name_alone() -> None:
    first, second = Draws(1), Draws(1)
    second.some("caller", "somebody else", 6)
    assert first.one("gap", "main/3") == second.one("gap", "main/3")
    assert first.one("gap", "main/3") != Draws(2).one("gap", "main/3")
    assert first.one("gap", "main/3") != first.one("gap", "main/4")


def test_one_person_keeps_his_number() -> None:
    scenario = loads(CALLS + "clients: {population: 5}")
    callers = Callers(scenario, Draws(1))
    clients = {arrival.client for arrival in islice(callers.arrivals(), 100)}
    assert len(clients) <= 5
    assert {callers.number(client)[:2] for client in clients} == {"+7"}


def test_an_agent_is_away_for_the_share_that_was_given() -> None:
    person = loads(CALLS + "people: {default: {away: {share: 0.4, mean: 4m}}}").person("ann")
    worker = Worker("ann", person, Draws(1))
    looks = range(0, 2_000 * HOUR, 5 * MINUTE)
    away = sum(worker.back_at(at) > at for at in looks)
    assert away / len(looks) == pytest.approx(0.4, abs=0.03)


def test_an_agent_just_seen_is_at_his_telephone() -> None:
    person = loads(CALLS + "people: {default: {away: {share: 0.9, mean: 1h}}}").person("ann")
    worker = Worker("ann", person, Draws(1))
    for at in range(0, 100 * HOUR, HOUR):
        worker.seen(at)
        assert worker.back_at(at) == at
