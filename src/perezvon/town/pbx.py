"""The configuration of the town's Asterisk: carrier, callers and the agents' telephones in one.

It is known to the main Asterisk by two addresses of this machine, so that neither side has to
guess: 127.0.0.1 is where the agents' telephones live, each registered with its own secret, and
127.0.0.2 is the carrier, known by address as carriers are. What comes back to either is told apart
by the user that was dialled: an agent's name is his telephone, digits are a client's.
"""

from dataclasses import dataclass

from perezvon.asterisk import provision
from perezvon.asterisk.install import Pbx
from perezvon.asterisk.modules import modules_conf
from perezvon.asterisk.process import Directories
from perezvon.core.ids import AgentId

PHONES_HOST = "127.0.0.1"
CARRIER_HOST = "127.0.0.2"
APP = "town"
ARI_USER = "town"
MAIN = "main"
"""The endpoint through which the town calls in."""

REGISTER_S = 120


@dataclass(frozen=True, slots=True)
class Phone:
    agent: AgentId
    secret: str


@dataclass(frozen=True, slots=True)
class Site:
    """Where the town is, and where the main Asterisk is."""

    sip_port: int
    http_port: int
    rtp_ports: tuple[int, int]
    """First and last."""
    ari_password: str
    main_sip_port: int
    phones: tuple[Phone, ...]


def files(site: Site, pbx: Pbx, places: Directories) -> dict[str, str]:
    """Name in the configuration directory to content."""
    made = {
        "ari.conf": _ari(site),
        "asterisk.conf": _asterisk(pbx, places),
        "extensions.conf": _EXTENSIONS,
        "http.conf": (
            f"[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport={site.http_port}\n"
            "sessionlimit=200\n"
        ),
        "logger.conf": "[general]\n[logfiles]\nmessages => notice,warning,error\n",
        "modules.conf": modules_conf(evidence=False),
        "musiconhold.conf": "[default]\nmode=files\ndirectory=moh\n",
        "pjsip.conf": _pjsip(site),
        "rtp.conf": f"[general]\nrtpstart={site.rtp_ports[0]}\nrtpend={site.rtp_ports[1]}\n",
        "cdr.conf": "[general]\nenable=no\n",
        "cel.conf": "[general]\nenable=no\n",
        "manager.conf": "[general]\nenabled=no\n",
        "indications.conf": provision.INDICATIONS.format(country="ru"),
    }
    # Parts of the core look for these, and complain when they are not there.
    return made | {f"{name}.conf": "; The defaults are right.\n" for name in provision.EMPTY}


def _asterisk(pbx: Pbx, places: Directories) -> str:
    return f"""[directories]
astetcdir => {places.etc}
astmoddir => {pbx.modules}
astvarlibdir => {places.state}
astdbdir => {places.state}
astkeydir => {places.state}
astdatadir => {pbx.data}
astagidir => {pbx.data / "agi-bin"}
astspooldir => {places.spool}
astrundir => {places.socket}
astlogdir => {places.log}
[options]
nocolor=yes
"""


def _ari(site: Site) -> str:
    return f"[general]\nenabled=yes\n[{ARI_USER}]\ntype=user\npassword={site.ari_password}\n"


def _pjsip(site: Site) -> str:
    head = _PJSIP.format(
        phones=f"{PHONES_HOST}:{site.sip_port}",
        carrier=f"{CARRIER_HOST}:{site.sip_port}",
        main=f"{PHONES_HOST}:{site.main_sip_port}",
        main_host=PHONES_HOST,
    )
    main = f"{PHONES_HOST}:{site.main_sip_port}"
    return head + "".join(_phone(phone, main) for phone in site.phones)


def _phone(phone: Phone, main: str) -> str:
    name, secret = _plain(phone.agent), _plain(phone.secret)
    return f"""
[phone-{name}]
type=registration
transport=phones
server_uri=sip:{main}
client_uri=sip:{name}@{main}
contact_user={name}
outbound_auth=phone-{name}
expiration={REGISTER_S}
max_random_initial_delay=0
retry_interval=2
forbidden_retry_interval=5
fatal_retry_interval=5
max_retries=100000
auth_rejection_permanent=no

[phone-{name}]
type=auth
auth_type=userpass
username={name}
password={secret}
"""


def _plain(value: str) -> str:
    """Names of agents and secrets are checked where they are made; this is the last door."""
    assert value, "an empty name in the town's configuration"
    assert not set(value) & set("\r\n;[]#"), "a name would break the town's configuration"
    return value


_PJSIP = """[global]
type=global
taskprocessor_overload_trigger=pjsip_only

[phones]
type=transport
protocol=udp
bind={phones}

[carrier]
type=transport
protocol=udp
bind={carrier}

[main]
type=endpoint
context=town
disallow=all
allow=alaw,ulaw
transport=carrier
direct_media=no
rtp_timeout=0
aors=main

[main]
type=aor
contact=sip:{main}

[main]
type=identify
endpoint=main
match={main_host}
"""

_EXTENSIONS = """[general]
static=yes
writeprotect=yes

[town]
exten => _[a-zA-Z]!,1,Stasis(town,phone,${FILTER(0-9A-Za-z_-,${EXTEN})})
 same => n,Hangup()
exten => _+X.,1,Stasis(town,client,${FILTER(0-9+,${EXTEN})})
 same => n,Hangup()
exten => _X.,1,Stasis(town,client,${FILTER(0-9+,${EXTEN})})
 same => n,Hangup()
"""
