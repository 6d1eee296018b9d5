"""The pages: the browser gets what was built, and no script but ours may run in it."""

import gzip
from pathlib import Path

import httpx
import pytest

from perezvon.api.app import document
from perezvon.api.pages import Pages
from scripts import openapi
from tests.api.house import House

SCRIPT = "console.log(1)\n" * 100
HOST = "http://perezvon.test"


@pytest.fixture
def built(tmp_path: Path) -> Pages:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Perezvon</title>")
    (folder / "assets" / "index-a1.js").write_text(SCRIPT)
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return Pages(folder)


@pytest.mark.parametrize("path", ["/", "/board", "/calls/t-c42", "/calls/t-d1%2F1"])
def test_any_address_of_the_application_is_its_one_page(
    house: House, built: Pages, path: str
) -> None:
    house.pages = built

    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.get(HOST + path)
        assert reply.status_code == 200
        assert reply.headers["content-type"] == "text/html; charset=utf-8"
        assert reply.headers["cache-control"] == "no-store"
        assert "<title>Perezvon</title>" in reply.text

    house.serve(scenario, None)


def test_a_script_is_kept_for_ever_and_sent_compressed_to_who_can_read_it(
    house: House, built: Pages
) -> None:
    house.pages = built

    async def scenario(client: httpx.AsyncClient) -> None:
        address = f"{HOST}/assets/index-a1.js"
        small = await client.get(address, headers={"Accept-Encoding": "gzip"})
        assert small.headers["content-encoding"] == "gzip"
        assert "immutable" in small.headers["cache-control"]
        assert small.text == SCRIPT
        assert int(small.headers["content-length"]) == len(gzip.compress(SCRIPT.encode(), mtime=0))
        plain = await client.get(address, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.text == SCRIPT

    house.serve(scenario, None)


@pytest.mark.parametrize(
    "path", ["/nothing.js", "/assets/..%2f..%2fsecret.txt", "/link.txt", "/../secret.txt"]
)
def test_a_file_that_was_not_built_is_not_there(house: House, built: Pages, path: str) -> None:
    house.pages = built

    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.get(HOST + path)
        assert reply.status_code == 404
        assert "secret" not in reply.text.replace(path, "")

    house.serve(scenario, None)


def test_no_script_but_our_files_may_run_and_nobody_may_frame_a_page(
    house: House, built: Pages
) -> None:
    house.pages = built

    async def scenario(client: httpx.AsyncClient) -> None:
        headers = (await client.get(f"{HOST}/board")).headers
        policy = dict(
            part.strip().partition(" ")[::2]
            for part in headers["content-security-policy"].split(";")
        )
        assert policy["script-src"] == "'self'"
        assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff"
        api = (await client.get(f"{HOST}/api/v1/health")).headers
        assert "script-src" not in api["content-security-policy"]

    house.serve(scenario, None)


def test_a_folder_without_the_first_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"index\.html"):
        Pages(tmp_path)


def test_without_built_pages_the_address_says_how_to_build_them(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.get(HOST)
        assert reply.status_code == 200
        assert "make run" in reply.text

    house.serve(scenario, None)


def test_the_pages_client_is_made_from_the_api_as_it_is() -> None:
    """Otherwise run: .venv/bin/python -m scripts.openapi."""
    assert openapi.TARGET.read_text() == openapi.text()


def test_no_two_operations_have_one_name() -> None:
    names = [
        operation["operationId"]
        for path in document()["paths"].values()
        for operation in path.values()
    ]
    assert len(names) == len(set(names))
