"""Fault points: nothing unless asked for from outside; then exactly what was asked."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from perezvon.runtime import faultpoint
from perezvon.runtime.faultpoint import Fault, FaultTextError, Point, parse, reach, reach_waiting


class Broken(Exception):  # noqa: N818 - what a point looks like when it fails
    pass


@pytest.fixture(autouse=True)
def _off_again() -> Iterator[None]:
    yield
    faultpoint.switch("")


def outcomes(point: Point, count: int) -> str:
    """`.` for each time that it was passed, `x` for each failure."""
    told = ""
    for _ in range(count):
        try:
            reach(point, Broken)
        except Broken:
            told += "x"
        else:
            told += "."
    return told


def replaced(path: Path, text: str) -> None:
    """As an editor does it, and never within one tick of the file system's clock."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text)
    os.utime(path, ns=(before + 1_000_000_000, before + 1_000_000_000))


def test_without_a_text_nothing_happens() -> None:
    faultpoint.switch("")
    assert outcomes(Point.JOURNAL_COMMIT, 3) == "..."


def test_a_point_fails_each_time_or_the_nth_time_only_and_the_others_do_not() -> None:
    faultpoint.switch("journal.commit=fail ari.send=fail:3")
    assert outcomes(Point.JOURNAL_COMMIT, 3) == "xxx"
    assert outcomes(Point.ARI_SEND, 5) == "..x.."
    assert outcomes(Point.LOOP_TURN, 2) == ".."


def test_a_delay_holds_up_who_may_block_and_lets_others_go_on_where_he_may_not() -> None:
    faultpoint.switch("journal.commit=delay:60, ari.send=delay:60")
    begun = time.monotonic()
    assert outcomes(Point.JOURNAL_COMMIT, 1) == "."
    assert time.monotonic() - begun >= 0.06

    async def send() -> bool:
        sending = asyncio.create_task(reach_waiting(Point.ARI_SEND, Broken))
        await asyncio.sleep(0)
        held_up = not sending.done()
        await sending
        return held_up

    assert asyncio.run(send())


def test_a_file_is_read_anew_when_it_changes_and_may_come_and_go(tmp_path: Path) -> None:
    faults = tmp_path / "faults"
    faultpoint.switch(f"file:{faults}")
    assert outcomes(Point.JOURNAL_COMMIT, 2) == ".."
    replaced(faults, "journal.commit=fail")
    assert outcomes(Point.JOURNAL_COMMIT, 2) == "xx"
    replaced(faults, "journal.commit=fail:2")
    assert outcomes(Point.JOURNAL_COMMIT, 3) == ".x."
    faults.unlink()
    assert outcomes(Point.JOURNAL_COMMIT, 2) == ".."


def test_a_file_that_cannot_be_read_changes_nothing_and_ends_nothing(tmp_path: Path) -> None:
    faults = tmp_path / "faults"
    faultpoint.switch(f"file:{faults}")
    replaced(faults, "journal.commit=fail")
    assert outcomes(Point.JOURNAL_COMMIT, 1) == "x"
    replaced(faults, "journal.commit=half a wo")
    assert outcomes(Point.JOURNAL_COMMIT, 2) == "xx"


@pytest.mark.parametrize(
    "text", ["journal=fail", "journal.commit", "journal.commit=crash", "ari.send=delay:1s", "x"]
)
def test_a_slip_of_the_pen_is_refused_with_the_part_that_is_wrong(text: str) -> None:
    with pytest.raises(FaultTextError, match=text):
        faultpoint.switch(f"loop.turn=delay:5 {text}")


def test_a_text_says_point_kind_and_number() -> None:
    assert parse("loop.turn=delay:250, ari.send=fail:2 journal.commit=fail") == {
        Point.LOOP_TURN: Fault(delay_ms=250),
        Point.ARI_SEND: Fault(fails=True, only_time=2),
        Point.JOURNAL_COMMIT: Fault(fails=True),
    }


def test_the_engine_says_at_its_start_that_faults_are_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    faultpoint.switch("loop.turn=delay:1")
    assert "faults_are_on" in capsys.readouterr().out
