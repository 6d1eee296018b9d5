"""The certificate of our pages: the admin's files, or one by an authority of our own.

A browser gives the microphone to a secure page only. Files that were renewed are taken up while the
pages are served: nobody has to be awake for it.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from perezvon.bootstrap import authority
from perezvon.bootstrap.addresses import own_addresses
from perezvon.bootstrap.authority import Certificate, NameRefused
from perezvon.core.ids import Instant
from perezvon.settings import Settings

NAMES_MAX: Final = 50
LOOK_EVERY_S: Final = 60
SOON_DAYS: Final = 14
"""Whoever renews certificates has done it by then."""
FILE_BYTES_MAX: Final = 1024 * 1024

log = structlog.get_logger("web")


class CertificateError(Exception):
    """The operator can mend it; the text says what."""


@dataclass(frozen=True, slots=True)
class Term:
    """Of the certificate itself, whoever signed it."""

    begins: datetime
    ends: datetime

    def is_over(self, now: Instant) -> bool:
        """Or has not begun."""
        return not self.begins <= moment(now) < self.ends

    def ends_soon(self, now: Instant) -> bool:
        return self.ends < moment(now) + timedelta(days=SOON_DAYS)


def moment(now: Instant) -> datetime:
    return datetime.fromtimestamp(now / 1000, UTC)


def authority_file(settings: Settings) -> Path:
    """What browsers have to trust."""
    return settings.data_dir / "tls" / authority.PUBLIC


def known(settings: Settings) -> Certificate | None:
    """The files that the settings mean, whether they are there or not; None: no TLS."""
    if settings.web_certificate is not None and settings.web_key is not None:
        return Certificate(settings.web_certificate, settings.web_key)
    if settings.web_tls == "self_signed":
        return authority.files_in(authority_file(settings).parent)
    return None


def certificate_of(settings: Settings, now: Instant) -> Certificate | None:
    """What the pages are served with, made if it is ours to make; None: nothing.

    `CertificateError` when it is of no use. One that is over is of some: browsers warn, and whoever
    has to work can go on.
    """
    if settings.web_tls == "self_signed":
        folder = authority_file(settings).parent
        try:
            authority.self_signed(folder, *names_of(settings), moment(now))
        except OSError as error:
            raise CertificateError(f"data_dir: {folder}: {error.strerror}") from error
        except NameRefused as error:
            raise CertificateError(f"web_names: {error}") from error
    found = known(settings)
    if found is not None:
        check(found)
    return found


def check(found: Certificate) -> Term:
    """`CertificateError` unless it can be served, with the file and what is wrong with it."""
    chain, key = _read("web_certificate", found.chain), _read("web_key", found.key)
    try:
        own = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise CertificateError(
            f"web_certificate {found.chain}: holds no certificate (-----BEGIN CERTIFICATE-----)"
        ) from error
    try:
        private = load_pem_private_key(key, None)
    except TypeError as error:
        # OpenSSL would ask the terminal for it, and nobody is there.
        raise CertificateError(
            f"web_key {found.key}: is locked by a password; openssl pkey -in … -out … takes it away"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(
            f"web_key {found.key}: holds no private key (-----BEGIN PRIVATE KEY-----)"
        ) from error
    if own.public_key() != private.public_key():
        raise CertificateError(
            f"web_key {found.key}: belongs to another certificate than the first in"
            f" web_certificate {found.chain}"
        )
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(found.chain, found.key)
    except (OSError, ValueError) as error:
        raise CertificateError(f"web_certificate {found.chain}: {error}") from error
    return Term(own.not_valid_before_utc, own.not_valid_after_utc)


def _read(setting: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise CertificateError(f"{setting} {path}: {error.strerror}") from error
    if len(content) > FILE_BYTES_MAX:
        raise CertificateError(f"{setting} {path}: longer than {FILE_BYTES_MAX} bytes")
    return content


def names_of(settings: Settings) -> tuple[list[str], list[str]]:
    """Host names and addresses by which this machine is found: those that are wanted, and those
    that it happens to have at this moment.
    """
    wanted = ["localhost", "127.0.0.1", "::1"]
    bind = ip_address(settings.web_bind)
    if not bind.is_unspecified:
        wanted.append(str(bind))
    if settings.external_media_address:
        wanted.append(settings.external_media_address)
    wanted += [name.strip() for name in settings.web_names.split(",")]
    own = socket.gethostname()
    had = [own, f"{own.partition('.')[0]}.local"]
    if bind.is_unspecified:
        had += own_addresses()
    names = list(dict.fromkeys(name for name in wanted if name))[:NAMES_MAX]
    return names, [name for name in had[:NAMES_MAX] if name not in names]


class Served:
    """What a running server shows to new connections: `find` says which files they are now."""

    def __init__(
        self, context: ssl.SSLContext, find: Callable[[], Certificate | None], shown: Certificate
    ) -> None:
        self._context = context
        self._find = find
        self._shown = _content(shown)
        self._told = ""

    async def keep(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await asyncio.to_thread(self.look)

    def look(self) -> bool:
        """Show what is there now; whether it was another. One that is of no use is told of once,
        and what was shown stays.
        """
        try:
            found = self._find()
            content = _content(found) if found is not None else self._shown
            if found is None or content == self._shown:
                self._told = ""
                return False
            self._context.load_cert_chain(found.chain, found.key)
        except (CertificateError, OSError) as error:
            if str(error) != self._told:
                self._told = str(error)
                log.error("certificate_not_renewed", error=str(error))  # noqa: TRY400 - no bug
            return False
        self._shown, self._told = content, ""
        log.info("certificate_renewed", ends=check(found).ends.isoformat())
        return True


def _content(found: Certificate) -> tuple[bytes, bytes]:
    return _read("web_certificate", found.chain), _read("web_key", found.key)
