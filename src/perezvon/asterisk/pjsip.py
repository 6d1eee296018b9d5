"""pjsip.conf: the trunks and the agents' telephones of a plan.

Nobody is anonymous here: a request is known by its trunk's address or by a telephone's password,
or it is refused. No telephone and no trunk can send a call elsewhere by itself.
"""

from collections.abc import Mapping
from typing import TypeAlias

from perezvon.asterisk import conf
from perezvon.core.ids import AgentId
from perezvon.core.plan import Agent, DeviceKind, Plan, PlanError, Trunk

QUALIFY_PHONE_S = 10
QUALIFY_TRUNK_TIMEOUT_S = 3
QUALIFY_PHONE_TIMEOUT_S = 1.6
"""Three packets go out in it (at 0, 0.5 and 1.5 s). With `lifesigns.PROBE_MS` it makes the two
seconds in which a telephone that died while it rang has to be found."""

REGISTERED_S = 40
"""It is renewed ten seconds before: a carrier who forgot us is found out within half a minute.
One to whom this is too often says so (423), and the switch obeys."""

REGISTER_AGAIN_S = 20
"""After a refusal too: it may be mended at any time, and until then nobody can reach us."""

HOLD_TIMES = 10
"""A telephone on hold sends nothing by right: so many times longer is it waited for."""

CODECS = "alaw,ulaw"
"""What carriers, telephones and browsers all speak: nothing is transcoded."""

RESERVED = ("anonymous", "trunk-", "perezvon-")
"""Asterisk gives the first a meaning; the others begin the names of trunks and of our own."""

Telephone: TypeAlias = tuple[AgentId, DeviceKind | None]
"""Whose it is; None: his own device."""

LOOPBACK = ("127.", "localhost", "[::1]", "::1")


def trunk_endpoint(trunk_id: str) -> str:
    """The name of a trunk's endpoint, as in `PJSIP/<number>@<endpoint>`."""
    return f"trunk-{trunk_id}"


def phone_endpoint(agent: Agent, device: DeviceKind) -> str:
    """The name of a telephone's endpoint. A `~` is in no name of a plan."""
    return agent.id if device is agent.device else f"{agent.id}~{device.value}"


def telephones(plan: Plan) -> dict[str, Telephone]:
    """Endpoint to whose it is: all that are ours, not mobiles, which a carrier reaches."""
    return {
        phone_endpoint(agent, device): (agent.id, None if device is agent.device else device)
        for agent in plan.agents
        for device in agent.devices
        if device is not DeviceKind.MOBILE
    }


def any_browser(plan: Plan) -> bool:
    return any(DeviceKind.WEBRTC in agent.devices for agent in plan.agents)


def browser_endpoint(agent: Agent) -> str | None:
    """The telephone on a page of this agent's; None when he has none."""
    if DeviceKind.WEBRTC not in agent.devices:
        return None
    return phone_endpoint(agent, DeviceKind.WEBRTC)


def pjsip_conf(
    plan: Plan,
    secrets: Mapping[str, str],
    *,
    bind: str,
    media_bind: str,
    outside: str | None,
    local_nets: tuple[str, ...],
    qualify_trunk_s: int,
    rtp_timeout_s: int,
) -> str:
    """The whole file. `PlanError` for a name or a secret that cannot be written."""
    tenant = conf.name("tenant", plan.tenant)
    parts = [
        conf.section(
            "global",
            type="global",
            user_agent="Perezvon",
            # Without it a slow reader of ARI would make SIP go deaf for everybody.
            taskprocessor_overload_trigger="pjsip_only",
            endpoint_identifier_order="ip,username",
        ),
        conf.section("system", type="system", disable_tcp_switch=True),
        conf.section(
            "transport-udp", type="transport", protocol="udp", bind=bind,
            external_media_address=outside, external_signaling_address=outside,
            local_net=local_nets if outside else (),
        ),
        # It listens nowhere (the HTTP server does), but here is where the sound of its telephones
        # is bound to (measured): on the loopback no browser elsewhere would be heard.
        conf.section("transport-ws", type="transport", protocol="ws", bind=media_bind),
    ]  # fmt: skip
    language = "en" if plan.language == "en" else "ru"
    parts += [_trunk(trunk, secrets, tenant, language, qualify_trunk_s) for trunk in plan.trunks]
    parts += [
        _phone(agent, device, secrets, tenant, language, rtp_timeout_s)
        for agent in plan.agents
        for device in agent.devices
        if device is not DeviceKind.MOBILE
    ]
    return "\n".join(parts)


