"""An authority of this machine, for where no other vouches for it: an office, its own network.

It is made at the first run and kept, so that it has to be trusted once; the machine's certificate
is made anew when it nears its end, or when the machine has other names. The authority may speak for
this machine's names and for private networks only: who trusts it need not fear for the rest of the
world.
"""

import contextlib
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS: Final = 3_650
DAYS: Final = 397
"""Longer ones are refused by browsers."""
LEFT_DAYS_MIN: Final = 30
PRIVATE: Final = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10",
    "::1/128",
)  # fmt: skip


PUBLIC: Final = "authority.pem"
PRIVATE_KEY: Final = "authority-key.pem"


class NameRefused(Exception):  # noqa: N818 - the condition, as a person would call it
    """No certificate can have this name."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files: the machine's own with those that vouch for it, and its private key."""

    chain: Path
    key: Path


@dataclass(frozen=True, slots=True)
class _Authority:
    public: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def may_speak_for(self, names: Sequence[x509.GeneralName]) -> bool:
        limits = self.public.extensions.get_extension_for_class(x509.NameConstraints).value
        return set(_permitted(names)) <= set(limits.permitted_subtrees or ())


def files_in(folder: Path) -> Certificate:
    return Certificate(folder / "certificate.pem", folder / "key.pem")


def self_signed(
    folder: Path, names: Sequence[str], also: Sequence[str], now: datetime
) -> Certificate:
    """The one that is there, if it is good for these names and for a while; else a new one.

    Names in `also` come and go with networks. They are no reason for another authority, which all
    browsers would have to be told to trust again.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = files_in(folder)
    wanted, had = [_alternative(name) for name in names], _those_that_can_be(also)
    authority = _known(folder, now)
    if authority is None or not authority.may_speak_for(wanted):
        authority = _made(folder, [*wanted, *had], now)
    wanted += [name for name in had if authority.may_speak_for([name])]
    if _is_good(found, authority.public, wanted, now):
        return found
    key = ec.generate_private_key(ec.SECP256R1())
    signer = authority.public.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    made = (
        _builder("Perezvon", key, now, DAYS)
        .issuer_name(authority.public.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(wanted), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer), critical=False
        )
        .sign(authority.key, hashes.SHA256())
    )
    _write(found.key, _private(key))
    _write(found.chain, _public(made) + _public(authority.public))
    return found


def _is_good(
    found: Certificate,
    authority: x509.Certificate,
    wanted: Sequence[x509.GeneralName],
    now: datetime,
) -> bool:
    try:
        chain = x509.load_pem_x509_certificates(found.chain.read_bytes())
        key = serialization.load_pem_private_key(found.key.read_bytes(), None)
        held = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    lasts = chain[0].not_valid_after_utc > now + timedelta(days=LEFT_DAYS_MIN)
    # The two files are written one after the other: who was cut short has a pair that is none.
    pairs = chain[0].public_key() == key.public_key() and chain[-1] == authority
    return lasts and pairs and set(wanted) <= set(held)


def _known(folder: Path, now: datetime) -> _Authority | None:
    try:
        public = x509.load_pem_x509_certificate((folder / PUBLIC).read_bytes())
        key = serialization.load_pem_private_key((folder / PRIVATE_KEY).read_bytes(), None)
    except (OSError, ValueError, TypeError):
        return None  # there is none, or it is of no use: another has to be trusted
    if not isinstance(key, ec.EllipticCurvePrivateKey) or public.public_key() != key.public_key():
        return None
    # What it signs must not outlive it.
    lasts = public.not_valid_after_utc > now + timedelta(days=DAYS)
    return _Authority(public, key) if lasts else None


def _made(folder: Path, names: Sequence[x509.GeneralName], now: datetime) -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    title = f"Perezvon on {socket.gethostname()}"[:60]
    made = (
        _builder(title, key, now, AUTHORITY_DAYS)
        .issuer_name(_name(title))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_signs_only(), critical=True)
        .add_extension(x509.NameConstraints(_permitted(names), None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(folder / PRIVATE_KEY, _private(key))
    _write(folder / PUBLIC, _public(made))
    return _Authority(made, key)


def _permitted(names: Sequence[x509.GeneralName]) -> list[x509.GeneralName]:
    networks: list[x509.GeneralName] = [x509.IPAddress(ip_network(one)) for one in PRIVATE]
    networks += [x509.IPAddress(ip_network(one.value)) for one in _outside(names)]
    return [*networks, *(one for one in names if isinstance(one, x509.DNSName))]


def _outside(names: Sequence[x509.GeneralName]) -> list[x509.IPAddress]:
    addresses = [one for one in names if isinstance(one, x509.IPAddress)]
    return [
        one for one in addresses if not any(one.value in ip_network(private) for private in PRIVATE)
    ]


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name.encode("idna").decode())
    except (UnicodeError, ValueError) as error:
        raise NameRefused(f"{name!r} is no host name") from error


def _those_that_can_be(names: Sequence[str]) -> list[x509.GeneralName]:
    found = []
    for name in names:
        with contextlib.suppress(NameRefused):
            found.append(_alternative(name))
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
