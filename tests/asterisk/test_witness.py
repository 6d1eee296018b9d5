"""The second witness tells each attempt once, whatever becomes of the files and of us."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from perezvon.asterisk.witness import Witness
from perezvon.core.events import ArrivalWitnessed, Caller, NumberClass
from perezvon.core.ids import AgentId, LegId, PersonId

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


def end(n: int, after_s: int = 9) -> str:
    return (
        f'"CHAN_END","{SECOND + n + after_s}.200000","{SECOND + n}.{n}","{SECOND + n}.{n}",'
        '"localq-t","s","PJSIP/trunk-carrier-00000000","+79161234567",""\n'
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

    def write(self, *lines: str) -> None:
        with self.cel.open("a") as file:
            file.writelines(lines)

    def poll(self) -> tuple[ArrivalWitnessed, ...]:
        if self.witness is None:
            self.witness = self.started_anew(self.committed)
        told, self.committed = self.witness.poll()
        return told

    def started_anew(self, offset: Mapping[str, int]) -> Witness:
        return Witness("t", self.cel, self.queue, identify, offset)

    def restart(self) -> None:
        self.witness = None

    def told_legs(self) -> list[LegId]:
        return [one.leg for one in self.poll()]


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
    logs.write(start(2), end(2))
    assert logs.told_legs() == [leg(2)]


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
