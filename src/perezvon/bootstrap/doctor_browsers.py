"""What the doctor says of telephones in browsers: what they would need, and do not get so."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final, TypeAlias

from perezvon.bootstrap import stun, tls
from perezvon.bootstrap.asterisk import media_host
from perezvon.bootstrap.doctor_words import Verdict
from perezvon.core.ids import SECOND, Instant
from perezvon.core.plan import Plan
from perezvon.settings import Settings

Answer: TypeAlias = tuple[Verdict, str, dict[str, object]]
"""With a key of the doctor's words, and what stands in them."""

MODULES: Final = ("res_http_websocket", "res_pjsip_transport_websocket", "res_srtp")
"""Without them Asterisk boots, and takes no browser."""
PORTS_OF_AGENT: Final = 4
"""His leg and the client's, for sound and for reports on it."""


def of_settings(settings: Settings, now: Instant) -> Iterator[Answer]:
    """Nearly nothing while the pages are for this machine alone: a browser trusts its own."""
    yield from _certificate(settings, now)
    local = ip_address(settings.web_bind).is_loopback
    secure = settings.web_url.startswith("https")
    if not local and not secure and settings.web_proxy is None:
        yield Verdict.PROBLEM, "insecure_bad", {"bind": settings.web_bind}
    if local and settings.web_proxy is None:
        return
    if settings.switch == "asterisk":
        host = media_host(settings)
        where: dict[str, object] = {
            "host": host,
            "first": settings.rtp_from,
            "last": settings.rtp_to,
        }
        if ip_address(host).is_loopback:
            yield Verdict.PROBLEM, "media_local_bad", where
        else:
            yield Verdict.NOTE, "media_ports", where
    if not settings.external_media_address:
        yield Verdict.NOTE, "no_media_address", {}
    if not settings.stun_server and not settings.turn_server:
        yield Verdict.NOTE, "no_turn", {}


def of_relays(settings: Settings, now: Instant) -> Iterator[Answer]:
    """Blocks until those outside have answered, or not."""
    if settings.stun_server:
        try:
            stun.ask_stun(settings.stun_server)
        except stun.StunError as error:
            yield Verdict.PROBLEM, "stun_bad", {"url": settings.stun_server, "reason": error}
        else:
            yield Verdict.OK, "stun", {"url": settings.stun_server}
    if settings.turn_server:
        try:
            stun.ask_turn(settings.turn_server, settings.turn_secret, now // SECOND)
        except stun.StunError as error:
            yield Verdict.PROBLEM, "turn_bad", {"url": settings.turn_server, "reason": error}
        else:
            yield Verdict.OK, "turn", {"url": settings.turn_server}


def of_plan(settings: Settings, plan: Plan) -> Iterator[Answer]:
    agents, count = len(plan.agents), settings.rtp_to - settings.rtp_from + 1
    needed = agents * PORTS_OF_AGENT
    if settings.switch == "asterisk" and count < needed:
        counted: dict[str, object] = {"agents": agents, "needed": needed, "count": count}
        yield Verdict.PROBLEM, "media_few_bad", counted


def _certificate(settings: Settings, now: Instant) -> Iterator[Answer]:
    found = tls.known(settings)
    if found is None or (settings.web_tls == "self_signed" and not found.chain.exists()):
        return  # the first start makes it
    try:
        term = tls.check(found)
    except tls.CertificateError as error:
        yield Verdict.PROBLEM, "certificate_bad", {"reason": error}
        return
    told: dict[str, object] = {"file": found.chain, "day": term.ends.date()}
    if term.is_over(now):
        begins = {"begins": term.begins.date()}
        yield Verdict.PROBLEM, "certificate_over_bad", told | begins
    elif term.ends_soon(now):
        yield Verdict.NOTE, "certificate_soon", told
    else:
        yield Verdict.OK, "certificate", told
