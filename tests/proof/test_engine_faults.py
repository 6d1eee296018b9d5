"""Calls at 5 a second while the engine is killed and frozen again and again: nobody is lost.

The engine runs under the product's own supervisor, with its watchdog and its loaded spare; the
test only hits it, at moments drawn from a printed seed: `kill -9` (now and then several in a row,
before it is back), and a standstill of 5 to 60 s, which the watchdog may end before we do.

Callers of three kinds: most are served, picked up at once or after ringing; some find nobody and
hang up, so that they are owed and called back; some talk for long, over several faults. Agents
speak; half of them end the talks themselves, also while there is no engine.

What is measured, and where, so that the engine cannot speak well of itself:

- silence at the callers' ends and on the switch, see `tests.support.silence`;
- cut talks at both telephones: neither of them hung up;
- ends: the INVITEs that SIPp sent, the arrivals in CEL and those in the ledger are the same
  number, and none is in progress when all is quiet;
- call-backs: the INVITEs that a client's telephone received against the attempts on record.
"""

import os
import random
import signal
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from perezvon.core.ids import LegId
from tests.proof.conftest import Figures
from tests.support.asterisk import asterisk
from tests.support.crowd import AGENTS, KINDS, TALKERS, attempts_by_number, pass_time, the_plan
from tests.support.ports import free_udp_port
from tests.support.scenarios import Answering
from tests.support.silence import ENDS, Ears, Sentry, Silence, longest_silence
from tests.support.sipp import Caller, Happening, Phone, until_now
from tests.support.supervised import SupervisedEngine

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("faults")]

KILLS, FREEZES = 100, 30
SCALED = KILLS // 20, FREEZES // 15, (5, 8)
"""A few of them, when not in full; and how long a freeze lasts, in seconds."""

CALLS_PER_S_MIN = 4.5
"""Five a second are asked of SIPp."""

SILENT_S_MAX = 15
EARS = 900
QUIET_S = 150
"""Those in the fallback are served, debts are worked off."""


@dataclass
class Hits:
    """What was done to the engine, and how soon it was back after a kill."""

    kills: int = 0
    freezes: int = 0
    back_after_kill_s: list[float] = field(default_factory=list)


def hit_again_and_again(
    engine: SupervisedEngine, callers: Sequence[Caller], hits: Hits, chance: random.Random,
    *, full: bool,
) -> None:  # fmt: skip
    """All of them in a drawn order, each at a drawn moment, while they call."""
    kills, freezes, freezes_s = (KILLS, FREEZES, (5, 60)) if full else SCALED
    todo = ["kill"] * kills + ["freeze"] * freezes
    chance.shuffle(todo)
    while todo:
        pass_time(chance.uniform(0.2, 4))
        for caller in callers:
            caller.assert_calling()
        hit_at = time.monotonic()
        if todo.pop() == "freeze":
            pid = engine.hit(signal.SIGSTOP)
            hits.freezes += 1
            pass_time(chance.uniform(*freezes_s))
            engine.hit(signal.SIGCONT, pid)
            engine.until_beating()
            continue
        killed = engine.hit(signal.SIGKILL)
        hits.kills += 1
        # Again before it is back: one of five comes in a row.
        while todo and todo[-1] == "kill" and chance.random() < 0.2:
            todo.pop()
            pass_time(chance.uniform(0.1, 2))
            hit_at = time.monotonic()
            killed = engine.hit(signal.SIGKILL)
            hits.kills += 1
        engine.until_heir_of(killed)
        engine.until_beating()
        hits.back_after_kill_s.append(time.monotonic() - hit_at)


@dataclass
class Story:
    """What all ends have on record when it is quiet again."""

    callers: dict[str, list[Happening]]
    """By number: each calls once."""
    calling_s: float
    """How long they kept calling."""
    agents: list[Happening]
    clients: list[Happening]
    silence: Silence
    stranded_s: float
    away_s: float
    """The longest time without a heartbeat on the switch."""
    ledger: dict[str, Any]
    in_cel: list[LegId]
    attempts: Counter[str]
    """By the client's number."""

    def cut(self) -> list[str]:
        """Callers whose talk neither side ended."""
        hung_up = {one.caller.removeprefix("+") for one in self.agents if one.kind == "hung_up"}
        return [
            number
            for number, call in self.callers.items()
            if any(one.kind == "ended_by_other" for one in call) and number not in hung_up
        ]

    def without_end(self) -> list[str]:
        return [
            number
            for number, call in self.callers.items()
            if not any(one.kind in ENDS for one in call)
        ]

    def rings_beyond_attempts(self) -> dict[str, int]:
        rung = Counter(one.agent.removeprefix("+") for one in self.clients if one.kind == "invited")
        return dict(rung - self.attempts)


