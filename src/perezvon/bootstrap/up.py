"""`perezvon up`: one installation, from settings to running processes, and back to none.

First everything that can be wrong is looked at (folders, ports, Asterisk, plan, secrets), with an
error that names what to do; then the processes start in order: asterisk, engine, web, worker. From
then on a plan that was applied is written to Asterisk, and whoever ends is started again.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from perezvon import settings as settings_of
from perezvon.asterisk import install
from perezvon.bootstrap import secrets as secrets_of
from perezvon.bootstrap import setup_code, starter, tls
from perezvon.bootstrap.addresses import own_addresses
from perezvon.bootstrap.alert_post import AlertPost
from perezvon.bootstrap.asterisk import Switchboard
from perezvon.bootstrap.children import engine_child, engine_health, web_child, worker_child
from perezvon.bootstrap.ports import PortTaken, is_free
from perezvon.bootstrap.words import UP, say_as
from perezvon.core.ids import SECOND, Duration
from perezvon.core.plan import Plan, PlanError
from perezvon.runtime.clock import SystemClock
from perezvon.runtime.ports import Unavailable
from perezvon.runtime.supervisor import Child, Happening, StartError, Supervisor, What
from perezvon.settings import Settings
from perezvon.store import plan_file
from perezvon.store.database import Database, Location, open_journal_reader, open_views
from perezvon.store.plans import list_plans, newest_plan
from perezvon.store.tokens import create_token

PLAN_EVERY_MS: Final[Duration] = 1 * SECOND
TEND_EVERY_MS: Final[Duration] = 30 * SECOND
BEAT_WAIT_S: Final = 15
BEAT_POLL_S: Final = 0.1
TOLD_MAX: Final = 3
TOLD_EVERY: Final = 20
"""Of one that ends again and again, each of the first ends is told, then one in so many."""
URLS_MAX: Final = 3
KEY_NAME: Final = "perezvon up"
KEY_SCOPES: Final = ("read", "act", "admin")
ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Say = Callable[[str], None]


class UpError(Exception):
    """Why it does not start, in words for the operator."""


class Installation:
    """One data folder's processes. `prepare` first; then `start`, `watch`, `stop`."""

    def __init__(self, settings: Settings, say: Say) -> None:
        self.settings = settings
        self._say_line = say
        self._supervisor: Supervisor | None = None
        self._switchboard: Switchboard | None = None
        self._reader: Database | None = None
        self._written = ""
        """Version of the plan that Asterisk has."""
        self._ended: dict[str, int] = {}
        """How often each has ended since it was ready last."""
        self._stopping = False
        self._post = AlertPost(settings.engine_socket)
        self._posting: asyncio.Task[None] | None = None
        self.plan: Plan | None = None
        self.secrets: secrets_of.Secrets | None = None
        self.pbx: install.Pbx | None = None

    @property
    def location(self) -> Location:
        return location_of(self.settings)

    @property
    def logs(self) -> Path:
        return self.settings.data_dir / "log"

    def say(self, key: str, **values: object) -> None:
        self._say_line(say_as(UP, key, self.settings.language, **values))

    def prepare(self) -> None:
        """Look at everything that may be wrong, and write down what the processes need."""
        self._check_ports()
        self._check_certificate()
        if self.settings.switch == "asterisk":
            self.say("bringing")
            self.pbx = install.ensure(
                self.settings.asterisk, self.settings.cache_dir, say=self._say_line
            )
            self.say("asterisk", version=self.pbx.version)
        self.plan = self._choose_plan()
        self._written = self.plan.version
        keep_token(self.settings)
        if self.pbx is not None:
            self._switchboard = Switchboard(self.settings, self.pbx)
        try:
            self.secrets = secrets_of.resolve(self.settings.secrets_file, self.plan)
            if self._switchboard is not None:
                self._switchboard.write(self.plan, self.secrets)
        except (PlanError, secrets_of.SecretError) as error:
            if self._switchboard is None or not self._switchboard.written:
                raise
            # Written down once already: better to serve by the plan before than not at all.
            self.secrets = secrets_of.read(self.settings.secrets_file)
            self.say("plan_refused", version=self.plan.version, reason=error)

    async def start(self, before: Sequence[Child] = ()) -> None:
        """Start all in order, `before` first. `UpError` when one does not start."""
        children = [*before, *self._children()]
        self._supervisor = Supervisor(children, tell=self._note)
        self._posting = asyncio.create_task(self._post.run())
        self.say("starting", names=", ".join(child.name for child in children))
        try:
            await self._supervisor.start()
        except StartError as error:
            log = self.logs / f"{error.name}.log"
            said = say_as(UP, "not_started", self.settings.language, name=error.name, log=log)
            raise UpError(f"{said}\n{error.tail}") from error
        with contextlib.suppress(TimeoutError):
            # One that answers and does not beat is not ended: what it lacks (a disk, a database,
            # Asterisk) may come back, and the doctor says what it is.
            async with asyncio.timeout(BEAT_WAIT_S):
                while not await self._engine_beats():  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(BEAT_POLL_S)

    async def watch(self) -> None:
        """Until cancelled: hand applied plans to Asterisk, keep its log within its limit."""
        tend_in_ms = TEND_EVERY_MS
        while True:
            await asyncio.sleep(PLAN_EVERY_MS / SECOND)
            if self._switchboard is None:
                continue
            with contextlib.suppress(Unavailable):
                await self._take_new_plan(self._switchboard)
            tend_in_ms -= PLAN_EVERY_MS
            if tend_in_ms <= 0:
                tend_in_ms = TEND_EVERY_MS
                self._switchboard.process.tend()

    async def stop(self) -> None:
        self._stopping = True
        if self._posting is not None:
            self._posting.cancel()
            await asyncio.gather(self._posting, return_exceptions=True)
            self._posting = None
        if self._supervisor is not None:
            await self._supervisor.stop()
            self._supervisor = None
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def greet(self) -> None:
        """Where everything is."""
        ours = self.settings
        self.say("ready")
        if ours.switch == "asterisk":
            self.say("sip", host=ours.sip_bind, port=ours.sip_port)
            self.say("secrets", file=ours.secrets_file)
        self.say("web", url=ours.web_url)
        for url in self._urls_of_the_network():
            self.say("web_of_network", url=url)
        if ours.web_tls == "self_signed":
            self.say("authority", file=tls.authority_file(ours))
        code = setup_code.keep(ours)
        if code:
            self.say("setup", code=code)
        self.say("token", file=ours.token_file)
        self.say("watch", command=self._command("watch"))
        self.say("logs", folder=self.logs)

    def _urls_of_the_network(self) -> list[str]:
        """By which others find the pages, where these are for others too."""
        bind = ip_address(self.settings.web_bind)
        if not bind.is_unspecified:
            return []
        known = [ip_address(one) for one in own_addresses()]
        scheme = self.settings.web_url.partition(":")[0]
        return [
            f"{scheme}://{one}:{self.settings.web_port}/"
            for one in known
            if one.version == 4  # noqa: PLR2004
        ][:URLS_MAX]

    def _command(self, name: str) -> str:
        """What to type for it in another terminal, where our options are not known."""
        if settings_of.load().data_dir == self.settings.data_dir:
            return f"perezvon {name}"
        return f"{settings_of.PREFIX}DATA_DIR={self.settings.data_dir} perezvon {name}"

    def _check_ports(self) -> None:
        ours = self.settings
        wanted = [(ours.web_port, ours.web_bind, False, "web_port")]
        if ours.switch == "asterisk":
            wanted += [
                (ours.sip_port, ours.sip_bind, True, "sip_port"),
                (ours.http_port, ours.http_bind, False, "http_port"),
            ]
        for port, host, udp, setting in wanted:
            if not is_free(port, host, udp=udp):
                raise PortTaken(port, setting)

    def _check_certificate(self) -> None:
        now = SystemClock().now()
        found = tls.certificate_of(self.settings, now)
        if found is not None:
            term = tls.check(found)
            if term.is_over(now):
                self.say("certificate_over", file=found.chain, day=term.ends.date())

    def _choose_plan(self) -> Plan:
        """The newest applied one; before the first, the settings' file or a starter."""
        applied = self._newest()
        named = self.settings.plan_file
        if applied is not None:
            if named is not None and plan_file.load(named).version != applied.version:
                self.say("other_plan", version=applied.version, file=named)
            return applied
        if named is None:
            named = self.settings.data_dir / "plan.yaml"
            starter.write(named, self.settings.language)
            self.say("starter_plan", file=named)
            self.settings = self.settings.model_copy(update={"plan_file": named})
        return plan_file.load(named)

    def _newest(self) -> Plan | None:
        """None before the first engine ran here."""
        try:
            journal = self._journal()
        except Unavailable:
            return None
        with journal.read() as connection:
            return newest_plan(connection)

    def _newest_version(self) -> str:
        with self._journal().read() as connection:
            applied = list_plans(connection, limit=1)
        return applied.items[0].version if applied.items else ""

    def _journal(self) -> Database:
        if self._reader is None:
            self._reader = open_journal_reader(self.location)
        return self._reader

    async def _take_new_plan(self, switchboard: Switchboard) -> None:
        version = await asyncio.to_thread(self._newest_version)
        if version in {"", self._written}:
            return
        plan = await asyncio.to_thread(self._newest)
        if plan is None:
            return
        # Noted before it is tried: one that cannot be written is told of once.
        self._written = version
        try:
            found = secrets_of.resolve(self.settings.secrets_file, plan)
            await switchboard.take_over(plan, found)
        except (PlanError, secrets_of.SecretError) as error:
            self.say("plan_refused", version=version, reason=error)
        else:
            self.plan, self.secrets = plan, found
            self.say("plan_taken", version=version)

    def _children(self) -> list[Child]:
        ours = self.settings
        children = []
        if self._switchboard is not None:
            assert self.plan is not None
            assert self.secrets is not None
            log = self.logs / "asterisk.log"
            children.append(self._switchboard.child(self.secrets, self.plan, log))
        children += [
            engine_child(ours, self.logs / "engine.log"),
            web_child(ours, self.logs / "web.log"),
            worker_child(ours, self.logs / "worker.log"),
        ]
        return children

    async def _engine_beats(self) -> bool:
        """Calls go to it: until its first heartbeat they go to the fallback queue."""
        health = await engine_health(self.settings)
        return health is not None and bool(health.get("beating"))

    def _note(self, happening: Happening) -> None:
        """Tell of what went wrong and that it is right again; of a normal start, nothing."""
        name = happening.name
        if happening.what is What.STARTED:
            # For whoever has to find one of them, as there may be two of a kind. Whole at once: who
            # reads it must not find it empty.
            draft = self.settings.run_dir / f".{name}.pid"
            draft.write_text(f"{happening.pid}\n")
            draft.replace(self.settings.run_dir / f"{name}.pid")
        if self._stopping:
            return
        self._post.happened(happening)
        if happening.what in {What.ENDED, What.HUNG}:
            times = self._ended[name] = self._ended.get(name, 0) + 1
            if times <= TOLD_MAX or times % TOLD_EVERY == 0:
                self.say(
                    happening.what.value,
                    name=name,
                    pid=happening.pid,
                    detail=happening.detail,
                    log=self.logs / f"{name}.log",
                )
        elif happening.what is What.READY and self._ended.pop(name, 0):
            self.say("back", name=name)


