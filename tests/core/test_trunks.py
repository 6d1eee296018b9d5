"""Call-backs through a carrier that fails: no attempt burnt, no storm, nobody forgotten."""

from collections import Counter
from collections.abc import Callable

from perezvon.core.commands import Command, DialClient
from perezvon.core.events import (
    EndCause,
    LegAnswered,
    LegEnded,
    LegRinging,
    TrunkChanged,
    WaiverGiven,
)
from perezvon.core.facts import AttemptMade, AttemptOutcome
from perezvon.core.ids import MINUTE, SECOND, PersonId, RuleId, TrunkId
from perezvon.core.plan import CallbackOrder, CallbackRule
from tests.core.office import ANA, BOB, CAT, Office, office_plan

CITY = TrunkId("city")
CLIENT_FIRST = CallbackRule(RuleId("r"), order=CallbackOrder.CLIENT_FIRST)

Answer = Callable[[DialClient], tuple[LegRinging | LegAnswered | LegEnded, ...]]


class Street(Office):
    """An office, and what its carrier says to each dialling, at once."""

    def __init__(self, *debtors: str) -> None:
        super().__init__(office_plan(ANA, BOB, CAT, rules=[CLIENT_FIRST]), signed_in=False)
        self.answer_with: Answer = lambda _dial: ()
        self.dialled: list[tuple[int, DialClient]] = []
        self.are_missed(*debtors)

    def are_missed(self, *callers: str) -> None:
        for name in callers:
            leg = self.call(name)
            self.later(8 * SECOND)
            self.tell(LegEnded(leg, EndCause.CANCELLED))

    def pass_time(self, length_ms: int) -> None:
        """Let time pass; the carrier answers at each moment what was dialled at it."""
        end = self.now + length_ms
        self.serve(self.commands[-50:])
        while (due_at := self.engine.next_deadline()) is not None and due_at <= end:
            self.serve(self.later(due_at - self.now))
        self.later(end - self.now)

    def serve(self, commands: list[Command]) -> None:
        known = {dial.leg for _, dial in self.dialled}
        for dial in commands:
            if isinstance(dial, DialClient) and dial.leg not in known:
                self.dialled.append((self.now, dial))
                for event in self.answer_with(dial):
                    self.serve(self.tell(event))

    def made(self, person: str) -> list[AttemptMade]:
        debt = next(one for one in self.engine.debts.values() if one.person == person)
        return [fact for fact in self.told(AttemptMade) if fact.debt == debt.id]


def fails(dial: DialClient) -> tuple[LegEnded, ...]:
    return (LegEnded(dial.leg, EndCause.TRUNK_FAILED),)


def is_busy(dial: DialClient) -> tuple[LegRinging | LegEnded, ...]:
    return (LegRinging(dial.leg), LegEnded(dial.leg, EndCause.BUSY))


def everybody(count: int) -> list[str]:
    return [f"p{number}" for number in range(count)]


def test_a_carrier_that_says_nothing_has_not_asked_the_client() -> None:
    street = Street("ivan")
    street.sign_in(ANA)
    street.pass_time(26 * SECOND)
    (made,) = street.made("ivan")
    assert made.outcome is AttemptOutcome.TRUNK_FAILED
    assert not made.counted


def test_while_a_trunk_is_down_it_is_tried_seldom_and_ever_more_seldom() -> None:
    street = Street(*everybody(20))
    street.answer_with = fails
    street.sign_in(ANA, BOB, CAT)
    street.pass_time(10 * MINUTE)
    assert 3 <= len(street.dialled) <= 8
    assert not any(made.counted for made in street.told(AttemptMade))
    assert len(street.engine.debts) == 20


def test_when_a_trunk_is_back_all_who_waited_are_dialled_once_and_one_after_another() -> None:
    street = Street(*everybody(20))
    street.answer_with = fails
    street.sign_in(ANA, BOB, CAT)
    street.pass_time(5 * MINUTE)
    before = len(street.dialled)
    street.answer_with = is_busy
    street.tell(TrunkChanged(CITY, up=True))
    street.pass_time(2 * MINUTE)
    after = street.dialled[before:]
    assert Counter(dial.person for _, dial in after) == dict.fromkeys(
        map(PersonId, everybody(20)), 1
    )
    per_second = Counter(at // SECOND for at, _ in after)
    assert max(per_second.values()) <= 6


def test_without_a_word_of_the_switch_a_trial_finds_out_that_the_trunk_is_back() -> None:
    street = Street(*everybody(5))
    street.answer_with = fails
    street.sign_in(ANA)
    street.pass_time(3 * MINUTE)
    before = len(street.dialled)
    street.answer_with = is_busy
    street.pass_time(6 * MINUTE)
    assert len({dial.person for _, dial in street.dialled[before:]}) == 5


def test_one_number_that_the_carrier_refuses_does_not_hold_up_the_others() -> None:
    street = Street("barred", *everybody(4))
    street.answer_with = lambda dial: fails(dial) if dial.person == "barred" else is_busy(dial)
    street.sign_in(ANA)
    street.pass_time(2 * MINUTE)
    assert {dial.person for _, dial in street.dialled} == {"barred", *everybody(4)}
    street.pass_time(60 * MINUTE)
    # While others are carried, it is his number: his ladder goes on to its end, as any other.
    assert any(made.counted for made in street.made("barred"))


def test_what_ends_before_the_carrier_was_asked_leaves_the_trial_to_another() -> None:
    street = Street("ivan", "olga")
    street.answer_with = fails
    street.sign_in(ANA, BOB)
    street.pass_time(SECOND)
    street.answer_with = lambda _dial: ()
    street.pass_time(40 * SECOND)
    trial = street.dialled[-1][1]
    street.tell(WaiverGiven(street.engine.debt_of[trial.person], "boss", "a friend"))
    street.pass_time(SECOND)
    assert street.dialled[-1][1].person != trial.person


def test_a_trunk_that_was_down_and_works_again_begins_anew_with_its_next_failure() -> None:
    street = Street(*everybody(3))
    street.answer_with = fails
    street.sign_in(ANA)
    street.pass_time(4 * MINUTE)
    street.answer_with = is_busy
    street.pass_time(6 * MINUTE)
    street.pause(ANA)
    street.are_missed("late", "later")
    street.answer_with = lambda dial: fails(dial) if dial.person == "late" else is_busy(dial)
    street.sign_in(ANA)
    street.pass_time(SECOND)
    assert {dial.person for _, dial in street.dialled} >= {"late", "later"}
