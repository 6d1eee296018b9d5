"""A ring of files keeps the newest within its limits, for nobody else's eyes."""

import threading
import time
from functools import partial
from pathlib import Path

import pytest

from perezvon.runtime import ring
from perezvon.runtime.ring import Ring, begins_at, read, segments
from tests.support.sipp import until_now

EVER = 1 << 62


def lines(folder: Path) -> list[tuple[str, bytes]]:
    return [(entry.tag, entry.data) for entry in read(folder, "ari", 0, EVER)]


def begins(folder: Path, with_: bytes) -> bool:
    return any(data.startswith(with_) for _, data in lines(folder))


def test_what_was_put_is_read_in_order_with_its_moment(tmp_path: Path) -> None:
    before = time.time_ns() // 1_000
    kept = Ring(tmp_path / "trace", "ari", bytes_max=1_000_000)
    for n in range(100):
        kept.put("<", f'{{"n": {n}, "имя": "Анна"}}')
    kept.put(">", b"two\nlines")
    kept.close()
    found = list(read(tmp_path / "trace", "ari", before, EVER))
    assert [entry.data for entry in found[:100]] == [
        f'{{"n": {n}, "имя": "Анна"}}'.encode() for n in range(100)
    ]
    assert found[100].data == b"two lines"
    assert before <= found[0].at_us <= found[-1].at_us <= time.time_ns() // 1_000
    assert list(read(tmp_path / "trace", "ari", found[-1].at_us + 1, EVER)) == []
    (path,) = segments(tmp_path / "trace", "ari")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_nothing_is_written_before_there_is_something(tmp_path: Path) -> None:
    kept = Ring(tmp_path / "trace", "ari", bytes_max=1_000_000)
    kept.close()
    assert not (tmp_path / "trace").exists()
    assert begins_at(tmp_path / "trace", "ari") is None


def test_the_oldest_goes_when_the_limit_is_reached(tmp_path: Path) -> None:
    limit = 40_000
    kept = Ring(tmp_path, "ari", bytes_max=limit)
    for n in range(50):
        kept.put("<", f"{n:04} " + "x" * 2_000)
        until_now(partial(begins, tmp_path, f"{n:04} ".encode()), 10)
    kept.close()
    assert sum(path.stat().st_size for path in segments(tmp_path, "ari")) <= limit
    assert lines(tmp_path)[-1][1].startswith(b"0049 ")
    assert not any(data.startswith(b"0000 ") for _, data in lines(tmp_path))


def test_what_is_too_much_is_dropped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring, "PENDING_BYTES_MAX", 1_000)
    monkeypatch.setattr(ring, "WRITE_EVERY_S", 60)
    kept = Ring(tmp_path, "ari", bytes_max=1_000_000)
    for _ in range(30):
        kept.put("<", "x" * 100)
    kept.close()
    assert lines(tmp_path) == [("<", b"x" * 100)] * 10 + [("!", b"20")]


def test_a_disk_that_does_not_take_it_fails_nobody_and_is_told(tmp_path: Path) -> None:
    place = tmp_path / "trace"
    place.write_text("in the way")
    kept = Ring(place, "ari", bytes_max=1_000_000)
    kept.put("<", "lost")
    until_now(lambda: kept._lost == 1, 10)
    place.unlink()
    kept.put("<", "kept")
    kept.close()
    assert lines(place) == [("<", b"kept"), ("!", b"1")]


def test_damaged_lines_are_left_out(tmp_path: Path) -> None:
    kept = Ring(tmp_path, "ari", bytes_max=1_000_000)
    kept.put("<", "whole")
    kept.close()
    (path,) = segments(tmp_path, "ari")
    with path.open("ab") as file:
        file.write(b"\xff\xfe\n12 < x\n1795325568512152 <\n1795325568512152 < cut by a cras")
    assert lines(tmp_path) == [("<", b"whole")]


def test_it_leaves_no_thread(tmp_path: Path) -> None:
    kept = Ring(tmp_path, "ari", bytes_max=1_000_000)
    kept.put("<", "x")
    kept.close()
    assert not any(thread.name == "ring-ari" for thread in threading.enumerate())