def location_of(settings: Settings) -> Location:
    return Location(settings.data_dir, settings.database_url or "")


def keep_token(settings: Settings) -> None:
    """The API's key for this machine's own user: made once, in a file that only he can read."""
    if settings.token_file.exists():
        return
    views = open_views(location_of(settings))
    try:
        _, key = create_token(views, KEY_NAME, KEY_SCOPES, SystemClock().now())
    finally:
        views.close()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(settings.token_file, flags, 0o600), "w") as file:
        file.write(f"{key}\n")


def run(settings: Settings, say: Say) -> int:
    """`perezvon up`. Returns the exit status; errors are `UpError` and kin."""
    settings.prepare()
    with alone(settings):
        installation = Installation(settings, say)
        installation.prepare()
        return asyncio.run(_serve(installation))


async def _serve(installation: Installation) -> int:
    stop = stop_event()
    try:
        if await unless(stop, installation.start()):
            installation.greet()
            await unless(stop, installation.watch())
    finally:
        installation.say("stopping")
        await installation.stop()
        installation.say("stopped")
    return 0


def interruptible() -> None:
    """From now until the event loop has its own handlers, every request to end is a Ctrl-C: what
    was begun (a download, a demo's folder) is cleared away. Also where a shell told us not to hear
    it, as it tells those that it starts in the background.
    """
    for number in ENDINGS:
        signal.signal(number, signal.default_int_handler)


def stop_event() -> asyncio.Event:
    """Set by the first Ctrl-C, SIGTERM, or the end of the terminal."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in ENDINGS:
        loop.add_signal_handler(number, stop.set)
    return stop


async def unless(stop: asyncio.Event, work: Awaitable[None]) -> bool:
    """Do it, but not beyond `stop`; whether it was done."""
    doing = asyncio.ensure_future(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            return False
        doing.result()
        return True
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """One `up` for one data folder. The lock falls with the process, however it ends."""
    with (settings.run_dir / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise UpError(
                say_as(
                    UP,
                    "running",
                    settings.language,
                    folder=settings.data_dir,
                    pid=lock.read(20).strip() or "?",
                )
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
