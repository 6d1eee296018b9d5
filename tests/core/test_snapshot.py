"""Snapshots: the one of every release must load in all later ones, and go on."""

import json
from pathlib import Path
from typing import TypeAlias

import pytest

from perezvon.core import invariants, snapshot
from perezvon.core.events import EndCause, LegAnswered, LegEnded
from perezvon.core.ids import SECOND, LegId
from perezvon.core.snapshot import SnapshotError
from tests.core.office import ANA, BOB, CAT, Office, office_plan

GOLDEN = Path(__file__).parent / "golden"
PLAN = office_plan(ANA, BOB, CAT)
Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | None


def busy_office() -> Office:
    """Somebody is owed, somebody talks, somebody is rung for, somebody works after a call."""
    office = Office(PLAN, signed_in=False)
    owed = office.call("owed", "in-owed")
    office.later(8 * SECOND)
    office.tell(LegEnded(owed, EndCause.CANCELLED))
    office.call("talks", "in-talks")
    office.sign_in(ANA, BOB, CAT)
    office.all_ring()
    office.tell(LegAnswered(office.rings()[ANA]))
    office.later(3 * SECOND)
    office.call("rung", "in-rung")
    return office


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.json")), ids=lambda file: str(file.stem))
def test_the_snapshot_of_every_release_loads_and_goes_on(file: Path) -> None:
    engine = snapshot.restore(file.read_bytes(), PLAN)
    invariants.check(engine)
    assert engine.ledger.arrivals == 3
    engine.handle(LegEnded(LegId("in-talks"), EndCause.NORMAL), engine.now + SECOND)
    invariants.check(engine)
    assert engine.ledger.answered == 1


def test_what_the_last_release_wrote_is_written_still() -> None:
    """New fields with a default may come between releases; else: a new `snapshot.FORMAT`, a step
    in `restore`, a new golden file.
    """
    newest = max(GOLDEN.glob("*.json"))
    written = json.loads(snapshot.take(busy_office().engine))
    assert only_known(written, json.loads(newest.read_bytes())) == json.loads(newest.read_bytes())


def only_known(written: Json, golden: Json) -> Json:
    """Leave out the fields that the golden snapshot does not have."""
    if isinstance(written, dict) and isinstance(golden, dict):
        return {key: only_known(written[key], golden[key]) for key in written if key in golden}
    if isinstance(written, list) and isinstance(golden, list):
        paired = zip(written, golden, strict=False)
        return [only_known(mine, theirs) for mine, theirs in paired] + written[len(golden) :]
    return written


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'{"format": 99, "plan": "v1"}', b"\xff"])
def test_what_is_no_snapshot_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(SnapshotError, match="snapshot"):
        snapshot.restore(data, PLAN)


def test_a_snapshot_of_another_plan_is_refused() -> None:
    data = snapshot.take(busy_office().engine)
    with pytest.raises(SnapshotError, match="plan v2"):
        snapshot.restore(data, office_plan(ANA, version="v2"))
