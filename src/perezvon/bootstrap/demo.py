"""`perezvon up --demo`: the whole system in a folder of its own, with a town of callers.

It promises a newcomer the story within three minutes, and leaves nothing behind: no process, and
no folder unless he named one. His own installation, database and ports are not touched.
"""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

import perezvon
from perezvon import settings as settings_of
from perezvon.asterisk.ari import Address
from perezvon.asterisk.install import Pbx
from perezvon.asterisk.process import AsteriskFailed, AsteriskProcess, directories
from perezvon.bootstrap import demo_accounts
from perezvon.bootstrap.asterisk import asterisk_child
from perezvon.bootstrap.demo_accounts import Account
from perezvon.bootstrap.ports import free_port, free_range, is_free
from perezvon.bootstrap.story import Story
from perezvon.bootstrap.up import Installation, Say, UpError, alone, stop_event, unless
from perezvon.bootstrap.words import DEMO, say_as
from perezvon.core.events import ChosenStatus
from perezvon.core.ids import SECOND, AgentId, Duration, PersonId
from perezvon.core.plan import Agent, DeviceKind, Plan
from perezvon.runtime.clock import SystemClock
from perezvon.runtime.local import Refused, ask
from perezvon.runtime.ports import Unavailable
from perezvon.settings import Settings
from perezvon.sim import scenario as scenario_of
from perezvon.store.books import Books
from perezvon.store.facts import list_facts
from perezvon.town import pbx as town_pbx
from perezvon.town.driver import Person, SetStatus, Town

RTP_FROM: Final = 10_000
RTP_TO: Final = 32_000
RTP_PORTS: Final = 400
TELL_EVERY_MS: Final[Duration] = 400
LEDGER_EVERY_MS: Final[Duration] = 15 * SECOND
REGISTER_S: Final = 20
STATUS_TRIES: Final = 20
ENGLISH: Final = {
    "anna": "Anna", "boris": "Boris", "vera": "Vera", "olga": "Olga", "shop": "Shop",
}  # fmt: skip
"""Names of the demo's plan for those who read no Russian."""


@dataclass(frozen=True, slots=True)
class Options:
    data: Path | None = None
    """Kept afterwards; None: a folder that is removed at the end."""
    for_s: int | None = None
    """Stop when the whole story was seen, at the latest after so long."""
    plan: Path | None = None
    switch: str | None = None
    """`sim`: the town is simulated inside the engine, for a machine without Asterisk."""
    scenario: Path | None = None
    seed: int = 1


def run(options: Options, say: Say) -> int:
    """The exit status: 0 unless a limit was given and the story was not whole by then."""
    with _folder(options.data) as folder:
        sip_port = _free_here_and_there()
        ours = _settings(folder, sip_port, options)
        plan_path = folder / "plan.yaml"
        plan_path.write_text(_plan_text(options.plan or example("plans/demo.yaml"), ours, sip_port))
        ours = ours.model_copy(update={"plan_file": plan_path})
        ours.prepare()
        with alone(ours):
            installation = Installation(ours, say)
            installation.prepare()
            assert installation.plan is not None
            accounts = demo_accounts.make(ours, installation.plan)
            demo = Demo(options, installation, accounts, town_sip_port=sip_port, say=say)
            return asyncio.run(demo.play())


