"""A soak of half a minute on a real Asterisk: the engine killed and frozen, the switch killed."""

from pathlib import Path

import pytest

from scripts.soak.faults import Fault, FaultKind
from scripts.soak.report import rows_of, text_of
from scripts.soak.town import Town
from tests.support.crowd import pass_time

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("soak")]

FAULTS = (
    Fault(FaultKind.ENGINE_KILLED, calm_s=2),
    Fault(FaultKind.ENGINE_FROZEN, calm_s=2, length_s=3),
    Fault(FaultKind.SWITCH_KILLED, calm_s=3),
)
RATE = 2


def test_nobody_is_lost_in_a_short_soak(tmp_path: Path) -> None:
    with Town(tmp_path, print, rate=RATE, length_s=60) as town:
        for fault in FAULTS:
            pass_time(fault.calm_s)
            town.hand.make(fault)
        pass_time(FAULTS[0].calm_s)
        found = town.findings_when_quiet()
    rows = rows_of(found)
    assert not [row for row in rows if row.wrong], text_of(rows)
    assert found.calls
    assert found.judgement.cut, "nobody was on the line when the switch was killed"
