"""The certificate of our pages: the admin's files, or one by an authority of our own.

A browser gives the microphone to a secure page only. The authority is made at the first run and
kept, so that it has to be trusted once; the machine's certificate is made anew when it nears its
end, or when the machine has other names. The authority may speak for this machine's names and for
private networks only: who trusts it need not fear for the rest of the world.
"""

import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from perezvon.bootstrap.addresses import own_addresses
from perezvon.core.ids import Instant
from perezvon.settings import Settings

AUTHORITY_DAYS: Final = 3_650
DAYS: Final = 397
"""Longer ones are refused by browsers."""
LEFT_DAYS_MIN: Final = 30
PRIVATE: Final = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10",
    "::1/128",
)  # fmt: skip
NAMES_MAX: Final = 50


class CertificateError(Exception):
    """The operator can mend it; the text says what."""


@dataclass(frozen=True, slots=True)
class Certificate:
    chain: Path
    key: Path


def authority_file(settings: Settings) -> Path:
    """What browsers have to trust."""
    return settings.data_dir / "tls" / "authority.pem"


def certificate_of(settings: Settings, now: Instant) -> Certificate | None:
    """What the pages are served with; None: nothing. `CertificateError` when it is of no use."""
    if settings.web_certificate is not None and settings.web_key is not None:
        found = Certificate(settings.web_certificate, settings.web_key)
    elif settings.web_tls == "self_signed":
        moment = datetime.fromtimestamp(now / 1000, UTC)
        try:
            found = self_signed(authority_file(settings).parent, names_of(settings), moment)
        except OSError as error:
            raise CertificateError(
                f"{authority_file(settings).parent}: {error.strerror}"
            ) from error
    else:
        return None
    check(found)
    return found


def check(found: Certificate) -> None:
    """`CertificateError` unless it can be served."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(found.chain, found.key)
    except (OSError, ValueError) as error:
        # SSLError too; its text names neither file.
        raise CertificateError(
            f"web_certificate {found.chain}, web_key {found.key}: {error}"
        ) from error


def names_of(settings: Settings) -> list[str]:
    """Host names and addresses by which this machine is found."""
    own = socket.gethostname()
    names = ["localhost", own, f"{own.partition('.')[0]}.local", "127.0.0.1", "::1"]
    bind = ip_address(settings.web_bind)
    names += own_addresses() if bind.is_unspecified else [str(bind)]
    if settings.external_media_address:
        names.append(settings.external_media_address)
    names += [name.strip() for name in settings.web_names.split(",")]
    return sorted({name for name in names if name})[:NAMES_MAX]


def self_signed(folder: Path, names: Sequence[str], now: datetime) -> Certificate:
    """The one that is there, if it is good for these names and for a while; else a new one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = Certificate(folder / "certificate.pem", folder / "key.pem")
    wanted = _alternatives(names)
    if _is_good(found, folder, wanted, now):
        return found
    authority, authority_key = _authority(folder, wanted, now)
    key = ec.generate_private_key(ec.SECP256R1())
    made = (
        _builder("Perezvon", key, now, DAYS)
        .issuer_name(authority.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(wanted), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    _write(found.key, _private(key))
    _write(found.chain, _public(made) + _public(authority))
    return found


def _is_good(
    found: Certificate, folder: Path, wanted: list[x509.GeneralName], now: datetime
) -> bool:
    try:
        chain = x509.load_pem_x509_certificates(found.chain.read_bytes())
        authority = x509.load_pem_x509_certificate((folder / "authority.pem").read_bytes())
        held = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, IndexError, x509.ExtensionNotFound):
        return False
    lasts = chain[0].not_valid_after_utc > now + timedelta(days=LEFT_DAYS_MIN)
    return lasts and chain[-1] == authority and set(held) == set(wanted) and found.key.exists()


def _authority(
    folder: Path, wanted: list[x509.GeneralName], now: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    public, private = folder / "authority.pem", folder / "authority-key.pem"
    try:
        known = x509.load_pem_x509_certificate(public.read_bytes())
        key = serialization.load_pem_private_key(private.read_bytes(), None)
        if (
            isinstance(key, ec.EllipticCurvePrivateKey)
            and known.not_valid_after_utc > now + timedelta(days=DAYS)
            and _may_speak_for(known, wanted)
        ):
            return known, key
    except (OSError, ValueError, x509.ExtensionNotFound):
        pass  # there is none, or it is of no use: another is made, and has to be trusted
    key = ec.generate_private_key(ec.SECP256R1())
    title = f"Perezvon on {socket.gethostname()}"[:60]
    made = (
        _builder(title, key, now, AUTHORITY_DAYS)
        .issuer_name(_name(title))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_signs_only(), critical=True)
        .add_extension(x509.NameConstraints(_permitted(wanted), None), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(private, _private(key))
    _write(public, _public(made))
    return made, key


def _permitted(wanted: list[x509.GeneralName]) -> list[x509.GeneralName]:
    networks: list[x509.GeneralName] = [x509.IPAddress(ip_network(one)) for one in PRIVATE]
    networks += [x509.IPAddress(ip_network(one.value)) for one in _outside(wanted)]
    return [*networks, *(one for one in wanted if isinstance(one, x509.DNSName))]


def _outside(wanted: list[x509.GeneralName]) -> list[x509.IPAddress]:
    addresses = [one for one in wanted if isinstance(one, x509.IPAddress)]
    return [
        one for one in addresses if not any(one.value in ip_network(private) for private in PRIVATE)
    ]


def _may_speak_for(authority: x509.Certificate, wanted: list[x509.GeneralName]) -> bool:
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    return set(_permitted(wanted)) <= set(limits.permitted_subtrees or ())


def _alternatives(names: Sequence[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ip_address(name)))
        except ValueError:
            try:
                found.append(x509.DNSName(name.encode("idna").decode()))
            except (UnicodeError, ValueError) as error:
                raise CertificateError(f"web_names: {name!r} is no host name") from error
    return found


def _builder(
    title: str, key: ec.EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(title))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Clocks of browsers may be behind ours.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
    )


def _name(title: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])


def _signs_only() -> x509.KeyUsage:
    return x509.KeyUsage(
        key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, content: bytes) -> None:
    """At once, and for nobody else: a start that is cut short leaves nothing half."""
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    beside.replace(path)