class Demo:
    """One showing."""

    def __init__(
        self,
        options: Options,
        installation: Installation,
        accounts: Sequence[Account],
        *,
        town_sip_port: int,
        say: Say,
    ) -> None:
        assert installation.plan is not None
        self._options = options
        self._installation = installation
        self._accounts = accounts
        self._settings = installation.settings
        self._say_line = say
        self._plan: Plan = installation.plan
        self._town = (
            None
            if installation.pbx is None
            else _Town(options, installation, installation.pbx, town_sip_port, self._set_status)
        )
        self._balanced = False
        self._story: Story | None = None

    def _say(self, key: str, **values: object) -> None:
        self._say_line(say_as(DEMO, key, self._settings.language, **values))

    async def play(self) -> int:
        stop = stop_event()
        try:
            if await unless(stop, self._begin()):
                await unless(stop, self._show())
            return self._verdict()
        finally:
            self._installation.say("stopping")
            if self._town is not None:
                await self._town.people.stop()
            await self._installation.stop()
            self._installation.say("stopped")

    async def _begin(self) -> None:
        town = self._town
        if town is None:
            self._say("intro_sim")
            await self._installation.start()
            self._greet()
            return
        self._say("intro")
        # The carrier first: else the main Asterisk finds its trunk down, and asks again in 30 s.
        await self._installation.start([town.child])
        await town.wait_for_phones()
        await town.people.start()
        self._greet()
        self._say("phones")

    def _greet(self) -> None:
        self._installation.greet()
        ours = self._settings
        self._say("accounts", url=ours.web_url)
        for account in self._accounts:
            shown = {"role": account.role.value, "login": account.login}
            self._say("account", **shown, password=account.password)

    async def _show(self) -> None:
        watching = asyncio.create_task(self._installation.watch())
        try:
            async with asyncio.timeout(self._options.for_s):
                await self._tell()
        except TimeoutError:
            pass  # the limit: the verdict says what was seen by then
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _tell(self) -> None:
        """Until stopped, or with a limit until all was seen."""
        books = await asyncio.to_thread(Books.open, self._installation.location)
        try:
            await self._tell_from(books)
        finally:
            await asyncio.to_thread(books.close)

    async def _tell_from(self, books: Books) -> None:
        def number_of(person: PersonId) -> str | None:
            found = books.persons([person]).get(person)
            return found.number if found is not None else None

        names = {agent.id: agent.name for agent in self._plan.agents}
        story = Story(names, number_of, self._plan.zone, self._settings.language)
        self._story = story
        after, ledger_in_ms, recovered = 0, LEDGER_EVERY_MS, 0
        while True:
            rows = await asyncio.to_thread(
                lambda last: list_facts(books.fresh(), after=last), after
            )
            lines = await asyncio.to_thread(story.tell, [row.fact for row in rows])
            for line in lines:
                self._say_line(line)
            after = rows[-1].id if rows else after
            ledger_in_ms -= TELL_EVERY_MS
            if ledger_in_ms <= 0 or story.recovered > recovered:
                ledger_in_ms, recovered = LEDGER_EVERY_MS, story.recovered
                await self._tell_ledger(story)
            if self._options.for_s is not None and story.seen.whole and self._balanced:
                return
            await asyncio.sleep(TELL_EVERY_MS / SECOND)

    async def _tell_ledger(self, story: Story) -> None:
        try:
            counts = await ask(self._settings.engine_socket, "ledger")
        except (Unavailable, Refused):
            return
        self._balanced = bool(counts.pop("balanced"))
        at = SystemClock().now()
        self._say_line(story.ledger(at, counts, balanced=self._balanced))

    def _verdict(self) -> int:
        if self._options.for_s is None:
            return 0
        story = self._story
        if story is not None and story.seen.whole and self._balanced:
            self._say("whole")
            return 0
        told = {"answered": 0, "missed": 0, "owed": 0, "recovered": 0}
        if story is not None:
            told = {name: getattr(story, name) for name in told}
        self._say("not_whole", **told)
        return 1

    async def _set_status(self, agent: AgentId, status: ChosenStatus) -> None:
        """As the agent's page would; an engine that is away at this moment comes back."""
        args = {"agent": agent, "status": status.value, "by": agent}
        for _ in range(STATUS_TRIES):
            try:
                await ask(self._settings.engine_socket, "agent.status", args)
            except Unavailable:
                await asyncio.sleep(0.5)
            else:
                return


class _Town:
    """The second Asterisk and its people."""

    def __init__(
        self,
        options: Options,
        installation: Installation,
        pbx: Pbx,
        sip_port: int,
        set_status: SetStatus,
    ) -> None:
        ours, plan = installation.settings, installation.plan
        assert plan is not None
        assert installation.secrets is not None
        self._language = ours.language
        self._site = _site(ours, plan, installation.secrets.by_name, sip_port)
        self._process = AsteriskProcess(pbx, directories(ours.data_dir / "town"))
        self._process.write(town_pbx.files(self._site, pbx, self._process.places))
        ari = Address(
            url=f"http://127.0.0.1:{self._site.http_port}/ari",
            user=town_pbx.ARI_USER,
            password=self._site.ari_password,
            app=town_pbx.APP,
        )
        log = installation.logs / "town.log"
        sip = town_pbx.PHONES_HOST, self._site.sip_port
        self.child = asterisk_child("town", self._process, ari, sip, log)
        self.people = Town(
            scenario=scenario_of.load(_scenario(options)),
            people=_people(plan),
            ari=ari,
            set_status=set_status,
            seed=options.seed,
        )

    async def wait_for_phones(self) -> None:
        wanted = len(self._site.phones)
        try:
            async with asyncio.timeout(REGISTER_S):
                while await self._registered() < wanted:  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise UpError(say_as(DEMO, "no_phones", self._language, seconds=REGISTER_S)) from None

    async def _registered(self) -> int:
        try:
            listing = await self._process.cli("pjsip show registrations")
        except AsteriskFailed:
            return 0
        return sum("Registered" in line.split() for line in listing.splitlines())


