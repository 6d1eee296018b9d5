"""A file that another process goes on writing: read on from a place, over rotations and cuts.

A file is known by its first line, whatever its name has become: what was put aside is read to its
end, and so is each file after it, before the newest is begun. Nothing is left out, however long
nobody read.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from perezvon.core.ids import Instant

LINE_BYTES_MAX = 16_384
"""A name of 10 KB fits; longer is not ours."""

HEAD_BYTES = 512


@dataclass(frozen=True, slots=True)
class Place:
    position: int = 0
    file: int = 0
    """A sum over its first line; 0 when nothing was read yet."""


@dataclass(frozen=True, slots=True)
class Line:
    place: Place
    """Where it begins."""
    text: str
    """Empty for one that is too long."""


@dataclass(frozen=True, slots=True)
class Piece:
    lines: list[Line]
    place: Place
    """Where to read on."""
    at_end: bool
    """There is no more, save maybe half a line."""
    repeats: bool = False
    """The place was gone: lines that were read before may come again."""


@dataclass(frozen=True, slots=True)
class _Segment:
    path: Path
    file: int
    inode: int
    size: int
    changed_at: Instant


def read_on(path: Path, place: Place, bytes_max: int, *, read_until: Instant) -> Piece:
    """Whole lines after the place, about `bytes_max` of them.

    `read_until`: the moment that the last line read was about; where the place is lost, reading
    begins with the oldest file that was written after it. A file that was never there is empty.
    Raises `OSError` when it cannot be read, or was there and is gone without a successor.
    """
    newest = _segment(path)
    if newest is not None and newest.file == place.file != 0:
        segments = [newest]
    else:
        segments = [*_put_aside(path), *([newest] if newest is not None else [])]
    number = next((n for n, one in enumerate(segments) if one.file == place.file != 0), None)
    position, repeats = place.position, False
    if number is None and place.file == 0:
        if not segments:
            return Piece([], place, at_end=True)
        # All that there is: it may have been put aside before we came to read it.
        number, position = 0, 0
    elif number is None or segments[number].size < position:
        number, position, repeats = _first_after(segments, read_until, path), 0, True
    while True:
        here = segments[number]
        lines, position, at_end = _lines(here, position, bytes_max)
        is_last = number == len(segments) - 1
        if lines or is_last or not at_end:
            return Piece(lines, Place(position, here.file), is_last and at_end, repeats)
        number, position = number + 1, 0


def lines_at(path: Path, position: int) -> Iterator[str]:
    """The line that begins there, in the file and in each that was put aside."""
    for one in (path, *(segment.path for segment in _put_aside(path))):
        try:
            with one.open("rb") as file:
                file.seek(position)
                yield file.readline(LINE_BYTES_MAX).decode("utf-8", "replace").rstrip("\n")
        except OSError:
            continue


def with_inode(path: Path, inode: int) -> int:
    """What `Place.file` is for the file with this inode, by which 0.1.0 knew it; 0 if gone."""
    newest = _segment(path)
    known = (*_put_aside(path), *((newest,) if newest is not None else ()))
    return next((one.file for one in known if one.inode == inode), 0)


def _put_aside(path: Path) -> list[_Segment]:
    """Oldest first: `cel.csv.1795312477`, `queue_log.0`."""
    found = [
        segment
        for one in path.parent.iterdir()
        if one.name.startswith(f"{path.name}.") and (segment := _segment(one)) is not None
    ]
    return sorted(found, key=lambda one: (one.changed_at, one.path.name))


def _segment(path: Path) -> _Segment | None:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        status = path.stat()
    except FileNotFoundError:
        return None
    line, end, _ = head.partition(b"\n")
    is_whole = bool(end) or len(head) == HEAD_BYTES
    known_by = 1 + zlib.crc32(line) if is_whole else 0
    changed_at = status.st_mtime_ns // 1_000_000
    return _Segment(path, known_by, status.st_ino, status.st_size, changed_at)


def _first_after(segments: list[_Segment], moment: Instant, path: Path) -> int:
    for number, one in enumerate(segments):
        if one.changed_at >= moment or one.path == path:
            return number
    raise FileNotFoundError(f"{path.name} is gone")


def _lines(segment: _Segment, start: int, bytes_max: int) -> tuple[list[Line], int, bool]:
    """A last line without its end is left for the next time, unless it is endless."""
    with segment.path.open("rb") as file:
        file.seek(start)
        block = file.read(bytes_max)
    at_end = len(block) < bytes_max
    lines, done = [], 0
    while (end := block.find(b"\n", done)) >= 0:
        text = block[done:end] if end - done <= LINE_BYTES_MAX else b""
        place = Place(start + done, segment.file)
        lines.append(Line(place, text.decode("utf-8", "replace")))
        done = end + 1
    if not lines and not at_end:
        lines, done = [Line(Place(start, segment.file), "")], len(block)
    return lines, start + done, at_end
