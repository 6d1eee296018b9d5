"""The certificate of the pages: the admin's, or our authority's; wrong ones, and renewed ones."""

import asyncio
import contextlib
import ssl
import stat
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509

from perezvon.bootstrap import starting, tls
from perezvon.bootstrap.authority import Certificate, NameRefused, self_signed
from perezvon.bootstrap.tls import CertificateError, Served, check, names_of
from perezvon.bootstrap.up import Installation
from perezvon.bootstrap.web import WebOptions, listen, make_server
from perezvon.settings import Settings, SettingsError, load
from tests.api.house import House
from tests.support.certificates import bring
from tests.support.ports import free_port

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
DAY_MS = 86_400_000
NAMES = ["localhost", "127.0.0.1", "desk.example", "203.0.113.5"]


def settings(tmp_path: Path, **options: object) -> Settings:
    values = {"data_dir": tmp_path / "data", "switch": "sim", "language": "en"}
    return load(**values | {"web_port": free_port()} | options)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


@contextlib.asynccontextmanager
async def served(house: House, found: Certificate) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    """The port, and what the server shows there."""
    listener = listen("127.0.0.1", 0)
    options = WebOptions(house.location, house.socket, certificate=found)
    server = make_server(options, house.books)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    assert server.config.ssl is not None
    try:
        yield listener.getsockname()[1], server.config.ssl
    finally:
        server.should_exit = True
        await serving
        listener.close()


def test_who_trusts_the_authority_trusts_the_page(tmp_path: Path, house: House) -> None:
    found = self_signed(tmp_path / "tls", NAMES, [], datetime.now(UTC))
    trust = ssl.create_default_context(cafile=str(tmp_path / "tls" / "authority.pem"))
    # As newer programs have it.
    trust.verify_flags |= ssl.VERIFY_X509_STRICT

    async def scenario() -> None:
        async with served(house, found) as (port, _), aiohttp.ClientSession() as session:
            for host in ("localhost", "127.0.0.1"):
                url = f"https://{host}:{port}/api/v1/health"
                async with session.get(url, ssl=trust) as reply:
                    assert (await reply.json())["store"] is True
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get(f"https://127.0.0.1:{port}/", ssl=True)

    asyncio.run(scenario())


def test_it_is_kept_and_made_anew_in_time_by_the_same_authority(tmp_path: Path) -> None:
    def made(names: list[str], now: datetime, also: tuple[str, ...] = ()) -> tuple[bytes, bytes]:
        found = self_signed(tmp_path, names, also, now)
        check(found)
        for path in tmp_path.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        return found.chain.read_bytes(), (tmp_path / "authority.pem").read_bytes()

    first = made(NAMES, NOW)
    assert made(NAMES, NOW + timedelta(days=300)) == first
    later = made(NAMES, NOW + timedelta(days=380))
    assert later[0] != first[0]
    assert later[1] == first[1], "what browsers trust stays"
    other = made([*NAMES, "192.168.7.7"], NOW)
    assert other[0] != later[0]
    assert other[1] == first[1], "a private address needs no other authority"
    assert made(NAMES, NOW, ("2001:db8::7", "new-name"))[1] == first[1], "nor what comes and goes"
    assert made([*NAMES, "new.example"], NOW)[1] != first[1]
    assert made(NAMES, NOW + timedelta(days=3_500))[1] != first[1]


def test_what_was_cut_short_or_spoilt_is_made_anew(tmp_path: Path) -> None:
    def made() -> Certificate:
        found = self_signed(tmp_path, NAMES, [], NOW)
        check(found)
        authority = x509.load_pem_x509_certificate((tmp_path / "authority.pem").read_bytes())
        own = x509.load_pem_x509_certificates(found.chain.read_bytes())[0]
        own.verify_directly_issued_by(authority)
        return found

    found = made()
    for name in ("key.pem", "certificate.pem", "authority-key.pem", "authority.pem"):
        other = self_signed(tmp_path / "other", NAMES, [], NOW)
        for content in (b"spoilt", (other.chain.parent / name).read_bytes(), None):
            if content is None:
                (tmp_path / name).unlink()
            else:
                (tmp_path / name).write_bytes(content)
            assert made() == found, name
            # Whoever signs by half of an authority does so unseen.
            found.chain.unlink(missing_ok=True)
            assert made() == found, name


