"""The second witness tells each attempt once, whatever becomes of the files and of us."""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from perezvon.asterisk.witness import Listing, Witness
from perezvon.core.events import ArrivalWitnessed, Caller, NumberClass
from perezvon.core.ids import AgentId, Instant, LegId, PersonId

SECOND = 1_795_313_468


def identify(number: str) -> Caller:
    return Caller(PersonId(number), NumberClass.UNKNOWN) if number else Caller(
        None, NumberClass.WITHHELD
    )  # fmt: skip


def start(n: int, did: str = "74951234567", number: str = "+79161234567") -> str:
    return (
        f'"CHAN_START","{SECOND + n}.100000","{SECOND + n}.{n}","{SECOND + n}.{n}","inbound-t",'
        f'"{did}","PJSIP/trunk-carrier-00000000","{number}",""\n'
    )


def end(n: int, after_s: int = 9, context: str = "guard-t") -> str:
    return (
        f'"CHAN_END","{SECOND + n + after_s}.200000","{SECOND + n}.{n}","{SECOND + n}.{n}",'
        f'"{context}","s","PJSIP/trunk-carrier-00000000","+79161234567",""\n'
    )


def leg(n: int) -> LegId:
    return LegId(f"{SECOND + n}.{n}")


@dataclass
class Logs:
    """The two files, and a witness that can be started anew from what it had committed."""

    cel: Path
    queue: Path
    committed: dict[str, int] = field(default_factory=dict)
    witness: Witness | None = None
    listing: Callable[[], Listing | None] = lambda: None

    def write(self, *lines: str) -> None:
        with self.cel.open("a") as file:
            file.writelines(lines)

    def poll(self) -> tuple[ArrivalWitnessed, ...]:
        if self.witness is None:
            self.witness = self.started_anew(self.committed)
        told, self.committed = self.witness.poll()
        return told

    def started_anew(self, offset: Mapping[str, int]) -> Witness:
        return Witness("t", self.cel, self.queue, identify, offset, self.listing)

    def restart(self) -> None:
        self.witness = None

    def told_legs(self) -> list[LegId]:
        return [one.leg for one in self.poll()]

    def told_in(self, polls: int) -> list[LegId]:
        return [leg for _ in range(polls) for leg in self.told_legs()]


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path / "cel.csv", tmp_path / "queue_log")


def test_an_attempt_is_told_when_it_ends(logs: Logs) -> None:
    assert logs.poll() == ()
    logs.write(start(1))
    assert logs.poll() == ()
    logs.write(end(1))
    assert logs.poll() == (
        ArrivalWitnessed(
            leg(1), "74951234567", identify("+79161234567"), (SECOND + 1) * 1000 + 100,
            (SECOND + 10) * 1000 + 200,
        ),
    )  # fmt: skip
    assert logs.poll() == ()


def test_the_fallbacks_agent_is_told(logs: Logs) -> None:
    logs.write(start(1), end(1))
    logs.queue.write_text(f"{SECOND + 4}|{leg(1)}|fallback-t|anna|CONNECT|2|x|1\n")
    (one,) = logs.poll()
    assert (one.fallback_answered_at, one.fallback_agent) == (
        (SECOND + 4) * 1000, AgentId("anna"),
    )  # fmt: skip


def test_an_answer_read_before_a_restart_is_not_forgotten(logs: Logs) -> None:
    logs.write(start(1))
    logs.queue.write_text(f"{SECOND + 4}|{leg(1)}|fallback-t|anna|CONNECT|2|x|1\n")
    assert logs.poll() == ()
    logs.restart()
    logs.write(end(1))
    (one,) = logs.poll()
    assert one.fallback_agent == "anna"


def test_an_answer_stands_within_the_attempt_though_its_log_has_whole_seconds(logs: Logs) -> None:
    logs.write(start(1), end(1))
    logs.queue.write_text(f"{SECOND + 1}|{leg(1)}|fallback-t|anna|CONNECT|0|x|1\n")
    (one,) = logs.poll()
    assert one.fallback_answered_at == one.arrived_at


def test_over_a_restart_an_open_attempt_keeps_what_its_start_said(logs: Logs) -> None:
    logs.write(start(1, did="+7495#1"))
    logs.poll()
    logs.restart()
    logs.write(start(2), end(1))
    (one,) = logs.poll()
    assert (one.leg, one.did) == (leg(1), "+74951")
    assert one.arrived_at == (SECOND + 1) * 1000 + 100


def test_nothing_is_told_twice_nor_lost_over_restarts_at_every_line(logs: Logs) -> None:
    told: list[LegId] = []
    lines = [start(1), start(2), end(1), start(3), end(3), end(2)]
    for line in lines:
        logs.write(line)
        told += logs.told_legs()
        logs.restart()
    assert told == [leg(1), leg(3), leg(2)]


def test_what_was_not_committed_is_told_again(logs: Logs) -> None:
    logs.write(start(1))
    logs.poll()
    before = dict(logs.committed)
    logs.write(end(1))
    assert logs.told_legs() == [leg(1)]
    again, _ = logs.started_anew(before).poll()
    assert [one.leg for one in again] == [leg(1)]


