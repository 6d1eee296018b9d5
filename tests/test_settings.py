"""Settings: taken from the right place, private, and refused with a reason."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from perezvon.settings import Settings, SettingsError, load


@pytest.fixture(autouse=True)
def own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home, a current and a temporary folder of the test's own, and no variables of ours."""
    for name in list(os.environ):
        if name.startswith(("PEREZVON_", "XDG_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    with tempfile.TemporaryDirectory(prefix="pv") as short:
        monkeypatch.setattr("tempfile.tempdir", short)
        yield home


def refusal(**options: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load(**options)
    return str(caught.value)


def test_without_any_word_everything_is_local_and_in_the_home(own_world: Path) -> None:
    settings = load()
    assert settings.data_dir == own_world / ".local/share/perezvon"
    assert settings.cache_dir == own_world / ".cache/perezvon"
    assert {settings.sip_bind, settings.http_bind, settings.web_bind} == {"127.0.0.1"}
    assert (settings.sip_port, settings.http_port, settings.web_port) == (5060, 8088, 8080)
    assert settings.journal_url == f"sqlite:///{settings.data_dir}/journal.db"
    assert settings.store_url == f"sqlite:///{settings.data_dir}/perezvon.db"


def test_an_option_wins_over_a_variable_and_a_variable_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "perezvon.toml").write_text("web_port = 1001\nsip_port = 1002\nhttp_port = 1003\n")
    monkeypatch.setenv("PEREZVON_SIP_PORT", "2002")
    monkeypatch.setenv("PEREZVON_HTTP_PORT", "2003")
    settings = load(http_port=3003, web_port=None)
    assert (settings.web_port, settings.sip_port, settings.http_port) == (1001, 2002, 3003)


def test_the_file_is_looked_for_here_then_in_the_users_configurations(
    own_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = own_world / ".config/perezvon"
    users.mkdir(parents=True)
    (users / "perezvon.toml").write_text('language = "en"\nweb_port = 1001\n')
    assert load().web_port == 1001
    (tmp_path / "perezvon.toml").write_text("web_port = 1002\n")
    assert (load().web_port, load().language) == (1002, "ru")
    named = tmp_path / "other.toml"
    named.write_text("web_port = 1003\n")
    monkeypatch.setenv("PEREZVON_SETTINGS", str(named))
    assert load().web_port == 1003
    monkeypatch.setenv("PEREZVON_SETTINGS", "")
    assert load().web_port == 8080


def test_a_path_in_the_file_is_meant_from_that_file(
    own_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "p.toml").write_text('data_dir = "data"\nplan_file = "~/plan.yaml"\n')
    monkeypatch.setenv("PEREZVON_SETTINGS", str(folder / "p.toml"))
    settings = load()
    assert settings.data_dir == folder / "data"
    assert settings.plan_file == own_world / "plan.yaml"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("web_prot = 1", "web_prot: no such setting; did you mean 'web_port'?"),
        ("web_port = 70000", "web_port: Input should be less than or equal to 65535"),
        ('web_port = "x"', "web_port: Input should be a valid integer"),
        ('web_bind = "localhost"', "web_bind: is not an IP address"),
        ('switch = "freeswitch"', "switch: Input should be 'asterisk' or 'sim'"),
        ('database_url = "mysql://x"', "database_url: must begin with postgresql://"),
        ('data_dir = "a?b"', "data_dir: a path may have"),
        ("web_port = 1\nweb_port = 2", "Cannot overwrite a value"),
        ("web_port = ", "Invalid value"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_the_reason(
    content: str, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "perezvon.toml").write_text(content)
    text = refusal()
    assert text.startswith(str(tmp_path / "perezvon.toml"))
    assert reason in text


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"rtp_from": 20_000, "rtp_to": 10_000}, "rtp_from..rtp_to must hold four ports"),
        ({"sip_port": 12_000}, "sip_port 12000 lies within"),
        ({"web_port": 8088}, "http_port, sip_port and web_port must"),
        ({"dead_man_s": 7}, "dead_man_s must be longer"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    options: dict[str, object], reason: str
) -> None:
    assert reason in refusal(**options)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "perezvon.toml").write_text("nonsense = 1\nsip_port = 0\n")
    monkeypatch.setenv("PEREZVON_WEB_PORT", "many")
    monkeypatch.setenv("PEREZVON_WEBPORT", "1")
    lines = refusal(log_level="loud").splitlines()
    assert len(lines) == 5
    assert any(line.startswith("variable PEREZVON_WEB_PORT: web_port: ") for line in lines)
    assert any("PEREZVON_WEBPORT: no such setting; did you mean 'web_port'?" in x for x in lines)
    assert any(line.startswith("option: log_level: ") for line in lines)


def test_a_variable_with_a_secret_is_no_misspelt_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEREZVON_SECRET_CARRIER", "not for us")
    assert load().web_port == 8080


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEREZVON_SETTINGS", "missing.toml")
    assert refusal() == f"{tmp_path / 'missing.toml'}: No such file or directory"
    monkeypatch.setenv("PEREZVON_SETTINGS", str(tmp_path))
    assert refusal() == f"{tmp_path}: Is a directory"
    (tmp_path / "bad.toml").write_bytes(b"language = '\xff'")
    monkeypatch.setenv("PEREZVON_SETTINGS", "bad.toml")
    assert refusal().endswith("is not UTF-8")
    (tmp_path / "long.toml").write_text("#" * 70_000)
    monkeypatch.setenv("PEREZVON_SETTINGS", "long.toml")
    assert "longer than" in refusal()


def test_a_database_by_url_holds_journal_and_store_and_its_password_stays_out_of_sight() -> None:
    settings = load(database_url="postgres://u:hidden@127.0.0.1/p")
    assert settings.journal_url == settings.store_url
    assert settings.store_url == "postgresql+psycopg://u:hidden@127.0.0.1/p"
    assert "hidden" not in repr(settings)
    assert "hidden" not in refusal(database_url="mysql://u:hidden@h/p")


def test_a_child_gets_the_same_settings_whatever_file_lies_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load(switch="sim", web_port=9, data_dir=tmp_path / "d", external_media_address="::1")
    (tmp_path / "perezvon.toml").write_text('sip_port = 77\nplan_file = "x.yaml"\n')
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load() == settings


def test_the_folders_are_closed_to_other_users(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path / "a" / "b", cache_dir=tmp_path / "c")
    settings.prepare()
    settings.prepare()
    for folder in (settings.data_dir, settings.run_dir, settings.asterisk_dir, settings.cache_dir):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_open_to_others_is_mended_when_ours_and_refused_when_not(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir(mode=0o755)
    settings = load(data_dir=empty)
    settings.prepare()
    empty.chmod(0o755)
    settings.prepare()
    assert stat.S_IMODE(empty.stat().st_mode) == 0o700
    full = tmp_path / "full"
    full.mkdir()
    full.chmod(0o755)
    (full / "thesis.txt").write_text("not ours")
    with pytest.raises(SettingsError, match="open to other users"):
        load(data_dir=full).prepare()
    assert stat.S_IMODE(full.stat().st_mode) == 0o755


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    with pytest.raises(SettingsError, match=r"data_dir: .*File exists|Not a directory"):
        load(data_dir=tmp_path / "f").prepare()


def test_a_long_data_folder_gets_a_short_place_for_its_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(data_dir="/srv/p").engine_socket == Path("/srv/p/run/engine.sock")
    long = tmp_path / ("d" * 90)
    settings = load(data_dir=long)
    assert len(str(settings.engine_socket)) < 108
    assert not settings.engine_socket.is_relative_to(long)
    assert settings.engine_socket == load(data_dir=long).engine_socket
    assert settings.engine_socket != load(data_dir=tmp_path / ("e" * 90)).engine_socket
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("t" * 90)))
    with pytest.raises(SettingsError, match="choose a shorter one"):
        settings.prepare()


def test_settings_cannot_be_changed_behind_ones_back() -> None:
    settings = load()
    with pytest.raises(ValueError, match="frozen"):
        settings.web_port = 1
    assert isinstance(settings, Settings)
