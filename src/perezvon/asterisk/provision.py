"""From a plan to Asterisk's configuration files: pure, and safe whatever the plan says.

Names that others must use carry the tenant `t`: application `perezvon-<t>`, heartbeat
`CC_HB_<t>`, queue `fallback-<t>`, contexts `inbound-<t>`, `guard-<t>`, `localq-<t>`,
`phones-<t>`; a trunk's endpoint is `trunk-<id>`, an agent's own telephone's is his id, and that of
another device of his `<id>~<device>`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from perezvon.asterisk import conf, traces, watchdog
from perezvon.asterisk.dialplan import extensions_conf, queues_conf
from perezvon.asterisk.install import Pbx
from perezvon.asterisk.modules import modules_conf
from perezvon.asterisk.pjsip import any_browser, pjsip_conf
from perezvon.asterisk.process import Directories
from perezvon.core.plan import Plan

HEARTBEAT_AGE_S = 4
DEAD_MAN_S = 12
"""A restart of the engine must fit into it, less one refresh."""

RTP_TIMEOUT_S = 45
"""A talk without a packet of sound from the telephone for so long is over. Telephones that save
silence send nothing while their owner listens: a shorter time would cut him off."""

CEL_FIELDS = (
    "${CSV_QUOTE(${eventtype})}",
    "${CSV_QUOTE(${eventtime})}",
    "${CSV_QUOTE(${CHANNEL(uniqueid)})}",
    "${CSV_QUOTE(${CHANNEL(linkedid)})}",
    "${CSV_QUOTE(${CHANNEL(context)})}",
    "${CSV_QUOTE(${CHANNEL(exten)})}",
    "${CSV_QUOTE(${CHANNEL(channame)})}",
    "${CSV_QUOTE(${CALLERID(num)})}",
    "${CSV_QUOTE(${eventextra})}",
)
"""The columns of `cel.csv`, in order."""

EMPTY = (
    "acl", "ccss", "codecs", "dsp", "features", "pjproject", "queuerules", "udptl",
    "websocket_client",
)  # fmt: skip

UNHEARD = "ast_channel_varset_type"
"""What nobody here listens for: the switch would make it ready for ARI and throw it away, a dozen
times at the end of each leg. (RTCP has a listener: the evidence.)
"""

SORCERY = """\
; Passwords: those of the plan, and those that a page is given for a while.
[res_pjsip]
auth = config,pjsip.conf,criteria=type=auth
auth = memory
"""

INDICATIONS = """\
[general]
country = {country}

[ru]
description = Russia
ringcadence = 1000,4000
dial = 425
busy = 425/350,0/350
ring = 425/1000,0/4000
congestion = 425/175,0/175
callwaiting = 425/200,0/5000

[us]
description = United States
ringcadence = 2000,4000
dial = 350+440
busy = 480+620/500,0/500
ring = 440+480/2000,0/4000
congestion = 480+620/250,0/250
callwaiting = 440/300,0/10000
"""


@dataclass(frozen=True)
class Site:
    """What the machine, not the plan, decides."""

    pbx: Pbx
    places: Directories
    sip_port: int
    http_port: int
    ari_password: str = field(repr=False)
    """Plain, in a file of mode 0600: a hashed one would be checked anew at each request."""
    ari_user: str = "perezvon"
    sip_host: str = "127.0.0.1"
    http_host: str = "127.0.0.1"
    media_host: str = "127.0.0.1"
    """Where the sound of browsers comes in."""
    rtp_ports: tuple[int, int] = (16_384, 20_479)
    """First and last."""
    heartbeat_age_s: int = HEARTBEAT_AGE_S
    dead_man_s: int = DEAD_MAN_S
    outside_address: str | None = None
    """By which the carriers reach us, when a router translates."""
    own_addresses: tuple[str, ...] = ()
    """Of this machine's interfaces, which browsers outside are told the other instead of."""
    local_nets: tuple[str, ...] = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")
    hep_port: int = 0
    """Where copies of SIP messages go, on the loopback. 0: nowhere."""
    hep_password: str = field(default="", repr=False)
    rtp_timeout_s: int = RTP_TIMEOUT_S
    """0: a telephone may be silent for ever."""
    qualify_trunk_s: int = 10
    """0: a trunk is always taken to be there."""
    music: Mapping[str, Path] = field(default_factory=dict)
    """Directories of recordings by the name of the music; others play the default."""


def application(tenant: str) -> str:
    """The Stasis application of a tenant."""
    return f"perezvon-{tenant}"


def heartbeat_variable(tenant: str) -> str:
    """The global variable with the epoch second of the engine's last sign of life."""
    return f"CC_HB_{tenant}"


def promises(site: Site) -> dict[str, str]:
    """What an Asterisk so configured must answer to these commands: it listens where it shall.

    It boots all the same when a port is taken, and would be deaf.
    """
    return {
        "pjsip show transports": f"{site.sip_host}:{site.sip_port}",
        "http show status": f"Bound to {site.http_host}:{site.http_port}",
    }


