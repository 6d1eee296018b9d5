"""The certificate of the pages: made once, kept, made anew in time, trusted by its authority."""

import asyncio
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from perezvon.bootstrap import tls
from perezvon.bootstrap.tls import CertificateError, check, names_of, self_signed
from perezvon.bootstrap.web import WebOptions, listen, make_server
from perezvon.settings import Settings, SettingsError, load
from tests.api.house import House

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NAMES = ["localhost", "127.0.0.1", "desk.example", "203.0.113.5"]


def settings(tmp_path: Path, **options: object) -> Settings:
    return load(data_dir=tmp_path / "data", **options)


def test_a_browser_that_trusts_the_authority_trusts_the_page(tmp_path: Path) -> None:
    found = self_signed(tmp_path / "tls", NAMES, datetime.now(UTC))
    house = House(tmp_path)
    trust = ssl.create_default_context(cafile=str(tmp_path / "tls" / "authority.pem"))

    async def scenario() -> None:
        listener = listen("127.0.0.1", 0)
        port = listener.getsockname()[1]
        options = WebOptions(house.location, house.socket, certificate=found)
        server = make_server(options, house.books)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with aiohttp.ClientSession() as session:
                for host in ("localhost", "127.0.0.1"):
                    url = f"https://{host}:{port}/api/v1/health"
                    async with session.get(url, ssl=trust) as reply:
                        assert (await reply.json())["store"] is True
                with pytest.raises(aiohttp.ClientConnectorCertificateError):
                    await session.get(f"https://127.0.0.1:{port}/", ssl=True)
        finally:
            server.should_exit = True
            await serving
            listener.close()

    try:
        asyncio.run(scenario())
    finally:
        house.close()


def test_it_is_kept_and_made_anew_in_time_by_the_same_authority(tmp_path: Path) -> None:
    def made(names: list[str], now: datetime) -> tuple[bytes, bytes]:
        found = self_signed(tmp_path, names, now)
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
    assert made([*NAMES, "new.example"], NOW)[1] != first[1]
    assert made(NAMES, NOW + timedelta(days=3_500))[1] != first[1]


def test_the_files_of_the_admin_are_checked(tmp_path: Path) -> None:
    found = self_signed(tmp_path / "tls", NAMES, NOW)
    other = self_signed(tmp_path / "other", NAMES, NOW)
    own = settings(tmp_path, web_certificate=found.chain, web_key=found.key)
    assert tls.certificate_of(own, 0) == found
    assert own.web_url == "https://127.0.0.1:8080/"
    for chain, key in ((found.chain, other.key), (tmp_path / "none", found.key)):
        with pytest.raises(CertificateError, match="web_certificate"):
            tls.certificate_of(settings(tmp_path, web_certificate=chain, web_key=key), 0)
    assert tls.certificate_of(settings(tmp_path), 0) is None


def test_half_a_pair_or_two_certificates_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="go together"):
        settings(tmp_path, web_certificate=tmp_path / "a")
    with pytest.raises(SettingsError, match="self_signed"):
        settings(tmp_path, web_certificate="/a", web_key="/b", web_tls="self_signed")


def test_a_certificate_has_the_names_of_the_machine(tmp_path: Path) -> None:
    names = names_of(settings(tmp_path, web_bind="192.0.2.7", web_names="desk.example, колл.рф"))
    assert {"localhost", "127.0.0.1", "192.0.2.7", "desk.example", "колл.рф"} <= set(names)
    assert "::" not in names_of(settings(tmp_path, web_bind="::"))
    self_signed(tmp_path / "tls", names, NOW)
    with pytest.raises(CertificateError, match="web_names"):
        self_signed(tmp_path / "tls", ["x" * 70 + ".example"], NOW)
