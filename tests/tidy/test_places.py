"""No address of a package registry and no folder of one machine in what is committed.

A lock file once carried the address of one machine's mirror, and installed nowhere else. The
names are read from this machine's own settings, so they stand in no file, not even in this one.
"""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from pip._internal.models.index import PyPI

from tests.tidy.tree import ROOT, files, name_of, text

SHORT = 5
"""Shorter names than this are in every text."""
ANYWHERE = re.compile(r"^(localhost|127\.|\[?::1)")


def _said_by(*command: str) -> str:
    """Empty when there is no such program here: then it has no settings either."""
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout if done.returncode == 0 else ""


def _addresses() -> list[str]:
    found = [PyPI.url, f"https://{PyPI.file_storage_domain}/"]
    found += _said_by("apt-get", "indextargets", "--format", "$(SITE)").split()
    found += _said_by("npm", "config", "get", "registry").split()
    settings = [Path("/etc/pip.conf"), Path.home() / ".pip/pip.conf"]
    settings += [Path.home() / ".config/pip/pip.conf", Path(os.environ.get("PIP_CONFIG_FILE", "/"))]
    said = [path.read_text() for path in settings if path.is_file()]
    said += [value for name, value in os.environ.items() if name.startswith("PIP_")]
    return found + re.findall(r"(?:\w+://|/)[^\s'\"]{4,}", " ".join(said))


@cache
def secrets_of_this_machine() -> tuple[str, ...]:
    """Registry hosts, and the folders where this checkout, its user and his packages live."""
    names = {f"{ROOT}/", f"{Path.home()}/"}
    for address in _addresses():
        scheme, slashes, rest = address.partition("://")
        if not slashes or scheme == "file":
            path = rest or scheme
            if not path.startswith("/etc/"):  # certificates lie there on every Debian
                names.add(path)
        else:
            names.add(rest.split("/")[0].rpartition("@")[2])
    return tuple(sorted(n for n in names if len(n) >= SHORT and not ANYWHERE.match(n)))


def mentions(content: str) -> list[str]:
    return [name for name in secrets_of_this_machine() if name in content]


def test_no_file_names_a_registry_or_a_folder_of_this_machine() -> None:
    assert not {name_of(path): found for path in files() if (found := mentions(text(path)))}


@pytest.mark.parametrize("what", [PyPI.url, f"{ROOT}/src", f"https://{PyPI.file_storage_domain}/x"])
def test_the_rule_bites(what: str) -> None:
    assert mentions(f"a line with {what} in it")


def test_the_pins_have_hashes_and_nothing_else() -> None:
    """An option or an address in them would override what the user's pip is told."""
    for name in ("run", "dev"):
        lines = text(ROOT / "requirements" / f"{name}.txt").splitlines()
        pins = [line for line in lines if not line.startswith(("    --hash=sha256:", "#"))]
        assert pins
        assert all(re.fullmatch(r"[a-z0-9.-]+==[\w.]+( ; .+)? \\", pin) for pin in pins)
        assert all(line.startswith("    --hash=") for line in lines[2:3])
