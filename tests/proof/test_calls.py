"""Callers at 5 a second, twelve agents, ring three for ten seconds: each talks to exactly one."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from perezvon.core.facts import OfferEnded, OfferOutcome
from perezvon.core.ids import SECOND, GroupId, QueueId
from perezvon.core.plan import Queue, Step
from tests.proof.conftest import Figures
from tests.store.postgres import NoPostgres, running_postgres
from tests.support.asterisk import asterisk
from tests.support.engine import EngineProcess
from tests.support.plans import NUMBER, plan_of
from tests.support.ports import free_udp_port
from tests.support.scenarios import Answering
from tests.support.sipp import Call, Caller, Happening, Phone, until_now

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("calls")]

AGENTS = tuple(f"agent-{n:02}" for n in range(1, 13))
TALK_MS = 800
FIRST_ANSWER_S = 0.2
ELSEWHERE = "Call completed elsewhere"
QUICK, STEADY, SLOW = (Answering(answer_after_ms=ms) for ms in (300, 600, 900))


def is_quiet(phones: Phone) -> bool:
    """The last BYE may reach a telephone after the engine has put the call away."""
    kinds = ({one.kind for one in call} for call in phones.by_call().values())
    return all("answered" not in call or call & {"ended_by_other", "hung_up"} for call in kinds)


def talked_long_enough(phones: Phone) -> list[Happening]:
    """Answers that a talk came of. Who picked up in the same moment as another is hung up at
    once: by a BYE with the reason, or without one where our CANCEL crossed his answer.
    """
    answers = []
    for happenings in phones.by_call().values():
        at = {one.kind: one for one in happenings}
        if "answered" in at:
            end = at.get("ended_by_other") or at["hung_up"]
            if end.at - at["answered"].at > TALK_MS / 2 / SECOND:
                answers.append(at["answered"])
    return answers


def stopped_without_reason(phones: Phone) -> list[Happening]:
    """Who is let go before a first answer to his INVITE is cancelled by pjproject on its own, and
    without the reason: at once after that answer. Those do not count.
    """
    found = []
    for happenings in phones.by_call().values():
        at = {one.kind: one for one in happenings}
        if "cancelled" in at and at["cancelled"].detail != ELSEWHERE:
            let_go_early = at["cancelled"].at - at["invited"].at < FIRST_ANSWER_S
            if at["cancelled"].detail or not let_go_early:
                found.append(at["cancelled"])
    return found


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Empty for SQLite."""
    if request.param == "sqlite":
        yield ""
        return
    try:
        with running_postgres() as url:
            yield url
    except NoPostgres as error:
        pytest.skip(f"no PostgreSQL here: {error}")


@pytest.mark.parametrize(
    ("database_url", "count", "scaled"),
    [
        pytest.param("sqlite", 300, 40, id="sqlite"),
        pytest.param("postgres", 60, 15, id="postgres", marks=pytest.mark.postgres),
    ],
    indirect=["database_url"],
)
def test_every_caller_talks_to_exactly_one_agent_and_losers_missed_nothing(
    figures: Figures, tmp_path: Path, database_url: str, count: int, scaled: int
) -> None:
    count = count if figures.full else scaled
    callers_port = free_udp_port()
    step = Step(groups=(GroupId("all"),), k=3, ring_ms=10 * SECOND)
    queue = Queue(QueueId("sales"), "Sales", (step,), answer_first=False, wrap_up_ms=0)
    plan = plan_of(AGENTS, callers_port=callers_port, queues=(queue,))
    calls = [Call(f"7916{n:07}", NUMBER) for n in range(1, count + 1)]
    with (
        asterisk(plan, tmp_path) as running,
        EngineProcess(running, tmp_path, database_url=database_url) as engine,
        Phone(running, AGENTS[:4], QUICK, tmp_path) as quick,
        Phone(running, AGENTS[4:8], STEADY, tmp_path) as steady,
        Phone(running, AGENTS[8:], SLOW, tmp_path) as slow,
    ):
        engine.sign_in(*AGENTS)
        with Caller(
            running, calls, tmp_path, port=callers_port, talk_ms=TALK_MS, patience_ms=60_000
        ) as callers:
            until_now(callers.finished, 60 + count, callers.trouble)
        until_now(lambda: engine.ledger()["in_progress"] == 0, 10, engine.log_tail)
        until_now(lambda: all(map(is_quiet, (quick, steady, slow))), 10, engine.log_tail)
        answered = callers.of("answered")
        talks = Counter(
            one.caller.removeprefix("+")
            for phones in (quick, steady, slow)
            for one in talked_long_enough(phones)
        )
        happenings = [one for phones in (quick, steady, slow) for one in phones.happenings()]
        stopped = [one for one in happenings if one.kind == "cancelled"]
        unexplained = [
            one for phones in (quick, steady, slow) for one in stopped_without_reason(phones)
        ]
        facts = engine.facts()
        status, ledger = engine.told_ledger()
        in_cel = engine.arrivals_in_cel()
    assert len(answered) == count, callers.trouble()
    assert talks == dict.fromkeys((call.number for call in calls), 1)
    assert not unexplained
    explained = sum(one.detail == ELSEWHERE for one in stopped)
    assert explained
    ended = [fact for fact in facts if isinstance(fact, OfferEnded)]
    missed = [fact for fact in ended if fact.outcome is OfferOutcome.MISSED]
    assert not missed
    assert status == 0
    assert ledger["balanced"]
    assert ledger["arrivals"] == ledger["answered"] == len(in_cel) == len(set(in_cel)) == count
    on = "PostgreSQL" if database_url else "SQLite"
    figures.state(f"{on}: calls, at 5/s, 12 agents, ring three for 10 s", count, count)
    figures.state("callers who talked to exactly one agent", len(answered), count)
    figures.state("telephones stopped by “Call completed elsewhere”", explained, len(stopped))
    figures.state("offers marked missed", len(missed), 0)
    figures.state("arrivals: ledger / CEL", f"{ledger['arrivals']} / {len(in_cel)}", "equal")
    figures.state("ledger", "balanced" if ledger["balanced"] else "OUT OF BALANCE", "balanced")