def _trunk(
    trunk: Trunk, secrets: Mapping[str, str], tenant: str, language: str, qualify_s: int
) -> str:
    where = f"trunks.{trunk.id}"
    name = trunk_endpoint(conf.name(where, trunk.id))
    host = conf.host(f"{where}.host", trunk.host)
    user = conf.account(f"{where}.username", trunk.username) if trunk.username else None
    known = bool(user and trunk.secret)
    parts = [
        conf.section(
            name, type="endpoint", transport="transport-udp", context=f"inbound-{tenant}",
            aors=name, outbound_auth=name if known else None,
            # By address alone: else anybody could call in by taking this name.
            identify_by="ip",
            from_user=user, from_domain=host if user else None,
            disallow="all", allow=CODECS, dtmf_mode="auto_info", direct_media=False,
            rtp_symmetric=True, force_rport=True, language=language,
            allow_transfer=False, allow_subscribe=False, trust_id_inbound=True,
        ),
        conf.section(
            name, type="aor", contact=f"sip:{host}:{int(trunk.port)}",
            qualify_frequency=qualify_s, qualify_timeout=QUALIFY_TRUNK_TIMEOUT_S,
        ),
        conf.section(name, type="identify", endpoint=name, match=_addresses(trunk, where)),
    ]  # fmt: skip
    if known:
        password = _secret(f"{where}.secret", trunk.secret, secrets)
        parts.append(_auth(name, str(user), password))
    if trunk.register:
        if not known:
            raise PlanError(where, "to register, a trunk needs a user name and a secret")
        parts.append(
            conf.section(
                name, type="registration", outbound_auth=name, transport="transport-udp",
                server_uri=f"sip:{host}:{int(trunk.port)}",
                client_uri=f"sip:{user}@{host}:{int(trunk.port)}", contact_user=user,
                expiration=REGISTERED_S, retry_interval=REGISTER_AGAIN_S,
                forbidden_retry_interval=REGISTER_AGAIN_S, fatal_retry_interval=REGISTER_AGAIN_S,
                max_retries=1_000_000, auth_rejection_permanent=False,
                max_random_initial_delay=1,
            )
        )  # fmt: skip
    return "\n".join(parts)


def _addresses(trunk: Trunk, where: str) -> str:
    if trunk.match:
        return ",".join(conf.host(f"{where}.match", one) for one in trunk.match)
    if trunk.host.startswith(LOOPBACK):
        # Telephones may live at this address too: only the port tells them apart.
        return f"{trunk.host}:{int(trunk.port)}"
    return trunk.host


def _phone(
    agent: Agent,
    device: DeviceKind,
    secrets: Mapping[str, str],
    tenant: str,
    language: str,
    rtp_timeout_s: int,
) -> str:
    where = f"agents.{agent.id}"
    agent_id = conf.name(where, agent.id)
    if agent_id.lower().startswith(RESERVED):
        raise PlanError(where, f"{agent_id!r} has a meaning to the switch; choose another name")
    name = phone_endpoint(agent, device)
    browser = device is DeviceKind.WEBRTC
    common = {
        "type": "endpoint",
        "transport": "transport-ws" if browser else "transport-udp",
        "context": f"phones-{tenant}",
        "aors": name,
        "auth": name,
        "identify_by": "username",
        "callerid": f'"{conf.shown(agent.name) or agent_id}" <{agent_id}>',
        "disallow": "all",
        "allow": CODECS,
        "language": language,
        "direct_media": False,
        "rtp_symmetric": True,
        "force_rport": True,
        "rewrite_contact": True,
        "allow_transfer": False,
        "allow_subscribe": False,
        # A telephone that died in a talk sends no BYE: without its sound the talk ends.
        "rtp_timeout": rtp_timeout_s,
        "rtp_timeout_hold": rtp_timeout_s * HOLD_TIMES,
    }
    if browser:
        common |= {"webrtc": True, "dtls_auto_generate_cert": True}
    parts = [
        conf.section(name, **common),
        # The newest telephone replaces the one before: a reloaded page, a changed address.
        conf.section(
            name, type="aor", max_contacts=1, remove_existing=True,
            qualify_frequency=QUALIFY_PHONE_S, qualify_timeout=QUALIFY_PHONE_TIMEOUT_S,
            minimum_expiration=30, default_expiration=120, maximum_expiration=3600,
        ),
    ]  # fmt: skip
    if not browser:
        # A page gets a password for a while (`credentials`); until then nobody gets in.
        password = _secret(f"{where}.secret", agent.secret or agent.id, secrets)
        parts.append(_auth(name, name, password))
    return "\n".join(parts)


def _auth(name: str, user: str, password: str) -> str:
    return conf.section(
        name, type="auth", auth_type="userpass", username=user, password=password
    )  # fmt: skip


def _secret(where: str, name: str, secrets: Mapping[str, str]) -> str:
    if name not in secrets:
        raise PlanError(where, f"there is no secret named {name!r}")
    return conf.secret(where, secrets[name])