def test_half_a_line_waits_for_its_other_half(logs: Logs) -> None:
    whole = end(1)
    logs.write(start(1), whole[:40])
    assert logs.poll() == ()
    logs.write(whole[40:])
    assert logs.told_legs() == [leg(1)]


def test_a_rotated_file_is_read_to_its_end_before_the_new_one(logs: Logs) -> None:
    logs.write(start(1))
    logs.poll()
    logs.write(start(2), end(2))
    logs.cel.rename(logs.cel.with_name("cel.csv.1"))
    logs.write(end(1), start(3), end(3))
    logs.restart()
    told = logs.told_legs() + logs.told_legs()
    assert told == [leg(2), leg(1), leg(3)]


def test_an_attempt_whose_start_was_rotated_away_is_told_by_its_end(logs: Logs) -> None:
    logs.write(start(1))
    logs.poll()
    logs.restart()
    logs.cel.unlink()
    logs.write(end(1))
    (one,) = logs.poll()
    assert (one.leg, one.did, one.arrived_at) == (leg(1), "", (SECOND + 1) * 1000)
    assert logs.committed["cel.csv"] == logs.cel.stat().st_size


def test_a_truncated_file_is_read_from_its_beginning(logs: Logs) -> None:
    logs.write(start(1), end(1))
    assert logs.told_legs() == [leg(1)]
    logs.cel.write_text("")
    assert logs.told_legs() == []
    logs.write(start(20), end(20))
    assert logs.told_legs() == [leg(20)]


def test_spoilt_lines_are_counted_and_stop_nothing(logs: Logs) -> None:
    with logs.cel.open("wb") as file:
        file.write(b"\xff\xfe\x00 spoilt\n" + b"x" * 40_000 + b"\n")
    logs.write(start(1), end(1))
    assert logs.told_legs() == [leg(1)]
    assert logs.witness is not None
    assert logs.witness.malformed_count == 2


def test_a_long_file_is_read_in_bounded_parts(logs: Logs) -> None:
    logs.write(*(line for n in range(1, 101) for line in (start(n), end(n))))
    logs.witness = Witness("t", logs.cel, logs.queue, identify, {}, read_bytes_max=1_000)
    told: list[LegId] = []
    polls = 0
    while len(told) < 100:
        told += logs.told_legs()
        polls += 1
    assert told == [leg(n) for n in range(1, 101)]
    assert polls > 20


def test_a_withheld_number_is_witnessed_too(logs: Logs) -> None:
    logs.write(start(1, number=""), end(1).replace("+79161234567", ""))
    (one,) = logs.poll()
    assert one.caller == Caller(None, NumberClass.WITHHELD)


def queue_row(n: int, event: str = "ENTERQUEUE", agent: str = "NONE", after_s: int = 1) -> str:
    return f"{SECOND + n + after_s}|{leg(n)}|fallback-t|{agent}|{event}|1|x|1\n"


def test_who_ended_in_the_fallback_is_told_so_by_his_last_row(logs: Logs) -> None:
    logs.write(start(1), start(2), end(1, context="localq-t"), end(2))
    assert [one.in_fallback for one in logs.poll()] == [True, False]


def test_who_entered_the_fallback_is_told_so_whatever_his_last_row_says(logs: Logs) -> None:
    logs.queue.write_text(queue_row(1))
    logs.write(start(1), end(1))
    (one,) = logs.poll()
    assert (one.in_fallback, one.fallback_answered_at) == (True, None)


def test_after_a_long_absence_all_that_was_put_aside_is_read_in_order(logs: Logs) -> None:
    logs.write(start(1))
    logs.poll()
    logs.restart()
    for n in range(2, 6):
        logs.write(start(n), end(n))
        logs.cel.rename(logs.cel.with_name(f"cel.csv.{n}"))
        changed_s = logs.cel.with_name(f"cel.csv.{n}").stat().st_mtime + n
        os.utime(logs.cel.with_name(f"cel.csv.{n}"), (changed_s, changed_s))
    logs.write(end(1), start(6), end(6))
    assert logs.told_in(polls=6) == [leg(2), leg(3), leg(4), leg(5), leg(1), leg(6)]


def test_what_was_put_aside_is_read_though_nothing_new_was_written(logs: Logs) -> None:
    logs.write(start(1))
    logs.poll()
    logs.write(end(1))
    logs.cel.rename(logs.cel.with_name("cel.csv.1"))
    assert logs.told_legs() == [leg(1)]


def test_what_was_put_aside_before_anything_was_read_is_read(logs: Logs) -> None:
    logs.write(start(1))
    logs.cel.rename(logs.cel.with_name("cel.csv.1"))
    logs.write(end(1), start(2), end(2))
    assert logs.told_in(polls=2) == [leg(1), leg(2)]


def test_a_copied_and_truncated_file_loses_nothing(logs: Logs) -> None:
    logs.write(start(1))
    logs.poll()
    logs.write(end(1), start(2))
    shutil.copy(logs.cel, logs.cel.with_name("cel.csv.1"))
    os.truncate(logs.cel, 0)
    logs.write(end(2))
    logs.restart()
    assert logs.told_in(polls=3) == [leg(1), leg(2)]


