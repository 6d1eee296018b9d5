"""`perezvon doctor`: is this machine fit, and is what runs here well? One line for each answer.

It only looks: nothing is started, mended or written. What a stopped installation cannot be asked
is not a problem; what one that should run does not answer is.
"""

import asyncio
import ctypes
import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import aiohttp

from perezvon.asterisk import install, packages, provision
from perezvon.asterisk.pjsip import any_browser, telephones, trunk_endpoint
from perezvon.bootstrap import doctor_browsers as browsers
from perezvon.bootstrap import secrets as secrets_of
from perezvon.bootstrap.asterisk import ari_address
from perezvon.bootstrap.doctor_words import DOCTOR, Verdict
from perezvon.bootstrap.ports import is_free
from perezvon.bootstrap.up import location_of
from perezvon.bootstrap.words import say_as
from perezvon.core.plan import Plan
from perezvon.runtime.clock import SystemClock
from perezvon.runtime.local import Refused, ask
from perezvon.runtime.ports import Unavailable
from perezvon.settings import Settings
from perezvon.store import plan_file
from perezvon.store.codec import CodecError
from perezvon.store.database import Name, connect, open_journal_reader
from perezvon.store.plans import newest_plan

PYTHON_MIN: Final = (3, 11)
DISK_BYTES_MIN: Final = 2 * 1024**3
"""A day of recordings of a small office, and Asterisk itself."""
ASK_S: Final = 3
NAMES_SHOWN_MAX: Final = 10
TIME_ERROR: Final = 5
"""What adjtimex(2) answers when nobody sets the clock."""


@dataclass(frozen=True, slots=True)
class Check:
    """One answer, and what to do when it is a problem."""

    verdict: Verdict
    text: str


