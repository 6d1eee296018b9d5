"""Debian's packages of Asterisk, unpacked into a cache of ours without root.

Whatever happens half-way, the prefix in use stays whole: a new one is unpacked beside it, tried,
and only then named in the manifest. The packages themselves are kept with their digests, so that
a damaged prefix is made again without a network.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

WANTED = (
    "asterisk",
    "asterisk-modules",
    "asterisk-core-sounds-ru-wav",
    "asterisk-core-sounds-en-wav",
    "asterisk-moh-opsound-wav",
    "sip-tester",
)
SUITE = "sid"
"""The only suite of Debian that carries Asterisk."""

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
"""From the package debian-archive-keyring, part of every Debian."""

DOWNLOAD_S = 900
UNPACK_S = 120

USELESS = (
    "usr/lib/*/perl",
    "usr/lib/*/perl-base",
    "usr/lib/gnupg",
    "usr/lib/python3*",
    "usr/share/doc",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/perl",
    "usr/share/perl5",
)
"""Came as dependencies; no program that we start reads them."""

VOICES = {"ru": "ru_RU_f_IvrvoiceRU", "en": "en_US_f_Allison"}
"""Debian makes these links in scripts that we do not run."""

Works = Callable[[Path], bool]
"""Whether the Asterisk in this prefix runs here."""
Say = Callable[[str], None]


class NotAvailable(Exception):  # noqa: N818 - the condition, as a person would call it
    """The packages cannot be had here."""


def good_prefix(cache: Path) -> Path | None:
    """The prefix that the manifest names, when it is there."""
    name = _manifest(cache).get("prefix")
    if not isinstance(name, str) or not name.startswith("pbx-") or "/" in name:
        return None
    prefix = cache / name
    return prefix if prefix.is_dir() else None


def restore(cache: Path, works: Works, say: Say) -> Path:
    """Unpack the last good packages again if they are here, else download."""
    kept = cache / "packages"
    digests = _manifest(cache).get("packages")
    if isinstance(digests, dict) and digests and _digests(kept) == digests:
        say("Unpacking the Asterisk packages that were kept.")
        return _adopt(cache, kept, works)
    return refresh(cache, works, say)


def refresh(cache: Path, works: Works, say: Say) -> Path:
    """Download the newest packages and make a prefix of them."""
    mirror = _mirror()
    with tempfile.TemporaryDirectory(prefix=".build-", dir=cache) as build:
        archives = _download(Path(build), mirror, say)
        say("Unpacking Asterisk.")
        return _adopt(cache, archives, works)


def _adopt(cache: Path, archives: Path, works: Works) -> Path:
    digests = _digests(archives)
    seed = json.dumps(digests, sort_keys=True).encode()
    prefix = cache / f"pbx-{hashlib.sha256(seed).hexdigest()[:12]}"
    # Nothing newer: an Asterisk may be running from it.
    if not (prefix.is_dir() and works(prefix)):
        _make(prefix, archives, works)
    kept = cache / "packages"
    if archives != kept:
        shutil.rmtree(kept, ignore_errors=True)
        archives.rename(kept)
    previous = _manifest(cache).get("prefix")
    _write_manifest(cache, {"prefix": prefix.name, "packages": digests})
    _forget_old(cache, keep={prefix.name, previous})
    return prefix


def _make(prefix: Path, archives: Path, works: Works) -> None:
    fresh = Path(tempfile.mkdtemp(prefix=".unpack-", dir=prefix.parent))
    try:
        _unpack(archives, fresh)
        if not works(fresh):
            raise NotAvailable("Debian's Asterisk does not run on this machine.")
        shutil.rmtree(prefix, ignore_errors=True)
        fresh.rename(prefix)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _mirror() -> str:
    """The address from which this machine takes its own packages."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise NotAvailable(
                f"There is no Asterisk here, and without {tool} none can be unpacked."
            )
    if not Path(KEYRING).is_file():
        raise NotAvailable(
            "There is no Asterisk here. To fetch Debian's, its keys are needed: "
            "install the package debian-archive-keyring."
        )
    answer = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)",
         "Created-By: Packages"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    for line in answer.stdout.splitlines():
        codename, _, address = line.partition(" ")
        # Security and update archives have a dash in their name, and no sid.
        if address and "-" not in codename:
            return address
    raise NotAvailable("There is no Asterisk here, and apt names no mirror to fetch one from.")


