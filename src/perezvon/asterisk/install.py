"""Find an Asterisk, or bring a private one, as an ordinary user.

The one that the settings name comes first, then a system's that is new enough, then Debian sid's
packages unpacked into a per-user cache. Nothing is installed into the system. apt checks the
signatures, and the mirror is the one that the machine itself uses. A set of packages that worked
once is kept with its digests and used again; a newer one comes only by `upgrade`.
"""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from perezvon.asterisk import packages

VERSION_MIN = (22, 10, 1)
"""Older ones have deadlocks and crashes that we know of."""

ANSWER_S = 20
"""To print a version: more means that the program hangs."""

SYSTEM_PLACES = ("/usr/sbin/asterisk", "/usr/local/sbin/asterisk", "/opt/asterisk/sbin/asterisk")


class AsteriskMissing(Exception):  # noqa: N818 - the condition, as a person would call it
    """No usable Asterisk, with what to do about it."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"{why}\nName one (setting asterisk, variable PEREZVON_ASTERISK), "
            "or go without a telephone switch: perezvon up --switch sim"
        )


@dataclass(frozen=True)
class Pbx:
    """How to run one Asterisk, and where its unchanging parts are."""

    command: tuple[str, ...]
    """The program, behind its own loader when it was unpacked and not installed."""
    env: Mapping[str, str]
    """To add to the environment."""
    modules: Path
    data: Path
    version: str
    sipp: tuple[str, ...] | None
    """The traffic generator of the tests, where there is one."""


def default_cache() -> Path:
    """Per user, shared by all checkouts and systems of his."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "perezvon"


def find(named: Path | None, cache: Path) -> Pbx | None:
    """What is here already, without downloading. `AsteriskMissing` if the named one is unusable."""
    if named is not None:
        return _named(named)
    return _system() or _cached(cache)


def ensure(
    named: Path | None, cache: Path, *, upgrade: bool = False, say: Callable[[str], None] = print
) -> Pbx:
    """Find an Asterisk or bring one. Safe to run in two processes at once."""
    present = find(named, cache)
    if present is not None and (named is not None or not upgrade):
        return present
    if upgrade and _system() is not None:
        say("The system has a good Asterisk; its own packages keep it up to date.")
        return present or _need(None)
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache, say):
        # Whoever held the lock before us may have brought it.
        present = None if upgrade else _cached(cache)
        if present is not None:
            return present
        try:
            bring = packages.refresh if upgrade else packages.restore
            prefix = bring(cache, lambda fresh: _prefixed(fresh) is not None, say)
        except packages.NotAvailable as error:
            raise AsteriskMissing(str(error)) from error
        return _need(_prefixed(prefix))


def version_of(text: str) -> tuple[int, int, int] | None:
    """Parse what `asterisk -V` prints."""
    found = re.match(r"Asterisk (?:certified/)?(\d+)\.(\d+)(?:\.(\d+))?", text)
    if found is None:
        return None
    return int(found[1]), int(found[2]), int(found[3] or 0)


def _named(named: Path) -> Pbx:
    if named.is_dir():
        program = next(
            (named / place for place in ("usr/sbin/asterisk", "sbin/asterisk", "asterisk")
             if (named / place).is_file()),
            None,
        )  # fmt: skip
        if program is None:
            raise AsteriskMissing(f"{named} holds no sbin/asterisk.")
    else:
        program = named
    if not program.is_file():
        raise AsteriskMissing(f"{named}, named in the settings, is not there.")
    pbx, trouble = _examine(program)
    if pbx is None:
        raise AsteriskMissing(trouble)
    return pbx


def _system() -> Pbx | None:
    for place in filter(None, (shutil.which("asterisk"), *SYSTEM_PLACES)):
        if Path(place).is_file():
            pbx, _ = _examine(Path(place))
            if pbx is not None:
                return pbx
    return None


def _cached(cache: Path) -> Pbx | None:
    prefix = packages.good_prefix(cache)
    return _prefixed(prefix) if prefix else None


def _prefixed(prefix: Path) -> Pbx | None:
    program = prefix / "usr/sbin/asterisk"
    return _examine(program)[0] if program.is_file() else None


def _need(pbx: Pbx | None) -> Pbx:
    if pbx is None:
        raise AsteriskMissing("The unpacked Asterisk does not run on this machine.")
    return pbx


def _examine(program: Path) -> tuple[Pbx | None, str]:
    """The Asterisk of this program, or why it is of no use."""
    root = program.resolve().parent.parent
    loader, env = _loader(root)
    command = (*loader, str(program))
    try:
        answer = subprocess.run(
            [*command, "-V"], env={**os.environ, **env}, capture_output=True, text=True,
            timeout=ANSWER_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"{program} does not run: {error}"
    version = version_of(answer.stdout)
    if version is None:
        return None, f"{program} is no Asterisk: {(answer.stderr or answer.stdout).strip()[:200]}"
    text = answer.stdout.split()[1]
    if version < VERSION_MIN:
        least = ".".join(map(str, VERSION_MIN))
        return None, f"{program} is too old: {text}, and {least} is the oldest we trust."
    modules = _first_dir(root, ("lib/*/asterisk/modules", "lib*/asterisk/modules"))
    data = _first_dir(root, ("share/asterisk", "../var/lib/asterisk", "var/lib/asterisk"))
    if modules is None or data is None:
        return None, f"{program} has no modules or no data beside it."
    return Pbx(command, env, modules, data, text, _sipp(root, loader)), ""


def _loader(root: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """An unpacked program needs the libraries it came with, not the machine's."""
    if root in (Path("/usr"), Path("/usr/local")):
        return (), {}
    for loader in sorted(root.glob("lib/*/ld-linux*.so.*")):
        libraries = loader.parent
        path = f"{libraries}:{libraries / 'asterisk'}"
        env = {"OPENSSL_MODULES": str(libraries / "ossl-modules")}
        return (str(loader), "--library-path", path), env
    return (), {}


def _sipp(root: Path, loader: tuple[str, ...]) -> tuple[str, ...] | None:
    own = root / "bin/sipp"
    if own.is_file():
        return (*loader, str(own))
    found = shutil.which("sipp")
    return (found,) if found else None


def _first_dir(root: Path, patterns: tuple[str, ...]) -> Path | None:
    for pattern in patterns:
        parent, steps = root, pattern
        while steps.startswith("../"):
            parent, steps = parent.parent, steps.removeprefix("../")
        for found in sorted(parent.glob(steps)):
            if found.is_dir():
                return found
    return None


@contextlib.contextmanager
def _alone(cache: Path, say: Callable[[str], None]) -> Iterator[None]:
    """One installation at a time; the lock falls with the process that held it."""
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another process is bringing Asterisk; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
