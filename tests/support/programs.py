"""`perezvon` as a program of its own: started, read line by line, ended, looked after."""

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

DEADLINE_S = 60


class Program:
    """A running command whose lines are kept."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._fresh: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def until_line(self, word: str, deadline_s: float = DEADLINE_S) -> str:
        """The first line from now on that has this word."""
        give_up_at = time.monotonic() + deadline_s
        while (left := give_up_at - time.monotonic()) > 0:
            try:
                line = self._fresh.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                raise AssertionError(f"it ended before it said {word!r}:\n{self.text}")
            if word in line:
                return line
        raise AssertionError(f"it never said {word!r}:\n{self.text}")

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def children(self) -> list[int]:
        return children_of(self.process.pid)

    def wait(self, deadline_s: float = DEADLINE_S) -> int:
        code = self.process.wait(deadline_s)
        self._reader.join()
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            self._fresh.put(line)
        self._fresh.put(None)


@contextmanager
def perezvon(*arguments: str, **environment: str) -> Iterator[Program]:
    """Run `perezvon …` with these variables of ours, and only these."""
    with running([sys.executable, "-m", "perezvon", *arguments], environment) as program:
        yield program


@contextmanager
def running(command: list[str], environment: Mapping[str, str]) -> Iterator[Program]:
    with subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        program = Program(process)
        try:
            yield program
        finally:
            if process.poll() is None:
                process.kill()
            program.wait()


def children_of(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def is_running(pid: int) -> bool:
    """A zombie that its new parent did not collect yet does not run."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_idle(pid: int) -> bool:
    """Whether it has used no processor for a while: it has loaded, and waits."""
    used = [_used(pid)]
    threading.Event().wait(0.3)
    return used == [_used(pid)] != [""]


def _used(pid: int) -> str:
    try:
        return " ".join(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13])
    except (FileNotFoundError, ProcessLookupError):
        return ""


def until(condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    give_up_at = time.monotonic() + deadline_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < give_up_at, f"it never came that {what}"
        pause.wait(0.02)
