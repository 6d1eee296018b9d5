"""The private Asterisk of an installation: from settings, plan and secrets to a child to supervise.

A new plan is written down and taken over by a reload, which touches no call; what Asterisk runs
with is always what the newest applied plan says, or the one before when it cannot be written.
"""

import contextlib
from collections.abc import Collection
from ipaddress import ip_address
from pathlib import Path

from perezvon.asterisk import ari, install, provision, traces
from perezvon.asterisk.process import AsteriskFailed, AsteriskProcess, Directories, directories
from perezvon.asterisk.watchdog import silent_parts
from perezvon.bootstrap.addresses import own_addresses
from perezvon.bootstrap.secrets import Secrets
from perezvon.core.ids import SECOND
from perezvon.core.plan import Plan
from perezvon.runtime.supervisor import Child
from perezvon.settings import Settings

BOOTED_WAIT_S = 2
PROBE_EVERY_MS = 1 * SECOND
PROBE_MS = 5 * SECOND
"""Longer than any of the watchdog's questions: each has a limit of its own."""
ABORT_MS = 3 * SECOND
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
        media_host=media_host(settings),
        ari_password=secrets.ari_password,
        hep_port=settings.hep_port if settings.trace_mb else 0,
        hep_password=traces.password(secrets.ari_password),
        rtp_timeout_s=settings.rtp_timeout_s,
        rtp_ports=(settings.rtp_from, settings.rtp_to),
        heartbeat_age_s=settings.heartbeat_age_s_max,
        dead_man_s=settings.dead_man_s,
        outside_address=settings.external_media_address,
        own_addresses=tuple(one for one in own_addresses() if ip_address(one).version == 4),  # noqa: PLR2004 - of IP
    )


def ari_address(settings: Settings, secrets: Secrets, tenant: str) -> ari.Address:
    """Where the engine finds the switch."""
    return ari.Address(
        url=f"http://{_reachable(settings.http_bind)}:{settings.http_port}/ari",
        user=provision.Site.ari_user,
        password=secrets.ari_password,
        app=provision.application(tenant),
    )


def media_host(settings: Settings) -> str:
    """Where browsers can send sound: where they find the pages, else where telephones find us (the
    pages may be behind a proxy of this machine).
    """
    if settings.rtp_bind is not None:
        return settings.rtp_bind
    binds = (settings.web_bind, settings.sip_bind)
    outside = (bind for bind in binds if not ip_address(bind).is_loopback)
    return next(outside, settings.sip_bind)


def phone_url(settings: Settings) -> str:
    """Where the switch takes SIP over WebSocket."""
    return f"ws://{_reachable(settings.http_bind)}:{settings.http_port}/ws"


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
        with contextlib.suppress(AsteriskFailed):
            await self.process.reload()

    def child(self, secrets: Secrets, plan: Plan, log: Path) -> Child:
        address = ari_address(self._settings, secrets, plan.tenant)
        sip = _reachable(self._settings.sip_bind).strip("[]"), self._settings.sip_port
        return asterisk_child("asterisk", self.process, address, sip, log)


def asterisk_child(
    name: str, process: AsteriskProcess, address: ari.Address, sip: tuple[str, int], log: Path
) -> Child:
    """An Asterisk to be supervised: ready when it has booted, alive while all its parts answer.

    `sip`: host and UDP port.
    """

    async def booted() -> bool:
        with contextlib.suppress(AsteriskFailed):
            said = await process.cli("core waitfullybooted", timeout_s=BOOTED_WAIT_S)
            return "fully booted" in said
        return False

    async def probe() -> Collection[str]:
        return await silent_parts(address, sip)

    return Child(
        name=name,
        argv=(*process.pbx.command, "-f", "-C", str(process.places.etc / "asterisk.conf")),
        env=process.pbx.env,
        log=log,
        ready=booted,
        ready_ms=BOOT_MS,
        alive=probe,
        alive_every_ms=PROBE_EVERY_MS,
        alive_wait_ms=PROBE_MS,
        abort_ms=ABORT_MS,
        stop_ms=STOP_MS,
    )


def _reachable(bind: str) -> str:
    """An address to connect to, out of one to listen on."""
    if bind == "0.0.0.0":  # noqa: S104 - compared, not listened on
        return "127.0.0.1"
    if bind == "::":
        return "[::1]"
    return f"[{bind}]" if ":" in bind else bind