def _download(build: Path, mirror: str, say: Say) -> Path:
    for place in ("lists/partial", "cache/archives/partial"):
        (build / place).mkdir(parents=True)
    # An empty status file makes apt bring every dependency, the C library too.
    (build / "status").touch()
    source = build / "sources.list"
    source.write_text(f"deb [signed-by={KEYRING}] {mirror} {SUITE} main\n")
    settings = (
        f"Dir::Etc::sourcelist={source}",
        "Dir::Etc::sourceparts=/dev/null",
        "Dir::Etc::preferences=/dev/null",
        "Dir::Etc::preferencesparts=/dev/null",
        f"Dir::State::lists={build / 'lists'}",
        f"Dir::State::status={build / 'status'}",
        f"Dir::Cache={build / 'cache'}",
        "Debug::NoLocking=1",
        "APT::Sandbox::User=",
        "APT::Default-Release=",
        "Acquire::Languages=none",
        # The machine may have been told to trust anything; here nothing is.
        "Acquire::AllowInsecureRepositories=false",
        "Acquire::AllowWeakRepositories=false",
        "APT::Get::AllowUnauthenticated=false",
    )
    command = ["apt-get", "-q", *(part for one in settings for part in ("-o", one))]
    say("Looking for Asterisk among Debian's packages.")
    _apt([*command, "update", "--error-on=any"])
    say("Downloading Asterisk and what it needs, about 140 MB.")
    _apt([*command, "--no-install-recommends", "-y", "-d", "install", *WANTED])
    archives = build / "cache/archives"
    shutil.rmtree(archives / "partial", ignore_errors=True)
    (archives / "lock").unlink(missing_ok=True)
    return archives


def _apt(command: list[str]) -> None:
    try:
        answer = subprocess.run(
            command, env={**os.environ, "LC_ALL": "C"}, capture_output=True, text=True,
            timeout=DOWNLOAD_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise NotAvailable("Downloading Asterisk took too long.") from None
    if answer.returncode != 0:
        errors = [line for line in answer.stderr.splitlines() if line.startswith(("E:", "W:"))]
        raise NotAvailable("Asterisk could not be downloaded:\n" + "\n".join(errors[-5:]))


def _unpack(archives: Path, prefix: Path) -> None:
    for archive in sorted(archives.glob("*.deb")):
        try:
            subprocess.run(
                ["dpkg-deb", "-x", archive, prefix],
                check=True, capture_output=True, timeout=UNPACK_S,
            )  # fmt: skip
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise NotAvailable(f"{archive.name} could not be unpacked: {error}") from error
    for pattern in USELESS:
        for place in prefix.glob(pattern):
            shutil.rmtree(place)
    sounds = prefix / "usr/share/asterisk/sounds"
    for language, voice in VOICES.items():
        link = sounds / language
        if (sounds / voice).is_dir() and not link.exists():
            link.symlink_to(voice)


def _digests(archives: Path) -> dict[str, str]:
    digests: dict[str, str] = {}
    for archive in sorted(archives.glob("*.deb")):
        with archive.open("rb") as data:
            digests[archive.name] = hashlib.file_digest(data, "sha256").hexdigest()
    return digests


def _manifest(cache: Path) -> dict[str, object]:
    try:
        known = json.loads((cache / "manifest.json").read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_manifest(cache: Path, content: dict[str, object]) -> None:
    draft = cache / f"manifest.json.{os.getpid()}"
    draft.write_text(json.dumps(content, indent=1))
    draft.replace(cache / "manifest.json")


def _forget_old(cache: Path, keep: set[object]) -> None:
    """Prefixes before the last two, and what killed installations left."""
    for pattern in ("pbx-*", ".build-*", ".unpack-*"):
        for place in cache.glob(pattern):
            if place.name not in keep and place.is_dir():
                shutil.rmtree(place, ignore_errors=True)
