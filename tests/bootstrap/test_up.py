"""`perezvon up` before anything runs: taken ports, folders, the first plan, the key of the API."""

import os
import socket
import stat
from pathlib import Path

import pytest

from perezvon import settings as settings_of
from perezvon.bootstrap import up
from perezvon.bootstrap.ports import PortTaken, is_free
from perezvon.bootstrap.up import Installation, UpError, alone, keep_token
from perezvon.bootstrap.web import listen
from perezvon.bootstrap.words import DEMO, STORY, UP
from perezvon.runtime.supervisor import Happening, What
from perezvon.settings import Settings
from perezvon.store import plan_file
from perezvon.store.database import open_views
from perezvon.store.tokens import check_token
from tests.support.ports import free_port, free_udp_port

EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing listens


def settings(folder: Path, **changes: object) -> Settings:
    values: dict[str, object] = {
        "data_dir": folder / "data",
        "sip_port": free_udp_port(),
        "http_port": free_port(),
        "web_port": free_port(),
        "switch": "sim",
        "language": "en",
        **changes,
    }
    made = settings_of.load(**values)
    made.prepare()
    return made


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("sip_port", socket.SOCK_DGRAM),
        ("http_port", socket.SOCK_STREAM),
        ("web_port", socket.SOCK_STREAM),
    ],
)
def test_a_taken_port_names_the_setting(tmp_path: Path, key: str, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            other.listen()
        port = other.getsockname()[1]
        ours = settings(tmp_path, switch="asterisk", **{key: port})
        with pytest.raises(PortTaken, match=f"port {port} is taken: set PEREZVON_{key.upper()}"):
            Installation(ours, print).prepare()


@pytest.mark.parametrize("bind", ["127.0.0.1", "::1"])
def test_a_port_is_free_on_addresses_of_both_kinds(bind: str) -> None:
    port = free_port()
    assert is_free(port, bind)
    with listen(bind, port):
        assert not is_free(port, bind)


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, ["http://127.0.0.1:{port}/"]),
        (
            {"web_bind": EVERYWHERE, "web_tls": "self_signed"},
            ["https://127.0.0.1:{port}/", "https://192.0.2.7:{port}/"],
        ),
        ({"web_bind": "192.0.2.7"}, ["http://192.0.2.7:{port}/"]),
    ],
)
def test_where_the_pages_are_is_told_here_and_in_the_network(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, object],
    shown: list[str],
) -> None:
    monkeypatch.setattr(up, "own_addresses", lambda: ["192.0.2.7", "2001:db8::7"])
    said: list[str] = []
    ours = settings(tmp_path, **changes)
    Installation(ours, said.append).greet()
    urls = [word for line in said for word in line.split() if word.startswith("http")]
    assert urls == [url.format(port=ours.web_port) for url in shown]


def test_a_new_installation_begins_with_a_plan_that_can_be_applied(tmp_path: Path) -> None:
    said: list[str] = []
    installation = Installation(settings(tmp_path), said.append)
    installation.prepare()
    written = installation.settings.plan_file
    assert written is not None
    assert installation.plan == plan_file.load(written)
    assert any("perezvon plan apply" in line for line in said)
    # A second start does not write over what the operator changed.
    written.write_text(written.read_text().replace("First agent", "Mary"))
    again = Installation(settings(tmp_path), said.append)
    again.prepare()
    assert again.plan is not None
    assert again.plan.agents[0].name == "Mary"


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_starter_plan_is_valid_in_both_languages(tmp_path: Path, language: str) -> None:
    installation = Installation(settings(tmp_path, language=language), lambda _: None)
    installation.prepare()
    assert installation.plan is not None
    assert installation.plan.language == language


def test_a_wrong_plan_file_is_told_with_its_line(tmp_path: Path) -> None:
    wrong = tmp_path / "plan.yaml"
    wrong.write_text("zone: Europe/Moscow\nqueues:\n  sales: {steps: {groups: nobody}}\n")
    installation = Installation(settings(tmp_path, plan_file=wrong), lambda _: None)
    with pytest.raises(plan_file.PlanFileError, match=r"plan\.yaml:3"):
        installation.prepare()


def test_two_installations_do_not_share_a_folder(tmp_path: Path) -> None:
    ours = settings(tmp_path)
    with alone(ours), pytest.raises(UpError, match=f"already runs.*{os.getpid()}"), alone(ours):
        pass
    with alone(ours):
        pass


def test_the_key_of_the_api_is_made_once_and_kept_closed(tmp_path: Path) -> None:
    ours = settings(tmp_path)
    keep_token(ours)
    key = ours.token_file.read_text().strip()
    assert stat.S_IMODE(ours.token_file.stat().st_mode) == 0o600
    keep_token(ours)
    assert ours.token_file.read_text().strip() == key
    views = open_views(up.location_of(ours))
    try:
        token = check_token(views, key, now=0)
    finally:
        views.close()
    assert token is not None
    assert "admin" in token.scopes


def test_every_text_takes_the_same_values_in_both_languages() -> None:
    for table in (UP, STORY, DEMO):
        for key, words in table.items():
            fields = [
                {part.split("}")[0] for part in text.split("{")[1:]} for text in words.values()
            ]
            assert fields[0] == fields[1], key


def test_a_program_that_ends_again_and_again_does_not_fill_the_screen(tmp_path: Path) -> None:
    said: list[str] = []
    installation = Installation(settings(tmp_path), said.append)
    for _ in range(40):
        installation._note(Happening("engine", What.ENDED, 77, "exit 2"))
    assert len(said) == 5
    assert "engine.log" in said[0]
    installation._note(Happening("engine", What.READY, 78))
    installation._note(Happening("engine", What.READY, 79))
    assert said[5:] == ["engine: works again."]