def wrong(tmp_path: Path, name: str) -> tuple[Path, Path]:
    """What an admin may do wrong with his files."""
    good, other = bring(tmp_path / "good"), bring(tmp_path / "other")
    locked = bring(tmp_path / "locked", password=b"secret")
    none, text = tmp_path / "none.pem", tmp_path / "text.pem"
    text.write_text("no certificate")
    long = tmp_path / "long.pem"
    long.write_bytes(good.chain.read_bytes() + b"\n" * tls.FILE_BYTES_MAX)
    return {
        "none": (none, good.key),
        "folder": (tmp_path, good.key),
        "no_key": (good.chain, none),
        "text": (text, good.key),
        "text_key": (good.chain, text),
        "swapped": (good.key, good.chain),
        "other": (good.chain, other.key),
        "locked": (locked.chain, locked.key),
        "long": (long, good.key),
    }[name]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("none", r"^web_certificate .*/none\.pem: No such file"),
        ("folder", r"^web_certificate .*: Is a directory"),
        ("no_key", r"^web_key .*/none\.pem: No such file"),
        ("text", r"^web_certificate .*/text\.pem: holds no certificate"),
        ("text_key", r"^web_key .*/text\.pem: holds no private key"),
        ("swapped", r"^web_certificate .*/key\.pem: holds no certificate"),
        ("other", r"^web_key .*/other/key\.pem: belongs to another certificate .*good/chain\.pem"),
        ("locked", r"^web_key .*/locked/key\.pem: is locked by a password"),
        ("long", r"^web_certificate .*/long\.pem: longer than"),
    ],
)
def test_a_start_says_what_is_wrong_with_which_file(tmp_path: Path, name: str, says: str) -> None:
    chain, key = wrong(tmp_path, name)
    ours = settings(tmp_path, web_certificate=chain, web_key=key)
    ours.prepare()
    with pytest.raises(CertificateError, match=says) as caught:
        Installation(ours, print).prepare()
    # On the terminal it is a line and no traceback.
    assert isinstance(caught.value, starting.ERRORS)


def test_files_of_the_admin_are_served_as_they_are(tmp_path: Path) -> None:
    pair = bring(tmp_path / "own")
    ours = settings(tmp_path, web_certificate=pair.chain, web_key=pair.key)
    assert tls.certificate_of(ours, NOW_MS) == Certificate(pair.chain, pair.key)
    assert ours.web_url == f"https://127.0.0.1:{ours.web_port}/"
    assert tls.certificate_of(settings(tmp_path), NOW_MS) is None


def test_one_that_is_over_is_told_of_and_served_all_the_same(tmp_path: Path) -> None:
    said: list[str] = []
    pair = bring(tmp_path / "own", begins=NOW - timedelta(days=91))
    ours = settings(tmp_path, web_certificate=pair.chain, web_key=pair.key)
    ours.prepare()
    Installation(ours, said.append).prepare()
    assert [line for line in said if "was good until 2026-11-21 only" in line]


def test_the_term_of_a_certificate_is_known(tmp_path: Path) -> None:
    pair = bring(tmp_path / "own", begins=NOW, days=90)
    term = check(Certificate(pair.chain, pair.key))
    after = [NOW_MS + days * DAY_MS for days in (-1, 0, 75, 77, 89, 91)]
    assert [term.is_over(now) for now in after] == [True, False, False, False, False, True]
    assert [term.ends_soon(now) for now in after] == [False, False, False, True, True, True]


def test_a_renewed_certificate_is_shown_without_a_restart(tmp_path: Path, house: House) -> None:
    pair = bring(tmp_path / "own")
    found = Certificate(pair.chain, pair.key)

    def find() -> Certificate:
        check(found)
        return found

    async def scenario() -> None:
        async with served(house, found) as (port, context):
            watched = Served(context, find, found)
            assert await shown(port) == pair.serial
            assert not watched.look()
            renewed = bring(tmp_path / "own")
            assert await shown(port) == pair.serial
            assert watched.look()
            assert await shown(port) == renewed.serial
            assert not watched.look()
            # Half of a renewal, or a bad one: what was good goes on.
            bring(tmp_path / "own")
            found.key.write_text("spoilt")
            assert not watched.look()
            assert await shown(port) == renewed.serial
            again = bring(tmp_path / "own")
            assert watched.look()
            assert await shown(port) == again.serial

    asyncio.run(scenario())


async def shown(port: int) -> int:
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
    encrypted = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return x509.load_der_x509_certificate(encrypted).serial_number


def test_a_renewal_that_fails_is_told_of_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = bring(tmp_path / "own")
    found = Certificate(pair.chain, pair.key)
    watched = Served(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), lambda: found, found)
    found.key.unlink()
    assert not watched.look()
    assert not watched.look()
    told = capsys.readouterr().out
    assert told.count("certificate_not_renewed") == 1
    assert str(found.key) in told


def test_half_a_pair_or_two_certificates_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="go together"):
        settings(tmp_path, web_certificate=tmp_path / "a")
    with pytest.raises(SettingsError, match="self_signed"):
        settings(tmp_path, web_certificate="/a", web_key="/b", web_tls="self_signed")


def test_a_certificate_has_the_names_of_the_machine(tmp_path: Path) -> None:
    names, had = names_of(
        settings(tmp_path, web_bind="192.0.2.7", web_names="desk.example, колл.рф")
    )
    assert {"localhost", "127.0.0.1", "192.0.2.7", "desk.example", "колл.рф"} <= set(names)
    assert "::" not in names_of(settings(tmp_path, web_bind="::"))[0]
    self_signed(tmp_path / "tls", names, had, NOW)
    with pytest.raises(NameRefused):
        self_signed(tmp_path / "tls", ["x" * 70 + ".example"], [], NOW)
    self_signed(tmp_path / "tls", names, ["x" * 70 + ".example"], NOW)
    ours = settings(tmp_path, web_tls="self_signed", web_names="x" * 70)
    with pytest.raises(CertificateError, match=r"web_names: 'xxx.* is no host name"):
        tls.certificate_of(ours, NOW_MS)
