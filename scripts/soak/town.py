"""The traffic of a soak: a whole installation, its agents, and callers who never stop.

with Town(root, lambda plan: Hand(plan, root, print), rate=3, length_s=600) as town:
    town.hand.make(fault)             # harm to `perezvon up`
    town.call_no_more()
    town.until_quiet()
    findings = town.findings()
"""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from perezvon.core.ids import SECOND, GroupId, PersonId, RuleId
from perezvon.core.plan import CallbackRule, Ladder
from perezvon.runtime.ports import Unavailable
from perezvon.store.database import Location
from perezvon.store.persons import SqlDirectory
from scripts.soak.hand import Hand
from scripts.soak.judge import Story, ended_at, judge
from scripts.soak.report import Findings
from scripts.soak.vitals import Vitals
from tests.support.crowd import AGENTS, KINDS, TALKERS, attempts_by_number, pass_time, the_plan
from tests.support.installation import Installation
from tests.support.ports import free_udp_port
from tests.support.scenarios import Answering
from tests.support.silence import Ears, Sentry, longest_silence
from tests.support.sipp import Caller, Happening, Phone, until_now

FIRST_S: Final = 60
QUIET_S: Final = 150
"""Those in the fallback are served, debts are worked off, the second witness has told."""
LOOK_S: Final = 1.0
EARS: Final = 900
TALK_MS: Final = {"short": 2_500, "late": 4_000, "long": 14_000}
"""Of each kind. Who leaves the music before an agent comes has waited long enough to be owed."""
RATE_OF_KINDS: Final = sum(kind.rate for kind in KINDS)

SOON: Final = CallbackRule(
    RuleId("soon"),
    group=GroupId("all"),
    briefing=False,
    ladder=Ladder(tuple(n * 20 * SECOND for n in range(7))),
    gap_ms_min=10 * SECOND,
)
"""A call-back that a fault undid comes again while we look."""


class Town:
    def __init__(
        self, root: Path, say: Callable[[str], None], *, rate: float, length_s: float
    ) -> None:
        """`rate`: calls a second, of all kinds together."""
        self._say = say
        self._stack = ExitStack()
        # First of all: so many ports would take one that was found free for somebody else.
        self._ears = Ears(EARS)
        ports, clients_port = [free_udp_port() for _ in KINDS], free_udp_port()
        plan = the_plan(ports, clients_port, SOON)
        self.hand = Hand(plan, root, say)
        self.whole = Installation(plan, root, environment=self.hand.environment)
        running = self.whole.running
        speaking = Answering(answer_after_ms=300, speaks=True)
        leaving = replace(speaking, answer_after_ms=500, talk_ms=1_800)
        calling = replace(speaking, answer_after_ms=600, talk_ms=1_500)
        self._agents = [
            Phone(running, AGENTS[:6], speaking, root / "staying"),
            Phone(running, AGENTS[6:], leaving, root / "leaving"),
            Phone(running, TALKERS, speaking, root / "talkers"),
        ]
        self._clients = Phone(running, [], calling, root / "clients", port=clients_port)
        self._sentry = Sentry(running)
        self._vitals = Vitals(self.whole.pid_of, ("engine", "asterisk"))
        kinds = [
            replace(kind, rate=kind.rate * rate / RATE_OF_KINDS, talk_ms=TALK_MS[kind.name])
            for kind in KINDS
        ]
        made = [kind.calls(self._ears, int(kind.rate * length_s * 1.5) + 50) for kind in kinds]
        self._ear_of = {call.number: call.ear or 0 for calls in made for call in calls}
        self._callers = [
            Caller(running, calls, root / kind.name, port=port, rate=max(kind.rate, 0.1),
                   talk_ms=kind.talk_ms, patience_ms=kind.patience_ms)
            for kind, calls, port in zip(kinds, made, ports, strict=True)
        ]  # fmt: skip

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.whole)
            for phone in (*self._agents, self._clients):
                stack.enter_context(phone)
            self.whole.sign_in(*AGENTS, *TALKERS)
            for watcher in (self._ears, self._sentry):
                stack.enter_context(watcher)
            stack.enter_context(self._vitals)
            for caller in self._callers:
                stack.enter_context(caller)
            until_now(
                lambda: bool(self._callers[0].of("answered")), FIRST_S, self._callers[0].trouble
            )
            self.hand.takes(self.whole)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def findings_when_quiet(self) -> Findings:
        """Nobody calls any more, and all calls end. What does not become quiet is found too."""
        self._say("the callers stop; waiting until all is quiet")
        for caller in self._callers:
            caller.call_no_more()
        stopped_at = time.monotonic()
        while not (self._are_over() and self._is_quiet()):
            if time.monotonic() > stopped_at + QUIET_S:
                self._say("it did not become quiet")
                break
            pass_time(LOOK_S)
        return self._findings(stopped_at)

    def _findings(self, stopped_at: float) -> Findings:
        whole = self.whole
        callers = self._by_number()
        facts = whole.facts()
        location = Location(whole.settings.data_dir, whole.settings.database_url or "")
        directory = SqlDirectory.open(location)
        try:
            story = Story(
                callers,
                [one for phone in self._agents for one in phone.happenings()],
                self._clients.happenings(),
                self.hand.deaths_of_the_switch(),
                facts,
                lambda person: _plain(directory, person),
            )
            attempts = attempts_by_number(whole, facts)
            judgement = judge(story, attempts)
        finally:
            directory.close()
        _, ledger = whole.told_ledger()
        return Findings(
            done=self.hand.done,
            judgement=judgement,
            silences=[
                longest_silence(story.before_the_cut(number), self._ears, self._ear_of[number])
                for number in callers
            ],
            stranded_s=self._sentry.longest_stranded_s,
            left_over=self._sentry.left_over(),
            ledger=ledger,
            in_cel=len(whole.arrivals_in_cel()),
            calls=len(callers),
            refused=sum(one.kind == "refused" for call in callers.values() for one in call),
            attempts=attempts.total(),
            samples=self._vitals.samples,
            stopped_at=stopped_at,
        )

    def _by_number(self) -> dict[str, list[Happening]]:
        return {
            call[0].caller: call
            for caller in self._callers
            for call in caller.by_call().values()
        }  # fmt: skip

    def _are_over(self) -> bool:
        """Each call has ended, or the switch died under it."""
        if all(caller.finished() for caller in self._callers):
            return True
        deaths = self.hand.deaths_of_the_switch()
        return all(
            ended_at(call) is not None or any(call[0].at < death for death in deaths)
            for call in self._by_number().values()
        )

    def _is_quiet(self) -> bool:
        try:
            ledger = self.whole.ledger()
        except Unavailable:
            return False
        counted = ledger["in_progress"] == ledger["debts_open"] == 0
        if not counted or any(self._sentry.left_over().values()):
            return False
        _, told = self.whole.told_ledger()
        return _agree(told)


def _agree(told: Mapping[str, Any]) -> bool:
    """The two accounts, of which one tells later than the other."""
    return bool(told["balanced"]) and not told["reconciliation"]["difference"]


def _plain(directory: SqlDirectory, person: PersonId) -> str:
    return (directory.number_of(person) or "").removeprefix("+")