class Doctor:
    """Asks one installation."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._plan: Plan | None = None
        self.running = is_up(settings)

    async def examine(self) -> list[Check]:
        """All the answers, the machine's first."""
        checks = [*self._machine(), *self._installation(), *await self._relays()]
        if not self.running:
            return [*checks, self._as(Verdict.NOTE, "not_running")]
        return [*checks, *await self._engine(), await self._web(), *await self._switch()]

    def _as(self, verdict: Verdict, key: str, **values: object) -> Check:
        return Check(verdict, say_as(DOCTOR, key, self._settings.language, **values))

    def _either(self, key: str, *, fine: bool, **values: object) -> Check:
        """The text of `key` when it is fine, else that of `key_bad`."""
        if fine:
            return self._as(Verdict.OK, key, **values)
        return self._as(Verdict.PROBLEM, f"{key}_bad", **values)

    # --- the machine --------------------------------------------------------------------------

    def _machine(self) -> Iterator[Check]:
        version = ".".join(map(str, sys.version_info[:3]))
        yield self._either("python", fine=sys.version_info[:2] >= PYTHON_MIN, version=version)
        folder = _nearest(self._settings.data_dir)
        free = shutil.disk_usage(folder).free
        gigabytes = f"{free / 1024**3:.1f}"
        yield self._either("disk", fine=free >= DISK_BYTES_MIN, free=gigabytes, folder=folder)
        yield self._either("folder", fine=os.access(folder, os.W_OK), folder=folder)
        if self._settings.switch == "asterisk":
            yield self._asterisk()
        yield self._clock()
        for verdict, key, values in browsers.of_settings(self._settings, SystemClock().now()):
            yield self._as(verdict, key, **values)
        if not self.running:
            yield from self._ports()

    def _asterisk(self) -> Check:
        ours = self._settings
        try:
            found = install.find(ours.asterisk, ours.cache_dir)
        except install.AsteriskMissing as error:
            return Check(Verdict.PROBLEM, str(error).replace("\n", " "))
        if found is not None:
            return self._as(
                Verdict.OK, "asterisk", version=found.version, program=found.command[-1]
            )
        tools = ("apt-get", "dpkg-deb")
        able = all(shutil.which(tool) for tool in tools) and Path(packages.KEYRING).is_file()
        return self._as(*((Verdict.NOTE, "recipe") if able else (Verdict.PROBLEM, "recipe_bad")))

    def _clock(self) -> Check:
        state = _clock_state()
        if state is None:
            return self._as(Verdict.NOTE, "clock_unknown")
        # Not a problem by itself: engine and Asterisk share this clock. Call-backs would be late.
        return self._as(*((Verdict.OK, "clock") if state else (Verdict.NOTE, "clock_bad")))

    def _ports(self) -> Iterator[Check]:
        ours = self._settings
        wanted = [("web_port", ours.web_bind, False)]
        if ours.switch == "asterisk":
            wanted += [
                ("sip_port", ours.sip_bind, True),
                ("http_port", ours.http_bind, False),
            ]
        for key, host, udp in wanted:
            port = int(getattr(ours, key))
            variable = f"PEREZVON_{key.upper()}"
            free = is_free(port, host, udp=udp)
            yield self._either("port", fine=free, port=port, variable=variable)

    # --- what is kept -------------------------------------------------------------------------

    def _installation(self) -> Iterator[Check]:
        yield self._database()
        plan, check = self._find_plan()
        self._plan = plan
        yield check
        if plan is not None:
            yield self._zone(plan)
            for verdict, key, values in browsers.of_plan(self._settings, plan):
                yield self._as(verdict, key, **values)
        if self._settings.secrets_file.exists():
            yield self._secrets()

    def _database(self) -> Check:
        location = location_of(self._settings)
        if location.is_sqlite and not location.file(Name.JOURNAL).exists():
            return self._as(Verdict.NOTE, "database_new")
        database = connect(location, Name.JOURNAL, read_only=True)
        try:
            with database.read():
                kind = "SQLite" if location.is_sqlite else "PostgreSQL"
                return self._as(Verdict.OK, "database", kind=kind)
        except Unavailable as error:
            return self._as(Verdict.PROBLEM, "database_bad", reason=error)
        finally:
            database.close()

    def _find_plan(self) -> tuple[Plan | None, Check]:
        try:
            plan = self._applied() or self._written()
        except (plan_file.PlanFileError, CodecError) as error:
            return None, self._as(Verdict.PROBLEM, "plan_bad", reason=str(error).splitlines()[0])
        except (OSError, Unavailable) as error:
            return None, self._as(Verdict.PROBLEM, "plan_bad", reason=error)
        if plan is None:
            return None, self._as(Verdict.NOTE, "plan_new")
        return plan, self._as(
            Verdict.OK, "plan", version=plan.version, agents=len(plan.agents),
            queues=len(plan.queues), numbers=len(plan.dids),
        )  # fmt: skip

    def _applied(self) -> Plan | None:
        try:
            database = open_journal_reader(location_of(self._settings))
        except Unavailable:
            return None
        try:
            with database.read() as connection:
                return newest_plan(connection)
        finally:
            database.close()

    def _written(self) -> Plan | None:
        named = self._settings.plan_file
        path = named or self._settings.data_dir / "plan.yaml"
        return plan_file.load(path) if named is not None or path.exists() else None

    def _zone(self, plan: Plan) -> Check:
        try:
            ZoneInfo(plan.zone)
            version = metadata.version("tzdata")
        except (ZoneInfoNotFoundError, metadata.PackageNotFoundError):
            return self._as(Verdict.PROBLEM, "zone_bad", zone=plan.zone)
        return self._as(Verdict.OK, "zone", zone=plan.zone, version=version)

    def _secrets(self) -> Check:
        try:
            secrets_of.read(self._settings.secrets_file)
        except secrets_of.SecretError as error:
            return self._as(Verdict.PROBLEM, "secrets_bad", reason=error)
        return self._as(Verdict.OK, "secrets", file=self._settings.secrets_file)

    async def _relays(self) -> list[Check]:
        now = SystemClock().now()
        found = await asyncio.to_thread(lambda: list(browsers.of_relays(self._settings, now)))
        return [self._as(verdict, key, **values) for verdict, key, values in found]

    # --- what runs ----------------------------------------------------------------------------

    async def _engine(self) -> list[Check]:
        try:
            health = await ask(self._settings.engine_socket, "health", timeout_s=ASK_S)
        except (Unavailable, Refused) as error:
            return [self._as(Verdict.PROBLEM, "engine_bad", reason=error)]
        wanted: tuple[tuple[str, Callable[[Any], bool]], ...] = (
            ("beating", bool),
            ("halted", lambda value: not value),
            ("balanced", bool),
        )
        checks = [self._as(Verdict.OK, "engine")]
        checks += [
            self._as(Verdict.PROBLEM, f"{key}_bad")
            for key, fine in wanted
            if key in health and not fine(health[key])
        ]
        return checks

    async def _web(self) -> Check:
        ours = self._settings
        url = f"{ours.web_url}api/v1/health"
        return self._either("web", fine=(await _get(url)) is not None, url=url)

    async def _switch(self) -> list[Check]:
        ours, plan = self._settings, self._plan
        if ours.switch != "asterisk" or plan is None:
            return []
        try:
            secrets = secrets_of.read(ours.secrets_file)
        except secrets_of.SecretError:
            return []  # told above
        ari = ari_address(ours, secrets, plan.tenant)
        login = aiohttp.encode_basic_auth(ari.user, ari.password)
        info = await _get(f"{ari.url}/asterisk/info", login)
        checks = [self._either("ari", fine=info is not None, url=ari.url)]
        if info is None:
            return checks
        if any_browser(plan):
            away = [one for one in browsers.MODULES if not await _runs(ari.url, one, login)]
            checks.append(self._either("softphones", fine=not away, names=", ".join(away)))
        name = provision.heartbeat_variable(plan.tenant)
        beat = await _get(f"{ari.url}/asterisk/variable?variable={quote(name)}", login)
        endpoints = await _get(f"{ari.url}/endpoints/PJSIP", login)
        return [*checks, self._heartbeat(beat), *self._lines(plan, endpoints)]

    def _heartbeat(self, beat: object) -> Check:
        value = str(beat.get("value", "")) if isinstance(beat, dict) else ""
        if not value.isdigit():
            return self._as(Verdict.PROBLEM, "heartbeat_none")
        age_s = SystemClock().now() // 1_000 - int(value)
        limit_s = self._settings.heartbeat_age_s_max
        return self._either("heartbeat", fine=abs(age_s) <= limit_s, age=age_s, limit=limit_s)

    def _lines(self, plan: Plan, endpoints: object) -> Iterator[Check]:
        """Telephones and trunks, as far as Asterisk sees them."""
        found = endpoints if isinstance(endpoints, list) else []
        online = {str(one.get("resource")) for one in found if one.get("state") == "online"}
        # The others are nowhere by right while nobody has chosen them.
        phones = [name for name, (_, device) in telephones(plan).items() if device is None]
        away = [name for name in phones if name not in online]
        if phones:
            yield self._as(
                Verdict.NOTE if away else Verdict.OK,
                "phones_away" if away else "phones",
                there=len(phones) - len(away),
                all=len(phones),
                names=", ".join(away[:NAMES_SHOWN_MAX]) + (", …" if away[NAMES_SHOWN_MAX:] else ""),
            )
        for trunk in plan.trunks:
            fine = trunk_endpoint(trunk.id) in online
            yield self._either("trunk", fine=fine, trunk=trunk.id, host=trunk.host)


