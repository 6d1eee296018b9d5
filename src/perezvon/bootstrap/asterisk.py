"""The private Asterisk of an installation: from settings, plan and secrets to a child to supervise.

A new plan is written down and taken over by a reload, which touches no call; what Asterisk runs
with is always what the newest applied plan says, or the one before when it cannot be written.
"""

import contextlib
from pathlib import Path

import aiohttp

from perezvon.asterisk import ari, install, provision
from perezvon.asterisk.process import AsteriskFailed, AsteriskProcess, Directories, directories
from perezvon.bootstrap.secrets import Secrets
from perezvon.core.ids import SECOND
from perezvon.core.plan import Plan
from perezvon.runtime.supervisor import Child
from perezvon.settings import Settings

ARI_WAIT_S = 2
BOOT_MS = 60 * SECOND
STOP_MS = 8 * SECOND


def places(settings: Settings) -> Directories:
    return directories(settings.asterisk_dir, settings.recordings_dir)


def site(settings: Settings, pbx: install.Pbx, secrets: Secrets) -> provision.Site:
    """What the machine decides, out of the settings."""
    return provision.Site(
        pbx=pbx,
        places=places(settings),
        sip_host=settings.sip_bind,
        sip_port=settings.sip_port,
        http_host=settings.http_bind,
        http_port=settings.http_port,
        ari_password=secrets.ari_password,
        rtp_ports=(settings.rtp_from, settings.rtp_to),
        heartbeat_age_s=settings.heartbeat_age_s_max,
        dead_man_s=settings.dead_man_s,
        outside_address=settings.external_media_address,
    )


def ari_address(settings: Settings, secrets: Secrets, tenant: str) -> ari.Address:
    """Where the engine finds the switch."""
    return ari.Address(
        url=f"http://{_reachable(settings.http_bind)}:{settings.http_port}/ari",
        user=provision.Site.ari_user,
        password=secrets.ari_password,
        app=provision.application(tenant),
    )


class Switchboard:
    """The private Asterisk: what it was told, and how to tell it anew."""

    def __init__(self, settings: Settings, pbx: install.Pbx) -> None:
        self._settings = settings
        self.process = AsteriskProcess(pbx, places(settings))

    @property
    def written(self) -> bool:
        """Whether some plan was put down here before."""
        return (self.process.places.etc / "extensions.conf").exists()

    def write(self, plan: Plan, secrets: Secrets) -> None:
        """Put the plan down; `PlanError` when it has what cannot be written safely."""
        made = site(self._settings, self.process.pbx, secrets)
        self.process.write(provision.files(plan, made, secrets.by_name))

    async def take_over(self, plan: Plan, secrets: Secrets) -> None:
        """A new plan for a running one. Calls go on."""
        self.write(plan, secrets)
        # One that is away at this moment reads the files when it comes back.
        with contextlib.suppress(AsteriskFailed, TimeoutError):
            await self.process.reload()

    def child(self, secrets: Secrets, plan: Plan, log: Path) -> Child:
        address = ari_address(self._settings, secrets, plan.tenant)
        return asterisk_child("asterisk", self.process, address, log)


def asterisk_child(name: str, process: AsteriskProcess, address: ari.Address, log: Path) -> Child:
    """An Asterisk to be supervised: ready when it has booted, alive while ARI answers."""

    async def booted() -> bool:
        with contextlib.suppress(AsteriskFailed, TimeoutError):
            return "fully booted" in await process.cli("core waitfullybooted", timeout_s=ARI_WAIT_S)
        return False

    async def alive() -> bool:
        return await answers(address)

    return Child(
        name=name,
        argv=(*process.pbx.command, "-f", "-C", str(process.places.etc / "asterisk.conf")),
        env=process.pbx.env,
        log=log,
        ready=booted,
        ready_ms=BOOT_MS,
        alive=alive,
        stop_ms=STOP_MS,
    )


async def answers(address: ari.Address) -> bool:
    """Whether ARI lists its applications: the first thing that hangs when it locks up."""
    login = aiohttp.encode_basic_auth(address.user, address.password)
    timeout = aiohttp.ClientTimeout(total=ARI_WAIT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
            session.get(f"{address.url}/applications", headers={"Authorization": login}) as reply,
        ):
            return reply.status == 200  # noqa: PLR2004 - HTTP's word for yes
    except (aiohttp.ClientError, OSError):
        return False


def _reachable(bind: str) -> str:
    """An address to connect to, out of one to listen on."""
    if bind == "0.0.0.0":  # noqa: S104 - compared, not listened on
        return "127.0.0.1"
    if bind == "::":
        return "[::1]"
    return f"[{bind}]" if ":" in bind else bind