def test_a_place_that_the_first_release_kept_is_understood(logs: Logs) -> None:
    logs.write(start(1), end(1))
    logs.poll()
    position = logs.committed["cel.csv"]
    logs.committed = {"cel.csv": position, "cel.csv#file": logs.cel.stat().st_ino}
    logs.write(start(2), end(2))
    logs.restart()
    assert logs.told_in(polls=2) == [leg(2)]


def test_a_file_that_was_written_anew_tells_nothing_twice(logs: Logs) -> None:
    logs.write(start(1), end(1))
    assert logs.told_legs() == [leg(1)]
    edited = logs.cel.with_name("edited")
    edited.write_text(start(1) + end(1) + start(20) + end(20))
    edited.rename(logs.cel)
    logs.restart()
    assert logs.told_in(polls=3) == [leg(20)]


def test_callers_answered_in_a_long_absence_are_all_known(logs: Logs) -> None:
    legs = range(1, 301)
    logs.write(*(line for n in legs for line in (start(n), end(n, context="localq-t"))))
    with logs.queue.open("w") as file:
        for n in legs:
            file.write(queue_row(n) + queue_row(n, "CONNECT", "anna", after_s=4))
    logs.witness = Witness("t", logs.cel, logs.queue, identify, {}, read_bytes_max=2_000)
    told: list[ArrivalWitnessed] = []
    polls = 0
    while len(told) < 300 and polls < 2_000:
        polls += 1
        told += logs.poll()
        if polls % 50 == 0:
            logs.witness = Witness(
                "t", logs.cel, logs.queue, identify, logs.committed, read_bytes_max=2_000
            )
    assert {one.fallback_agent for one in told} == {"anna"}
    assert [one.leg for one in told] == [leg(n) for n in legs]


@dataclass
class Switched:
    """What the switch says of its channels, at moments that the test chooses."""

    listing: Listing | None = None

    def lists(self, *legs: LegId, after_s: float, started_at: Instant | None = None) -> None:
        asked_at = time.monotonic() + after_s
        self.listing = Listing(asked_at, frozenset(legs), started_at)


@pytest.fixture
def switched(logs: Logs) -> Switched:
    switched = Switched()
    logs.listing = lambda: switched.listing
    return switched


def test_an_attempt_of_a_former_life_of_the_switch_ends_with_it(
    logs: Logs, switched: Switched
) -> None:
    logs.write(start(1), start(2))
    logs.queue.write_text(queue_row(1) + queue_row(1, "CONNECT", "anna", after_s=3))
    started_at = (SECOND + 20) * 1000
    switched.lists(leg(2), after_s=0, started_at=started_at)
    assert logs.told_legs() == []
    switched.lists(leg(2), after_s=11, started_at=started_at)
    (one,) = logs.poll()
    assert (one.leg, one.did, one.ended_at) == (leg(1), "74951234567", started_at)
    assert (one.in_fallback, one.fallback_agent) == (True, "anna")
    assert [key for key in logs.committed if key.startswith("open/")] == [f"open/{leg(2)}"]


def test_a_listing_that_is_older_than_an_attempt_proves_nothing(
    logs: Logs, switched: Switched
) -> None:
    switched.lists(after_s=5)
    logs.write(start(1))
    assert logs.told_legs() == []
    assert logs.told_legs() == []
    switched.lists(leg(1), after_s=11)
    assert logs.told_legs() == []
    switched.lists(after_s=12)
    assert logs.told_legs() == []


def test_an_end_that_comes_late_is_told_once(logs: Logs, switched: Switched) -> None:
    logs.write(start(1))
    switched.lists(after_s=0)
    logs.poll()
    switched.lists(after_s=11)
    assert logs.told_legs() == [leg(1)]
    logs.write(end(1))
    assert logs.told_legs() == []


def test_a_witness_that_cannot_read_says_so_until_it_can(logs: Logs) -> None:
    logs.write(start(1), end(1))
    logs.poll()
    assert logs.witness is not None
    assert logs.witness.trouble == ""
    logs.cel.unlink()
    assert logs.told_legs() == []
    assert "gone" in logs.witness.trouble
    logs.write(start(20), end(20))
    assert logs.told_legs() == [leg(20)]
    assert logs.witness.trouble == ""


def test_a_witness_without_its_folder_says_so(tmp_path: Path) -> None:
    witness = Witness("t", tmp_path / "no" / "cel.csv", tmp_path / "queue_log", identify, {})
    assert witness.poll() == ((), {})
    assert witness.trouble != ""


def test_a_file_that_was_never_written_is_no_trouble(logs: Logs) -> None:
    assert logs.poll() == ()
    assert logs.witness is not None
    assert logs.witness.trouble == ""


def test_spoilt_rows_are_told_until_good_ones_come(logs: Logs) -> None:
    logs.write("spoilt\n")
    logs.poll()
    assert logs.witness is not None
    assert "1 rows" in logs.witness.trouble
    logs.poll()
    assert "1 rows" in logs.witness.trouble
    logs.write(start(1))
    logs.poll()
    assert logs.witness.trouble == ""
