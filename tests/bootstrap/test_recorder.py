"""Talks become MP3s in the worker: whole, once, and never while somebody still writes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from perezvon.bootstrap.recorder import Recorder, RecorderOptions
from perezvon.core.ids import DAY, MINUTE, SECOND, LegId
from perezvon.runtime import faultpoint
from perezvon.runtime.recordings import stem_of
from perezvon.store.recordings import recordings_of
from perezvon.store.sound import duration_of_mp3
from tests.api.house import IVAN, OLGA, House
from tests.support.tones import write_take

ROOT = Path(__file__).parents[2]
START_IT = """
import sys
from pathlib import Path
from perezvon.bootstrap.worker import WorkerOptions, run
from perezvon.runtime import faultpoint
from perezvon.store.database import Location
import os
faultpoint.switch(os.environ["PEREZVON_FAULTS"])
sys.exit(run(WorkerOptions(Location(Path(sys.argv[1])), recordings=Path(sys.argv[2]))))
"""
WAIT_S = 30


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


class Tape:
    """A recorder beside a house, at the house's time."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.folder = house.recordings
        self.folder.mkdir(exist_ok=True)

    @property
    def now(self) -> int:
        return self.house.office.now

    def work(self, later_ms: int = MINUTE) -> bool:
        options = RecorderOptions(self.house.location, self.folder)
        recorder = Recorder(options, Event(), lambda: self.now + later_ms)
        self.house.books.fresh()
        try:
            return recorder.work()
        finally:
            recorder.close()

    def files(self) -> set[str]:
        return {
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*")
            if path.is_file() and path.suffix in {".wav", ".mp3", ".part"}
        }


def talk(house: House, number: str = IVAN) -> tuple[str, LegId]:
    """A client talks; the stem of his files, and his leg."""
    leg = house.call(number)
    house.office.all_ring()
    house.office.later(4_000)
    house.office.answer(next(iter(house.office.rings())))
    house.office.later(9_000)
    house.save()
    return stem_of(leg), leg


def ended_talk(house: House, number: str = IVAN) -> str:
    stem, leg = talk(house, number)
    house.hang_up(leg)
    house.office.later(MINUTE)
    house.save()
    return stem


def call_of(house: House, stem: str) -> str:
    legs = [fact for fact in house.office.facts if stem_of(getattr(fact, "leg", "")) == stem]
    return str(getattr(legs[0], "call", ""))


def test_a_talk_becomes_one_mp3_and_its_wavs_go(house: House) -> None:
    tape = Tape(house)
    stem = ended_talk(house)
    write_take(tape.folder, stem, at_ms=tape.now)
    tape.work()
    (row,) = recordings_of(house.books.stored, call_of(house, stem))
    assert (row.duration_ms, row.started_at) == (3_000, tape.now - 3_000)
    assert tape.files() == {row.file}
    path = tape.folder / row.file
    assert path.stat().st_size == row.size
    assert 3_000 <= duration_of_mp3(path) < 3_600
    assert path.stat().st_mode & 0o77 == 0
    assert len(row.agent_peaks) == len(row.client_peaks) == 30
    assert min(row.agent_peaks) > 60  # he spoke to the end
    assert set(row.client_peaks[-5:]) == {0}  # the client half a second less


def test_a_talk_that_goes_on_is_not_touched(house: House) -> None:
    tape = Tape(house)
    stem, _ = talk(house)
    write_take(tape.folder, stem, at_ms=tape.now)
    before = tape.files()
    tape.work(later_ms=10 * MINUTE)
    assert tape.files() == before
    tape.work(later_ms=DAY)
    assert [Path(file).suffix for file in tape.files()] == [".mp3"]


def test_a_file_that_was_written_to_a_moment_ago_is_not_touched(house: House) -> None:
    tape = Tape(house)
    stem = ended_talk(house)
    write_take(tape.folder, stem, at_ms=tape.now)
    before = tape.files()
    tape.work(later_ms=4 * SECOND)
    assert tape.files() == before


def test_a_call_without_a_talk_leaves_nothing(house: House) -> None:
    tape = Tape(house)
    leg = house.call(OLGA)
    house.office.all_ring()
    house.hang_up(leg)
    house.save()
    write_take(tape.folder, stem_of(leg), agent_ms=0, client_ms=0, at_ms=tape.now)
    tape.work()
    assert tape.files() == set()
    assert recordings_of(house.books.stored, call_of(house, stem_of(leg))) == []


def test_what_is_no_recording_is_put_aside_and_others_are_made(house: House) -> None:
    tape = Tape(house)
    spoilt, short, good = (ended_talk(house, number) for number in (IVAN, OLGA, IVAN))
    for stem in (spoilt, short, good):
        write_take(tape.folder, stem, at_ms=tape.now)
    for end in ("-a.wav", "-c.wav"):
        (tape.folder / f"{spoilt}{end}").write_bytes(os.urandom(5_000))
        (tape.folder / f"{short}{end}").write_bytes(b"RIFF\xff\xff\xff\x7fWAVEdata" + bytes(60))
    for path in tape.folder.glob("*.wav"):
        os.utime(path, ns=(tape.now * 1_000_000,) * 2)
    tape.work()
    aside = {file for file in tape.files() if file.startswith("aside/")}
    assert aside == {f"aside/{stem}{end}" for stem in (spoilt, short)
                     for end in (".wav", "-a.wav", "-c.wav")}  # fmt: skip
    assert len(recordings_of(house.books.stored, call_of(house, good))) == 1
    assert len(tape.files() - aside) == 1


