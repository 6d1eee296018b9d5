"""Real proxies, told what docs/network.md tells them, before our web process. Where there are none
on this machine these are skipped; what we need of them is also in tests/tidy/test_network.py.
"""

import asyncio
import contextlib
import io
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import aiohttp
import pytest

from perezvon.api.limits import PLAN_BODY_BYTES_MAX
from perezvon.bootstrap.web import WebOptions, listen, make_server
from perezvon.store import sessions, users
from tests.api.house import PASSWORD, House
from tests.support.certificates import bring
from tests.support.ports import LOOPBACK, free_port
from tests.tidy import documents
from tests.tidy.tree import ROOT, text

PEER = "127.0.0.9"
"""Of a browser: not where the proxy comes from."""
START_S = 20

MakeConfiguration = Callable[[Path, int, int], tuple[list[str], str]]


def shown(language: str) -> str:
    """The example of the guide."""
    found = dict(documents.FENCE.findall(text(ROOT / "docs" / "network.md")))
    return str(found[language])


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        pytest.skip(f"no {name}")
    return found


def nginx(place: Path, outside: int, ours: int) -> tuple[list[str], str]:
    pair = bring(place / "pair")
    site = (
        shown("nginx")
        .replace("listen 443 ssl;", f"listen {LOOPBACK}:{outside} ssl;")
        .replace("/etc/perezvon/desk.pem", str(pair.chain))
        .replace("/etc/perezvon/desk-key.pem", str(pair.key))
        .replace("127.0.0.1:8080", f"{LOOPBACK}:{ours}")
    )
    folders = "".join(
        f"{kind}_temp_path {place}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
    )
    whole = f"pid {place}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{folders}{site}}}\n"
    argv = [program("nginx"), "-p", str(place), "-c", str(place / "conf"), "-g", "daemon off;"]
    return [*argv, "-e", str(place / "error.log")], whole


def caddy(place: Path, outside: int, ours: int) -> tuple[list[str], str]:
    pair = bring(place / "pair")
    site = shown("caddy").replace(
        "desk.example.com {", f"https://localhost:{outside} {{\n\ttls {pair.chain} {pair.key}"
    )
    site = site.replace("127.0.0.1:8080", f"{LOOPBACK}:{ours}")
    whole = f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site}"
    conf = str(place / "conf")
    return [program("caddy"), "run", "--adapter", "caddyfile", "--config", conf], whole


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    made.user("supervisor")
    yield made
    made.close()


@contextlib.asynccontextmanager
async def behind(house: House, make: MakeConfiguration, place: Path) -> AsyncIterator[str]:
    """Our pages through the proxy; its host and port."""
    listener = listen(LOOPBACK, 0)
    outside = free_port()
    argv, configuration = make(place, outside, listener.getsockname()[1])
    (place / "conf").write_text(configuration)
    options = WebOptions(house.location, house.socket, proxies=(LOOPBACK,))
    server = make_server(options, house.books)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    log = place / "out.log"
    with log.open("wb") as out:
        child = await asyncio.create_subprocess_exec(
            *argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={"HOME": str(place), "PATH": "/usr/bin:/bin"},
        )
    try:
        await _until_listening(outside, child, log)
        yield f"localhost:{outside}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        await child.wait()
        server.should_exit = True
        await serving
        listener.close()


async def _until_listening(port: int, child: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(START_S):
        while True:
            try:
                _, writer = await asyncio.open_connection(LOOPBACK, port)
            except OSError:
                assert child.returncode is None, log.read_text()
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


@pytest.mark.parametrize("make", [nginx, caddy])
def test_all_goes_through_a_proxy_as_if_there_were_none(
    house: House, tmp_path: Path, make: MakeConfiguration
) -> None:
    place = tmp_path / "proxy"
    place.mkdir()

    async def scenario() -> None:
        unknown = ssl.create_default_context()
        unknown.check_hostname, unknown.verify_mode = False, ssl.CERT_NONE
        connector = aiohttp.TCPConnector(local_addr=(PEER, 0), ssl=unknown)
        async with (
            behind(house, make, place) as host,
            house.engine(),
            aiohttp.ClientSession(f"https://{host}", connector=connector) as browser,
        ):
            own = {"Origin": f"https://{host}"}
            foreign = {"Origin": "https://evil.example"}
            body = {"login": "supervisor", "password": PASSWORD}
            path = "/api/v1/sessions"
            async with browser.post(path, json=body, headers=foreign) as reply:
                assert reply.status == HTTPStatus.FORBIDDEN
            async with browser.post(path, json=body, headers=own) as reply:
                assert reply.status == HTTPStatus.CREATED
                assert reply.headers["Set-Cookie"].startswith("__Host-perezvon=")
            async with browser.ws_connect("/api/v1/live", headers=own) as feed:
                assert (await feed.receive_json(timeout=START_S))["type"] == "snapshot"
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await browser.ws_connect("/api/v1/live", headers=foreign)
            longest = io.BytesIO(b" " * PLAN_BODY_BYTES_MAX)
            async with browser.post("/api/v1/plan/check", data=longest, headers=own) as reply:
                # The longest plan gets through: it is ours to say that it is none.
                assert reply.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    asyncio.run(scenario())
    user = users.find_user(house.books.stored, "supervisor")
    assert user is not None
    (known,) = sessions.list_sessions(house.books.stored, user.id, house.office.now)
    assert known.address == PEER