def run(settings: Settings, say: Callable[[str], None]) -> int:
    """Say every answer; the exit status is 1 when one of them is a problem."""
    checks = asyncio.run(Doctor(settings).examine())
    for check in checks:
        mark = say_as(DOCTOR, check.verdict.value, settings.language)
        say(f"{mark:<9} {check.text}")
    problems = sum(check.verdict is Verdict.PROBLEM for check in checks)
    say(say_as(DOCTOR, "sum" if problems else "sum_fine", settings.language, count=problems))
    return 1 if problems else 0


def is_up(settings: Settings) -> bool:
    """Whether a `perezvon up` holds this data folder."""
    try:
        with (settings.run_dir / "up.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


async def _get(url: str, login: str = "") -> Any:  # noqa: ANN401 - JSON of somebody else
    """What is said there; None when nobody says anything useful."""
    headers = {"Authorization": login} if login else {}
    timeout = aiohttp.ClientTimeout(total=ASK_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
            session.get(url, headers=headers, ssl=False) as reply,
        ):
            return await reply.json()
    except (aiohttp.ClientError, OSError, ValueError):
        return None


async def _runs(ari_url: str, module: str, login: str) -> bool:
    found = await _get(f"{ari_url}/asterisk/modules/{module}.so", login)
    return isinstance(found, dict) and found.get("status") == "Running"


def _nearest(folder: Path) -> Path:
    """The folder itself, or the first of those above it that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _clock_state() -> bool | None:
    """Whether somebody keeps the machine's clock right; None when it cannot be told."""
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None:
        return None
    # A struct timex of zeros asks and changes nothing; 512 bytes hold it on every machine.
    state = int(adjtimex(ctypes.create_string_buffer(512)))
    return None if state < 0 else state != TIME_ERROR
