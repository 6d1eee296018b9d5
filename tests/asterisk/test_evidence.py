"""The evidence of real calls: each leg's SIP, ARI, CEL and facts; nobody's number and name."""

import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from perezvon.asterisk.traces import password
from perezvon.bootstrap import worker
from perezvon.core.facts import AttemptMade, CallAnswered, CallOwed, CallReceived
from perezvon.core.ids import AgentId, GroupId, QueueId, RuleId
from perezvon.core.plan import Agent, CallbackRule, Queue, Step, Thresholds
from perezvon.runtime.ring import begins_at
from perezvon.store.database import Location
from tests.support.asterisk import PASSWORD, asterisk
from tests.support.engine import EngineProcess
from tests.support.plans import NUMBER, plan_of
from tests.support.ports import free_udp_port
from tests.support.scenarios import Answering
from tests.support.sipp import Call, Caller, Phone, until_now

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("evidence")]

AGENT_NAME = "Annabella Canary"
ANSWERED, MISSED = "79161112233", "79034445566"
CALLER_NAME = "Canary Caller"
SOON_S = 60


@dataclass
class Made:
    """What `perezvon evidence` said and made."""

    files: dict[str, str]
    said: str
    mode: int

    @property
    def text(self) -> str:
        return "\n".join(self.files.values())

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.files[name].splitlines()]

    @property
    def manifest(self) -> dict[str, Any]:
        return dict(json.loads(self.files["manifest.json"]))

    def ladder_of(self, leg: str) -> list[str]:
        """First lines of its messages."""
        rows = [row.split(None, 5) for row in self.files["sip/ladder.txt"].splitlines()]
        return [row[5] for row in rows if row[1] == leg]