def test_a_recording_of_nobody_waits_a_day_for_its_call_and_is_put_aside(house: House) -> None:
    tape = Tape(house)
    write_take(tape.folder, "777", at_ms=tape.now)
    tape.work(later_ms=DAY - 1)
    assert "777.wav" in tape.files()
    tape.work(later_ms=DAY)
    assert "aside/777.wav" in tape.files()


def test_a_header_that_a_killed_switch_never_finished_is_read_all_the_same(house: House) -> None:
    tape = Tape(house)
    stem = ended_talk(house)
    for path in write_take(tape.folder, stem, at_ms=tape.now):
        data = bytearray(path.read_bytes())
        data[40:44] = bytes(4)
        path.write_bytes(data)
        os.utime(path, ns=(tape.now * 1_000_000,) * 2)
    tape.work()
    (row,) = recordings_of(house.books.stored, call_of(house, stem))
    assert row.duration_ms == 3_000


def test_with_one_side_only_the_other_is_silent(house: House) -> None:
    tape = Tape(house)
    stem = ended_talk(house)
    write_take(tape.folder, stem, at_ms=tape.now)
    (tape.folder / f"{stem}-c.wav").unlink()
    tape.work()
    (row,) = recordings_of(house.books.stored, call_of(house, stem))
    assert set(row.client_peaks) <= {0}
    assert max(row.agent_peaks) > 60


def test_files_that_are_not_the_switchs_are_left_alone(house: House) -> None:
    tape = Tape(house)
    foreign = ["notes.txt", "a b.wav", "..wav", "x-b.wav", "x.mp3", ".hidden.wav"]
    for name in foreign:
        (tape.folder / name).write_bytes(bytes(100))
    (tape.folder / "link.wav").symlink_to("/etc/hostname")
    tape.work(later_ms=2 * DAY)
    assert {path.name for path in tape.folder.iterdir()} >= {*foreign, "link.wav"}


def test_a_full_disk_keeps_the_wavs_and_the_next_try_succeeds(house: House) -> None:
    tape = Tape(house)
    stem = ended_talk(house)
    wavs = {path.name for path in write_take(tape.folder, stem, at_ms=tape.now)}
    faultpoint.switch("recording.encoded=fail:1")
    try:
        with pytest.raises(OSError, match="fault point"):
            tape.work()
        assert wavs < tape.files()
        assert recordings_of(house.books.stored, call_of(house, stem)) == []
        tape.work()
    finally:
        faultpoint.switch("")
    assert [Path(file).suffix for file in tape.files()] == [".mp3"]


def test_two_recorders_do_not_work_on_one_folder(house: House) -> None:
    tape = Tape(house)
    stem = ended_talk(house)
    write_take(tape.folder, stem, at_ms=tape.now)
    house.books.fresh()
    options = RecorderOptions(house.location, tape.folder)
    first, second = (Recorder(options, Event(), lambda: tape.now + MINUTE) for _ in range(2))
    try:
        first.work()
        other = ended_talk(house)
        write_take(tape.folder, other, at_ms=tape.now)
        house.books.fresh()
        second.work()
        assert recordings_of(house.books.stored, call_of(house, other)) == []
    finally:
        first.close()
        second.close()


@pytest.mark.parametrize("point", ["recording.encoded", "recording.kept"])
def test_a_worker_killed_in_the_middle_loses_no_recording(house: House, point: str) -> None:
    tape = Tape(house)
    stem = ended_talk(house)
    write_take(tape.folder, stem, at_ms=tape.now)
    command = [sys.executable, "-c", START_IT, str(house.location.directory), str(tape.folder)]
    environment = {**os.environ, "PEREZVON_FAULTS": f"{point}=delay:600000"}
    mark = ".part" if point == "recording.encoded" else ".mp3"
    worker = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + WAIT_S
        while not is_at(tape, house, stem, mark):
            assert time.monotonic() < deadline, tape.files()
            Event().wait(0.05)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    assert f"{stem}-a.wav" in tape.files()
    tape.work()
    (row,) = recordings_of(house.books.stored, call_of(house, stem))
    assert tape.files() == {row.file}
    assert duration_of_mp3(tape.folder / row.file) >= 3_000


def is_at(tape: Tape, house: House, stem: str, mark: str) -> bool:
    """Whether the worker stands at the point: its file is there, whole."""
    made = [file for file in tape.files() if file.endswith(mark)]
    if not made or (tape.folder / made[0]).stat().st_size < 12_000:
        return False
    kept = recordings_of(house.books.stored, call_of(house, stem))
    return bool(kept) == (mark == ".mp3")