def _scenario(options: Options) -> Path:
    return options.scenario or example("scenarios/demo.yaml")


def example(name: str) -> Path:
    """A file of `examples/`: beside the package in a checkout, inside it when installed."""
    package = Path(perezvon.__file__).parent
    for place in (package / "examples", package.parents[1] / "examples"):
        if (place / name).is_file():
            return place / name
    raise UpError(f"examples/{name} did not come with this installation")


@contextmanager
def _folder(named: Path | None) -> Iterator[Path]:
    """Fresh each time: a named one is emptied of the demo before, and of nothing else."""
    if named is None:
        folder = Path(tempfile.mkdtemp(prefix="perezvon-demo-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    mark = named / MARK
    if named.is_dir() and any(named.iterdir()):
        if not mark.exists():
            raise UpError(f"{named} is not empty and not a demo's folder; name another one")
        shutil.rmtree(named)
    named.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark.touch()
    yield named.absolute()


MARK: Final = ".perezvon-demo"


def _settings(folder: Path, town_sip_port: int, options: Options) -> Settings:
    """The user's own settings, but with nothing that belongs to his installation."""
    wanted = settings_of.load(data_dir=folder, switch=options.switch)
    taken = {town_sip_port}
    ports: dict[str, int] = {}
    for key in ("sip_port", "http_port", "web_port"):
        udp = key == "sip_port"
        port = int(getattr(wanted, key))
        while port in taken or not is_free(port, udp=udp):
            port = free_port(udp=udp)
        taken.add(port)
        ports[key] = port
    rtp_from = free_range(RTP_FROM, RTP_TO, size=RTP_PORTS)
    ours = settings_of.load(
        data_dir=folder,
        switch=options.switch,
        scenario_file=_scenario(options),
        sip_bind="127.0.0.1",
        http_bind="127.0.0.1",
        web_bind=_web_bind(wanted),
        rtp_from=rtp_from,
        rtp_to=rtp_from + RTP_PORTS - 1,
        **ports,
    )
    return ours.model_copy(update={"database_url": None, "external_media_address": None})


def _web_bind(wanted: Settings) -> str:
    """Others are let in where that was asked for, and where their browsers can speak."""
    return wanted.web_bind if wanted.web_url.startswith("https") else "127.0.0.1"


def _free_here_and_there() -> int:
    return free_port(udp=True, hosts=(town_pbx.PHONES_HOST, town_pbx.CARRIER_HOST))


def _plan_text(path: Path, ours: Settings, town_sip_port: int) -> str:
    """The plan with the town's port as its carrier's, in the user's language."""
    tree: dict[str, Any] = yaml.safe_load(path.read_text())
    for trunk in tree.get("trunks", {}).values():
        trunk |= {"host": town_pbx.CARRIER_HOST, "port": town_sip_port}
    if ours.language == "en":
        tree["language"] = "en"
        for noun in ("agents", "groups", "queues", "projects"):
            for key, value in tree.get(noun, {}).items():
                if isinstance(value, dict):
                    value["name"] = ENGLISH.get(key, key)
                elif noun == "agents":
                    tree[noun][key] = ENGLISH.get(key, value)
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)


def _site(ours: Settings, plan: Plan, by_name: Mapping[str, str], sip_port: int) -> town_pbx.Site:
    rtp_from = free_range(ours.rtp_to + 1, RTP_TO + RTP_PORTS, size=RTP_PORTS)
    return town_pbx.Site(
        sip_port=sip_port,
        http_port=free_port(),
        rtp_ports=(rtp_from, rtp_from + RTP_PORTS - 1),
        ari_password=secrets.token_urlsafe(24),
        main_sip_port=ours.sip_port,
        phones=tuple(
            town_pbx.Phone(agent.id, by_name[agent.secret or agent.id]) for agent in _played(plan)
        ),
    )


def _people(plan: Plan) -> list[Person]:
    return [
        Person(
            agent,
            tuple(
                group.id
                for group in plan.groups
                if any(member.agent == agent.id for member in group.members)
            ),
        )
        for agent in _played(plan)
    ]


def _played(plan: Plan) -> list[Agent]:
    """Those with a telephone of the town; the others sit before a browser, and are somebody."""
    return [agent for agent in plan.agents if agent.device is DeviceKind.SIP]
