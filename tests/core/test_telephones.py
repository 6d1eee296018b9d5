"""A telephone that dies in a talk: who was cut off keeps his place, and is owed."""

from perezvon.core.commands import HangUp, PlayPrompt
from perezvon.core.events import DeviceChanged, EndCause, LegAnswered, LegEnded, PromptEnded
from perezvon.core.facts import CallAnswered, CallCut, CallMissed, DebtOpened
from perezvon.core.ids import SECOND, LegId
from tests.core.office import ANA, BOB, CAT, Office, office_plan


def talking(*names: str) -> tuple[Office, LegId]:
    """Ana talks with the first; the others wait. Gives the leg of her telephone."""
    office = Office(office_plan(ANA, BOB), signed_in=False)
    office.sign_in(ANA)
    for name in names:
        office.call(name, f"in-{name}")
    office.all_ring()
    return office, office.answer(ANA)


def test_who_was_cut_off_by_a_dead_telephone_is_first_in_the_line_again() -> None:
    office, leg = talking("ivan", "olga")
    office.tell(LegEnded(leg, EndCause.WENT_SILENT))
    assert office.told(CallCut)
    assert not [one for one in office.told(HangUp) if one.leg == "in-ivan"]
    office.sign_in(BOB)
    (call,) = [call for call in office.engine.calls.values() if call.offers]
    assert call.client == "in-ivan"
    office.all_ring()
    office.answer(BOB)
    # He has talked after all: nothing is owed, and he is counted as one attempt.
    assert not office.engine.debts
    assert len(office.told(CallAnswered)) == 1
    assert (office.engine.ledger.open, office.engine.ledger.reached_us) == (0, 1)


def test_who_was_cut_off_and_hangs_up_in_the_line_is_owed_once() -> None:
    office, leg = talking("ivan")
    office.tell(LegEnded(leg, EndCause.WENT_SILENT))
    office.later(SECOND)
    office.tell(LegEnded(LegId("in-ivan"), EndCause.NORMAL))
    assert len(office.told(DebtOpened)) == 1
    assert not office.told(CallMissed)
    assert office.engine.ledger.open == 1


def test_who_is_cut_off_twice_is_owed_all_the_same() -> None:
    office, leg = talking("ivan")
    office.tell(LegEnded(leg, EndCause.WENT_SILENT))
    office.sign_in(BOB)
    office.all_ring()
    office.tell(LegEnded(office.answer(BOB), EndCause.WENT_SILENT))
    office.tell(LegEnded(LegId("in-ivan"), EndCause.NORMAL))
    assert office.engine.ledger.open == 1
    assert office.engine.ledger.answered == office.engine.ledger.reached_us == 0


def test_the_agent_is_rung_again_only_when_his_telephone_lives() -> None:
    office, leg = talking("ivan")
    office.tell(LegEnded(leg, EndCause.WENT_SILENT))
    assert not office.rings()
    office.tell(DeviceChanged(ANA, reachable=False))
    assert not office.later(29 * SECOND)
    office.tell(DeviceChanged(ANA, reachable=True))
    assert set(office.rings()) == {ANA}


def test_a_client_who_was_called_back_and_cut_off_is_called_again_at_once() -> None:
    office = Office(office_plan(ANA, CAT), signed_in=False)
    missed = office.call("ivan")
    office.later(8 * SECOND)
    office.tell(LegEnded(missed, EndCause.CANCELLED))
    office.sign_in(ANA)
    office.all_ring()
    leg = office.rings()[ANA]
    office.tell(LegAnswered(leg))
    prompt = office.told(PlayPrompt)[-1]
    office.tell(PromptEnded(prompt.leg, prompt.playback))
    (call,) = office.engine.calls.values()
    assert call.client is not None
    office.tell(LegAnswered(call.client))
    office.later(3 * SECOND)
    assert not office.engine.debts
    office.tell(LegEnded(leg, EndCause.WENT_SILENT))
    assert office.engine.ledger.open == 1
    office.tell(LegEnded(call.client, EndCause.NORMAL))
    office.later(6 * SECOND)
    office.sign_in(CAT)
    assert set(office.rings()) == {CAT}