@dataclass
class Office:
    engine: EngineProcess
    answered: str
    missed: str
    made: dict[tuple[str, ...], Made] = field(default_factory=dict)

    def evidence(self, call: str, *options: str) -> Made:
        """Made once for each way to ask."""
        key = (call, *options)
        if key not in self.made:
            self.made[key] = self._make(call, *options)
        return self.made[key]

    def _make(self, call: str, *options: str) -> Made:
        path = self.engine.root / f"{len(self.made)}.zip"
        done = subprocess.run(
            [sys.executable, "-m", "perezvon", "evidence", call, "--out", str(path),
             "--lang", "en", *options],
            env={**os.environ, **self.engine.settings.environment()},
            capture_output=True, check=False, timeout=SOON_S, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        with zipfile.ZipFile(path) as zipped:
            files = {name: zipped.read(name).decode() for name in zipped.namelist()}
        return Made(files, done.stdout, path.stat().st_mode & 0o777)


@contextmanager
def hearing(engine: EngineProcess, port: int) -> Iterator[None]:
    """A worker in a thread: it hears what Asterisk copies."""
    ours, stop = engine.settings, threading.Event()
    options = worker.WorkerOptions(
        Location(ours.data_dir),
        evidence=worker.Evidence(port, password(PASSWORD), ours.trace_dir, ours.trace_bytes_max),
    )
    thread = threading.Thread(target=worker.run, args=(options, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(SOON_S)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Two calls that are over: one talked for six seconds, one left and was called back. The
    engine is away when they are asked after.
    """
    root = tmp_path_factory.mktemp("evidence")
    callers_port, clients_port, hep_port = free_udp_port(), free_udp_port(), free_udp_port()
    anna = Agent(AgentId("anna"), AGENT_NAME)
    step = Step(groups=(GroupId("all"),))
    plan = plan_of(
        (anna,),
        queues=(Queue(QueueId("sales"), "Sales", (step,), wrap_up_ms=0),),
        callers_port=callers_port,
        clients_port=clients_port,
        callback_rules=(CallbackRule(RuleId("at-once"), briefing=False),),
        thresholds=Thresholds(short_ms=0),
    )
    speaking = Answering(answer_after_ms=300, speaks=True)
    with (
        asterisk(plan, root, hep_port=hep_port, hep_password=password(PASSWORD)) as running,
        EngineProcess(running, root) as engine,
        hearing(engine, hep_port),
        Phone(running, ["anna"], speaking, root),
        Phone(running, [], Answering(answer_after_ms=300, talk_ms=500), root, port=clients_port),
    ):
        with Caller(
            running, [Call(MISSED, NUMBER, CALLER_NAME)], root / "m", port=callers_port,
            patience_ms=1_500,
        ) as leaving:  # fmt: skip
            until_now(leaving.finished, SOON_S, leaving.trouble)
        # Else it rings her for somebody whose end the engine has not heard of yet.
        until_now(lambda: engine.ledger()["in_progress"] == 0, SOON_S, engine.log_tail)
        engine.sign_in("anna")
        until_now(lambda: any(isinstance(one, AttemptMade) for one in engine.facts()), SOON_S)
        with Caller(
            running, [Call(ANSWERED, NUMBER, CALLER_NAME)], root / "a", port=callers_port,
            talk_ms=6_500,
        ) as talking:  # fmt: skip
            until_now(talking.finished, SOON_S, talking.trouble)
        until_now(lambda: engine.ledger()["in_progress"] == 0, SOON_S, engine.log_tail)
        until_now(lambda: running.cli("core show channels count").startswith("0 "), SOON_S)
        facts = engine.facts()
        assert begins_at(engine.settings.trace_dir, "wire") is not None
        engine.stop()
    received = [one.call for one in facts if isinstance(one, CallReceived)]
    owed = next(one.call for one in facts if isinstance(one, CallOwed))
    taken = [one.call for one in facts if isinstance(one, CallAnswered) and one.call in received]
    return Office(engine, taken[0], owed)


def test_an_answered_call_has_the_ladder_of_each_leg(office: Office) -> None:
    made = office.evidence(office.answered)
    leg = json.loads(made.files["call.json"])["leg"]
    caller = made.ladder_of(leg)
    agent = made.ladder_of(f"{office.answered}/1")
    for ladder in (caller, agent):
        assert ladder[0].startswith("INVITE "), made.files["sip/ladder.txt"]
        assert any(line.startswith("ACK ") for line in ladder)
        assert any(line.startswith("BYE ") for line in ladder)
        assert ladder.count("SIP/2.0 200 OK") == 2
    assert "sip_legs" not in {one["what"] for one in made.manifest["missing"]}


def test_a_missed_call_has_its_debt_and_its_call_back(office: Office) -> None:
    made = office.evidence(office.missed)
    types = {fact["t"] for fact in made.lines("facts.jsonl")}
    assert {"CallMissed", "CallOwed", "AttemptStarted", "AttemptMade", "DebtSettled"} <= types
    ladder = made.files["sip/ladder.txt"]
    # The caller's own, the agent's and the client's.
    assert ladder.count("  INVITE ") == 3, ladder
    cel = made.files["cel.csv"].splitlines()
    assert sum(row.startswith("CHAN_START") for row in cel) == 3
    assert "called" in made.files["explanation.en.txt"].lower()
    assert made.files["explanation.ru.txt"] != made.files["explanation.en.txt"]


def test_ari_is_told_with_status_and_duration(office: Office) -> None:
    made = office.evidence(office.answered)
    events = [one["event"]["type"] for one in made.lines("ari/events.jsonl")]
    assert {"StasisStart", "ChannelStateChange", "ChannelDestroyed"} <= set(events)
    requests = made.lines("ari/requests.jsonl")
    created = next(one for one in requests if one["uri"] == "channels/create")
    assert created["status"] == 200
    assert 0 < created["duration_ms"] < 2_000
    assert all(one["status"] is not None for one in requests), requests


def test_the_sound_of_the_agents_leg_is_measured(office: Office) -> None:
    made = office.evidence(office.answered)
    leg = json.loads(made.files["rtp.json"])[f"{office.answered}/1"]
    assert leg["received"]["packets_lost"] == 0
    assert leg["received"]["jitter_ms_max"] < 1_000


def test_the_plan_and_the_versions_are_those_of_then(office: Office) -> None:
    made = office.evidence(office.answered)
    version = json.loads(made.files["call.json"])["plan"]
    assert f"plan-{version}.yaml" in made.files
    assert made.manifest["asterisk"].startswith("22.")
    assert made.manifest["perezvon"]
    assert made.mode == 0o600


@pytest.mark.parametrize("which", ["answered", "missed"])
def test_nobodys_number_and_name_is_in_it(office: Office, which: str) -> None:
    made = office.evidence(getattr(office, which))
    for number in (ANSWERED, MISSED, NUMBER):
        assert number[-10:] not in made.text
    for name in (AGENT_NAME, CALLER_NAME, "Canary"):
        assert name not in made.text
    assert made.manifest["redacted"] is True
    assert "79*******33" in made.text or "79*******66" in made.text


def test_with_numbers_they_are_there(office: Office) -> None:
    made = office.evidence(office.answered, "--with-numbers")
    assert ANSWERED in made.text
    assert CALLER_NAME in made.text
    assert made.manifest["redacted"] is False
    assert "hand it to those only" in made.said
