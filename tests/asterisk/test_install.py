"""Which Asterisk is taken, and how one is brought: with programs of our own in apt's place."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from perezvon.asterisk import install, packages
from perezvon.asterisk.install import AsteriskMissing, ensure, find, version_of
from tests.support.asterisk import pbx, sipp

GOOD = "22.10.1~dfsg+~cs6"

APT = """#!/bin/sh
echo "$@" >> {notes}
case "$*" in
*indextargets*)
    echo "bookworm-security mirror.invalid/security"
    echo "bookworm mirror.invalid/debian"
    exit 0;;
*update*) exit 0;;
esac
if [ -e {broken} ]; then
    echo "W: nothing" >&2; echo "E: The repository is not signed." >&2; exit 100
fi
for one in "$@"; do
    case "$one" in Dir::Cache=*) cache="${{one#Dir::Cache=}}";; esac
done
cp {offer}/*.deb "$cache/archives/"
"""

DPKG = """#!/bin/sh
exec tar -xf "$2" -C "$3"
"""


def make_asterisk(root: Path, version: str = GOOD, *, place: str = "usr") -> Path:
    """A prefix that looks and answers like one of Asterisk."""
    program = root / place / "sbin/asterisk"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'Asterisk {version}'\n")
    program.chmod(0o755)
    (root / place / "lib/any-linux-gnu/asterisk/modules").mkdir(parents=True)
    (root / place / "share/asterisk").mkdir(parents=True)
    (root / place / "share/doc/asterisk").mkdir(parents=True)
    return program


class Archive:
    """Debian, as far as we ask it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.notes = root / "notes"
        self.broken = root / "broken"
        self.offer = root / "offer"
        self.programs = root / "programs"
        for place in (self.offer, self.programs):
            place.mkdir(parents=True)
        texts = {
            "apt-get": APT.format(notes=self.notes, broken=self.broken, offer=self.offer),
            "dpkg-deb": DPKG,
        }
        for name, text in texts.items():
            (self.programs / name).write_text(text)
            (self.programs / name).chmod(0o755)
        self.publish(GOOD)

    def publish(self, version: str) -> None:
        draft = self.root / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        make_asterisk(draft, version)
        subprocess.run(["tar", "-cf", self.offer / "asterisk.deb", "-C", draft, "."], check=True)

    def downloads(self) -> int:
        return self.notes.read_text().count(" install ") if self.notes.exists() else 0


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    debian = Archive(tmp_path / "debian")
    # An Asterisk of the machine that runs the tests is not to be seen by them.
    for name in ("cp", "tar"):
        (debian.programs / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", str(debian.programs))
    monkeypatch.setattr(install, "SYSTEM_PLACES", (str(tmp_path / "system/usr/sbin/asterisk"),))
    keyring = tmp_path / "keyring"
    keyring.touch()
    monkeypatch.setattr(packages, "KEYRING", str(keyring))
    return debian


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def silent(_text: str) -> None:
    pass


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Asterisk 22.10.1~dfsg+~cs6.17.60671434-1\n", (22, 10, 1)),
        ("Asterisk 22.11.0-rc1", (22, 11, 0)),
        ("Asterisk certified/20.7-cert4", (20, 7, 0)),
        ("Asterisk GIT-master-1234", None),
        ("sipp 3.8", None),
        ("", None),
    ],
)
def test_a_version_is_read_as_asterisk_prints_it(
    text: str, version: tuple[int, int, int] | None
) -> None:
    assert version_of(text) == version


@pytest.mark.usefixtures("archive")
def test_the_named_one_is_taken_before_any_other(tmp_path: Path, cache: Path) -> None:
    make_asterisk(tmp_path / "system")
    program = make_asterisk(tmp_path / "own", "22.12.0")
    for named in (program, tmp_path / "own", tmp_path / "own/usr"):
        found = find(named, cache)
        assert found is not None
        assert (found.version, found.command) == ("22.12.0", (str(program),))
        assert found.modules == tmp_path / "own/usr/lib/any-linux-gnu/asterisk/modules"
        assert found.data == tmp_path / "own/usr/share/asterisk"


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize("version", ["20.9.3", "22.10.0", "18.0.0"])
def test_a_named_one_too_old_is_refused_with_what_to_do(
    tmp_path: Path, cache: Path, version: str
) -> None:
    program = make_asterisk(tmp_path / "old", version)
    with pytest.raises(AsteriskMissing) as caught:
        ensure(program, cache, say=silent)
    assert f"too old: {version}" in str(caught.value)
    assert "22.10.1" in str(caught.value)
    assert "--switch sim" in str(caught.value)


@pytest.mark.usefixtures("archive")
def test_a_named_one_that_is_none_is_refused(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "empty").mkdir()
    other = tmp_path / "other"
    other.write_text("#!/bin/sh\necho hello\n")
    other.chmod(0o755)
    dead = tmp_path / "dead"
    dead.write_text("no program at all")
    bare = make_asterisk(tmp_path / "bare")
    shutil.rmtree(tmp_path / "bare/usr/lib")
    for named in (tmp_path / "nowhere", tmp_path / "empty", other, dead, bare):
        with pytest.raises(AsteriskMissing, match=named.name):
            find(named, cache)


def test_a_good_one_of_the_system_is_taken_and_an_old_one_passed_over(
    archive: Archive, tmp_path: Path, cache: Path
) -> None:
    program = make_asterisk(tmp_path / "system")
    found = ensure(None, cache, say=silent)
    assert found.command == (str(program),)
    assert archive.downloads() == 0
    shutil.rmtree(tmp_path / "system")
    make_asterisk(tmp_path / "system", "20.1.0")
    assert cache in ensure(None, cache, say=silent).modules.parents


def test_one_is_brought_once_and_found_afterwards(archive: Archive, cache: Path) -> None:
    assert find(None, cache) is None
    told: list[str] = []
    brought = ensure(None, cache, say=told.append)
    assert brought.version == GOOD
    assert told
    assert find(None, cache) == brought
    assert ensure(None, cache, say=silent) == brought
    assert archive.downloads() == 1
    # What no program reads is not kept, nor is anything half-made.
    assert not (brought.data.parent / "doc").exists()
    assert not [place for place in cache.iterdir() if place.name.startswith(".")]


def test_apt_checks_the_signatures_and_takes_the_machines_own_mirror(
    archive: Archive, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[str] = []
    download = packages._download

    def spy(build: Path, mirror: str, say: Callable[[str], None]) -> Path:
        archives = download(build, mirror, say)
        kept.append((build / "sources.list").read_text())
        return archives

    monkeypatch.setattr(packages, "_download", spy)
    ensure(None, cache, say=silent)
    assert kept == [f"deb [signed-by={packages.KEYRING}] mirror.invalid/debian sid main\n"]
    notes = archive.notes.read_text()
    assert "APT::Get::AllowUnauthenticated=false" in notes
    assert "Acquire::AllowInsecureRepositories=false" in notes
    assert "trusted" not in kept[0]


def test_what_cannot_be_downloaded_leaves_nothing_and_says_why(
    archive: Archive, cache: Path
) -> None:
    archive.broken.touch()
    with pytest.raises(AsteriskMissing, match="not signed"):
        ensure(None, cache, say=silent)
    assert {place.name for place in cache.iterdir()} <= {"lock"}
    archive.broken.unlink()
    assert ensure(None, cache, say=silent).version == GOOD


def test_one_that_does_not_run_is_never_taken_over(archive: Archive, cache: Path) -> None:
    good = ensure(None, cache, say=silent)
    archive.publish("no version")
    with pytest.raises(AsteriskMissing, match="does not run"):
        ensure(None, cache, upgrade=True, say=silent)
    assert ensure(None, cache, say=silent) == good


def test_an_upgrade_brings_a_newer_one_and_leaves_the_running_one(
    archive: Archive, cache: Path
) -> None:
    first = ensure(None, cache, say=silent)
    assert ensure(None, cache, upgrade=True, say=silent) == first
    archive.publish("22.11.0")
    assert ensure(None, cache, say=silent) == first
    second = ensure(None, cache, upgrade=True, say=silent)
    assert second.version == "22.11.0"
    assert Path(first.command[-1]).exists()
    archive.publish("22.11.1")
    ensure(None, cache, upgrade=True, say=silent)
    assert not Path(first.command[-1]).exists()
    assert Path(second.command[-1]).exists()


@pytest.mark.parametrize("damage", ["prefix", "program"])
def test_a_damaged_one_is_made_again_without_a_network(
    archive: Archive, cache: Path, damage: str
) -> None:
    good = ensure(None, cache, say=silent)
    archive.broken.touch()
    program = Path(good.command[-1])
    if damage == "prefix":
        shutil.rmtree(program.parents[2])
    else:
        program.write_text("rubbish")
    assert ensure(None, cache, say=silent) == good
    assert archive.downloads() == 1


def test_packages_that_changed_on_the_disk_are_not_unpacked(archive: Archive, cache: Path) -> None:
    good = ensure(None, cache, say=silent)
    shutil.rmtree(Path(good.command[-1]).parents[2])
    with (cache / "packages/asterisk.deb").open("ab") as package:
        package.write(b"more")
    ensure(None, cache, say=silent)
    assert archive.downloads() == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"prefix": "../.."}', '{"prefix": 7}'])
def test_a_manifest_of_nonsense_is_no_manifest(archive: Archive, cache: Path, text: str) -> None:
    cache.mkdir()
    (cache / "manifest.json").write_text(text)
    assert find(None, cache) is None
    assert ensure(None, cache, say=silent).version == GOOD
    assert archive.downloads() == 1


def test_two_at_once_bring_one(archive: Archive, cache: Path) -> None:
    found: list[install.Pbx] = []
    threads = [
        threading.Thread(target=lambda: found.append(ensure(None, cache, say=silent)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(map(repr, found))) == 1
    assert archive.downloads() == 1


@pytest.mark.parametrize("missing", ["apt-get", "keyring"])
def test_a_machine_that_cannot_bring_one_is_told_so(
    archive: Archive, cache: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    if missing == "keyring":
        Path(packages.KEYRING).unlink()
    else:
        monkeypatch.setenv("PATH", str(archive.root))
    with pytest.raises(AsteriskMissing, match=missing) as caught:
        ensure(None, cache, say=silent)
    assert "perezvon up --switch sim" in str(caught.value)


@pytest.mark.asterisk
def test_the_real_one_runs_and_sipp_with_it() -> None:
    found = pbx()
    assert (version_of(f"Asterisk {found.version}") or (0, 0, 0)) >= install.VERSION_MIN
    answer = subprocess.run(
        [*sipp(), "-v"], env={**os.environ, **found.env}, capture_output=True, check=False
    )
    assert b"SIPp v3" in answer.stdout + answer.stderr


@pytest.mark.asterisk
def test_pbx_status_names_the_one_that_would_run(tmp_path: Path) -> None:
    found = pbx()
    program = "from perezvon.cli.pbx import app; app()"
    environ = {**os.environ, "PEREZVON_SETTINGS": "", "PEREZVON_LANGUAGE": "en"}

    def status(**more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, "status"], env=environ | more,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    good = status(PEREZVON_CACHE_DIR=str(install.default_cache()))
    assert good.returncode == 0, good.stderr
    assert found.version in good.stdout
    bad = status(PEREZVON_ASTERISK=str(tmp_path / "nowhere"))
    assert bad.returncode == 1
    assert "not there" in bad.stderr