def files(plan: Plan, site: Site, secrets: Mapping[str, str]) -> dict[str, str]:
    """File name to text. `PlanError` when the plan has what cannot be written safely."""
    made = {
        "asterisk.conf": _asterisk(plan, site),
        "modules.conf": modules_conf(evidence=bool(site.hep_port)),
        "logger.conf": _logger(),
        "http.conf": _http(site),
        "ari.conf": _ari(site),
        # It would make ready what happens to each channel, whether anybody listens or not.
        "manager.conf": conf.section("general", enabled=False),
        "pjsip.conf": pjsip_conf(
            plan,
            secrets,
            bind=f"{conf.host('sip_host', site.sip_host)}:{site.sip_port}",
            media_bind=conf.host("media_host", site.media_host),
            outside=conf.host("outside_address", site.outside_address)
            if site.outside_address
            else None,
            local_nets=tuple(conf.host("local_nets", net) for net in site.local_nets),
            qualify_trunk_s=site.qualify_trunk_s,
            rtp_timeout_s=site.rtp_timeout_s,
        ),
        "rtp.conf": _rtp(plan, site),
        "extensions.conf": extensions_conf(
            plan, heartbeat_age_s=site.heartbeat_age_s, dead_man_s=site.dead_man_s
        ),
        "queues.conf": queues_conf(plan),
        "musiconhold.conf": _music(plan, site),
        "indications.conf": INDICATIONS.format(country="us" if plan.language == "en" else "ru"),
        "hep.conf": _hep(site),
        "sorcery.conf": SORCERY,
        "stasis.conf": conf.section("declined_message_types", decline=UNHEARD),
        **_witness(),
    }
    made["pjsip.conf"] += watchdog.endpoint(site.ari_password)
    # Parts of the core look for these, and complain when they are not there.
    for name in EMPTY:
        made[f"{name}.conf"] = "; The defaults are right.\n"
    return made


def _asterisk(plan: Plan, site: Site) -> str:
    places, pbx = site.places, site.pbx
    return conf.section(
        "directories",
        astetcdir=conf.path(places.etc),
        astmoddir=conf.path(pbx.modules),
        astvarlibdir=conf.path(places.state),
        astdbdir=conf.path(places.state),
        astkeydir=conf.path(places.state),
        astdatadir=conf.path(pbx.data),
        astagidir=conf.path(pbx.data / "agi-bin"),
        astspooldir=conf.path(places.spool),
        astrundir=conf.path(places.socket),
        astlogdir=conf.path(places.log),
        astcachedir=conf.path(places.state),
    ) + conf.section(
        "options",
        defaultlanguage="en" if plan.language == "en" else "ru",
        documentation_language="en_US",
        nocolor=True,
        live_dangerously=False,
        disable_remote_console_shell=True,
        # So that a recording and a quiet line have no holes.
        transmit_silence=True,
    )


def _logger() -> str:
    return conf.section(
        "general", dateformat="%F %T.%3q", queue_log=True, queue_log_to_file=True,
        queue_log_name="queue_log", use_callids=True,
    ) + conf.section("logfiles", messages="notice,warning,error")  # fmt: skip


def _rtp(plan: Plan, site: Site) -> str:
    # Candidates are sought for each leg, also of a telephone that will not be offered them.
    browsers = any_browser(plan)
    general = conf.section(
        "general", rtpstart=site.rtp_ports[0], rtpend=site.rtp_ports[1], icesupport=browsers
    )
    if not browsers or not site.outside_address or not site.own_addresses:
        return general
    outside = conf.host("outside_address", site.outside_address)
    # Browsers outside reach us by the one, those of our own network by the other.
    seen = {
        conf.host("own_addresses", own): f"{outside},include_local_address"
        for own in site.own_addresses
        if own != site.outside_address
    }
    return general + conf.section("ice_host_candidates", **seen)


def _http(site: Site) -> str:
    return conf.section(
        "general", enabled=True, bindaddr=conf.host("http_host", site.http_host),
        bindport=site.http_port, prefix="", enable_static=False, enable_status=False,
        # Every browser telephone holds one.
        sessionlimit=1_000,
    )  # fmt: skip


def _ari(site: Site) -> str:
    # The default of websocket_write_timeout stays: a longer one makes SIP go deaf.
    return conf.section("general", enabled=True, pretty=False) + conf.section(
        conf.name("ari_user", site.ari_user),
        type="user",
        read_only=False,
        password=conf.secret("ari_password", site.ari_password),
        password_format="plain",  # noqa: S106 - a format, no password
    )


def _hep(site: Site) -> str:
    """By Call-ID, as which ARI names each leg too: the channel's name would cost a search for its
    dialog at each message, and is not found for legs that we dial.
    """
    if not site.hep_port:
        return conf.section("general", enabled=False)
    return conf.section(
        "general", enabled=True, capture_address=f"{traces.HOST}:{site.hep_port}", capture_id=1,
        capture_password=conf.secret("hep_password", site.hep_password), uuid_type="call-id",
    )  # fmt: skip


def _music(plan: Plan, site: Site) -> str:
    names = dict.fromkeys(("default", *(queue.music for queue in plan.queues)))
    return "\n".join(
        conf.section(
            conf.name("queues.music", name),
            mode="files",
            directory=conf.path(site.music.get(name, site.pbx.data / "moh")),
            sort="random",
        )
        for name in names
    )


def _witness() -> dict[str, str]:
    """CEL in one file; no CDR: it has no row for an unanswered leg."""
    return {
        "cel.conf": conf.section(
            "general", enable=True, events="CHAN_START,CHAN_END,ANSWER,HANGUP,LINKEDID_END"
        ),
        "cel_custom.conf": f"[mappings]\ncel.csv => {','.join(CEL_FIELDS)}\n",
        "cdr.conf": conf.section("general", enable=False),
    }
