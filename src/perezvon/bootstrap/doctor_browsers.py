"""What the doctor says of telephones in browsers: what they would need, and do not get so."""

from collections.abc import Iterator
from ipaddress import ip_address

from perezvon.bootstrap import tls
from perezvon.settings import Settings


def lacks(settings: Settings) -> Iterator[tuple[str, dict[str, object]]]:
    """Keys of the doctor's words, with what stands in them; those that end in `_bad` are problems.

    Nothing while the pages are for this machine alone: a browser trusts its own machine.
    """
    if settings.web_certificate is not None and settings.web_key is not None:
        try:
            tls.check(tls.Certificate(settings.web_certificate, settings.web_key))
        except tls.CertificateError as error:
            yield "certificate_bad", {"reason": error}
    local = ip_address(settings.web_bind).is_loopback
    secure = settings.web_url.startswith("https")
    if not local and not secure and settings.web_proxy is None:
        yield "insecure_bad", {"bind": settings.web_bind}
    if local and settings.web_proxy is None:
        return
    if not settings.external_media_address:
        yield "no_media_address", {}
    if not settings.stun_server and not settings.turn_server:
        yield "no_turn", {}