def play(root: Path, hits: Hits, chance: random.Random, *, full: bool) -> Story:
    """The whole office under faults, and what is left of it when the last caller is served."""
    ports, clients_port = [free_udp_port() for _ in KINDS], free_udp_port()
    plan = the_plan(ports, clients_port)
    speaking = Answering(answer_after_ms=300, speaks=True)
    leaving = Answering(answer_after_ms=500, talk_ms=900, speaks=True)
    with ExitStack() as stack:
        running = stack.enter_context(asterisk(plan, root))
        engine = stack.enter_context(SupervisedEngine(running, root))
        phones = [
            stack.enter_context(Phone(running, AGENTS[:6], speaking, root / "staying")),
            stack.enter_context(Phone(running, AGENTS[6:], leaving, root / "leaving")),
            stack.enter_context(Phone(running, TALKERS, speaking, root / "talkers")),
        ]
        clients = stack.enter_context(
            Phone(running, [], Answering(answer_after_ms=600, talk_ms=1_500, speaks=True),
                  root / "clients", port=clients_port)
        )  # fmt: skip
        engine.sign_in(*AGENTS, *TALKERS)
        ears, sentry = stack.enter_context(Ears(EARS)), stack.enter_context(Sentry(running))
        made = {kind.name: kind.calls(ears, 20_000 if full else 2_000) for kind in KINDS}
        callers = [
            stack.enter_context(
                Caller(running, made[kind.name], root / kind.name, port=port, rate=kind.rate,
                       talk_ms=kind.talk_ms, patience_ms=kind.patience_ms)
            )
            for kind, port in zip(KINDS, ports, strict=True)
        ]  # fmt: skip
        begun_at = time.monotonic()
        hit_again_and_again(engine, callers, hits, chance, full=full)
        calling_s = time.monotonic() - begun_at
        end_the_day(engine, callers, sentry)
        by_number = {
            happenings[0].caller: happenings
            for caller in callers
            for happenings in caller.by_call().values()
        }
        ear_of = {call.number: call.ear or 0 for calls in made.values() for call in calls}
        # Before the facts: a debt whose time comes just now is dialled after its attempt is known.
        rung = clients.happenings()
        status, ledger = engine.told_ledger()
        assert status == 0, ledger
        facts = engine.facts()
        return Story(
            callers=by_number,
            calling_s=calling_s,
            agents=[one for phone in phones for one in phone.happenings()],
            clients=rung,
            silence=max(
                (longest_silence(call, ears, ear_of[number]) for number, call in by_number.items()),
                key=lambda one: one.length_s,
            ),
            stranded_s=sentry.longest_stranded_s,
            away_s=sentry.longest_away_s,
            ledger=ledger,
            in_cel=engine.arrivals_in_cel(),
            attempts=attempts_by_number(engine, facts),
        )


def end_the_day(engine: SupervisedEngine, callers: Sequence[Caller], sentry: Sentry) -> None:
    """Who is on the line is served, and what falls due meanwhile is called back."""
    for caller in callers:
        caller.call_no_more()
    for caller in callers:
        until_now(caller.finished, QUIET_S, caller.trouble)
    until_now(lambda: quiet(engine, sentry), QUIET_S, engine.ledger)


def quiet(engine: SupervisedEngine, sentry: Sentry) -> bool:
    """No caller is on the line and nobody is being called back. A debt may wait for its time."""
    return engine.ledger()["in_progress"] == 0 and not any(sentry.left_over().values())


def test_nobody_is_lost_or_left_in_silence_over_kills_and_freezes_of_the_engine(
    figures: Figures, tmp_path: Path
) -> None:
    seed = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
    print(f"SEED={seed}")
    hits = Hits()
    story = play(tmp_path, hits, random.Random(seed), full=figures.full)
    ledger = story.ledger
    assert len(story.callers) >= CALLS_PER_S_MIN * story.calling_s
    assert story.silence.length_s <= SILENT_S_MAX, story.silence
    assert story.stranded_s <= SILENT_S_MAX
    assert not story.without_end()
    assert not story.cut()
    assert ledger["balanced"], ledger
    assert ledger["in_progress"] == ledger["reconciliation"]["difference"] == 0, ledger
    assert len(story.callers) == len(story.in_cel) == len(set(story.in_cel)) == ledger["arrivals"]
    assert not story.rings_beyond_attempts()
    assert story.attempts
    state_figures(figures, hits, story, seed)


def state_figures(figures: Figures, hits: Hits, story: Story, seed: int) -> None:
    state, ledger = figures.state, story.ledger
    state("kills / freezes of the engine", f"{hits.kills} / {hits.freezes}", f"{KILLS} / {FREEZES}")
    state("calls / for so long, s", f"{len(story.callers)} / {story.calling_s:.0f}", "5 a second")
    state("longest silence of a caller, s", f"{story.silence.length_s:.1f}", f"<= {SILENT_S_MAX}")
    state("longest in our hands without an engine, s", f"{story.stranded_s:.1f}", SILENT_S_MAX)
    state("callers without an end", len(story.without_end()), 0)
    state("talks that neither side ended", len(story.cut()), 0)
    counts = f"{len(story.callers)} / {len(story.in_cel)} / {ledger['arrivals']}"
    state("INVITEs sent / arrivals in CEL / in the ledger", counts, "equal")
    state("reconciliation difference", ledger["reconciliation"]["difference"], 0)
    state(
        "call-backs on record / rung beyond them",
        f"{story.attempts.total()} / {sum(story.rings_beyond_attempts().values())}",
        "any / 0",
    )
    back = f"{statistics.median(hits.back_after_kill_s):.1f} / {max(hits.back_after_kill_s):.1f}"
    state("from kill -9 to heartbeat, s: median / longest", back, "see bench")
    state("longest without a heartbeat, s", f"{story.away_s:.1f}", "see watchdog")
    state("seed", seed, "drawn")
