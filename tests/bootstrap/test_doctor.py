"""The doctor: what a stopped installation, a wrong one and a running one look like to it."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from perezvon import settings as settings_of
from perezvon.bootstrap import doctor
from perezvon.bootstrap.doctor_browsers import of_plan, of_settings
from perezvon.bootstrap.doctor_words import DOCTOR, Verdict
from perezvon.bootstrap.tls import authority_file, certificate_of
from perezvon.bootstrap.up import Installation, alone
from perezvon.core.ids import AgentId
from perezvon.core.plan import Agent, DeviceKind
from perezvon.runtime.clock import SystemClock
from perezvon.settings import Settings
from tests.core.office import ANA, BOB, office_plan
from tests.support.asterisk import asterisk
from tests.support.certificates import bring
from tests.support.engine import EngineProcess
from tests.support.plans import plan_of
from tests.support.ports import LOOPBACK, free_port, free_udp_port
from tests.support.programs import perezvon
from tests.support.turn import SECRET, turn_server

NOW = SystemClock().now()


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


def said(ours: Settings) -> tuple[int, str]:
    lines: list[str] = []
    return doctor.run(ours, lines.append), "\n".join(lines)


def test_a_fresh_machine_has_no_problems(tmp_path: Path) -> None:
    status, text = said(settings(tmp_path))
    assert status == 0, text
    assert "Perezvon is not running: perezvon up" in text


def test_a_taken_port_is_a_problem_with_its_setting(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        status, text = said(settings(tmp_path, web_port=port))
    assert status == 1
    assert f"PROBLEM   Port {port} is taken: set PEREZVON_WEB_PORT" in text


def told(ours: Settings) -> list[str]:
    """Keys of what is said of browsers."""
    return [key for _, key, _ in of_settings(ours, NOW)]


def test_what_browsers_lack_is_told_when_the_pages_are_for_others(tmp_path: Path) -> None:
    def keys(**changes: object) -> list[str]:
        return told(settings(tmp_path, **changes))

    assert not keys()
    assert keys(web_bind="192.0.2.7") == ["insecure_bad", "no_media_address", "no_turn"]
    assert keys(web_proxy="127.0.0.1") == ["no_media_address", "no_turn"]
    outside = {"external_media_address": "203.0.113.5", "stun_server": "stun:stun.example"}
    assert not keys(web_bind="192.0.2.7", web_tls="self_signed", **outside)


def test_where_the_sound_of_browsers_comes_in_is_told(tmp_path: Path) -> None:
    def keys(**changes: object) -> list[str]:
        ours = settings(tmp_path, switch="asterisk", web_proxy="127.0.0.1", **changes)
        return [key for key in told(ours) if key.startswith("media")]

    assert keys() == ["media_local_bad"]
    assert keys(rtp_bind="0.0.0.0") == ["media_ports"]  # noqa: S104 - where sound comes in
    assert keys(sip_bind="192.0.2.7") == ["media_ports"]


def test_too_few_ports_of_sound_for_the_agents_are_a_problem(tmp_path: Path) -> None:
    plan = office_plan(ANA, BOB)

    def keys(last: int) -> list[str]:
        ours = settings(tmp_path, switch="asterisk", rtp_from=20_000, rtp_to=last)
        return [key for _, key, _ in of_plan(ours, plan)]

    assert keys(20_006) == ["media_few_bad"]
    assert not keys(20_007)


@pytest.mark.parametrize(
    ("age_days", "says"),
    [
        (1, "ok        The pages' certificate is good until"),
        (80, "note      The pages' certificate ends on"),
        (91, "PROBLEM   The pages' certificate is good from"),
        (-2, "PROBLEM   The pages' certificate is good from"),
    ],
)
def test_the_end_of_a_certificate_is_told_in_time(tmp_path: Path, age_days: int, says: str) -> None:
    pair = bring(tmp_path / "own", begins=datetime.now(UTC) - timedelta(days=age_days))
    _, text = said(settings(tmp_path, web_certificate=pair.chain, web_key=pair.key))
    assert says in text
    assert str(pair.chain) in text


def test_a_certificate_of_no_use_is_a_problem_and_none_is_made_by_asking(tmp_path: Path) -> None:
    bad = {"web_certificate": tmp_path / "none", "web_key": tmp_path / "none"}
    status, text = said(settings(tmp_path, **bad))
    assert status == 1
    assert "PROBLEM   The pages' certificate: web_certificate" in text
    ours = settings(tmp_path, web_tls="self_signed")
    assert not told(ours)
    assert not authority_file(ours).parent.exists()
    certificate_of(ours, NOW)
    assert told(ours) == ["certificate"]


def test_servers_that_help_the_sound_are_asked(tmp_path: Path) -> None:
    with turn_server(tmp_path, LOOPBACK) as turn:
        well = {"turn_server": turn, "stun_server": turn.replace("turn:", "stun:")}
        status, text = said(settings(tmp_path, turn_secret=SECRET, **well))
        assert status == 0, text
        assert f"ok        TURN answers and knows our secret: {turn}" in text
        assert "ok        STUN answers" in text
        status, text = said(settings(tmp_path, turn_secret="another", **well))
        assert status == 1
        assert f"PROBLEM   TURN {turn}: does not take our turn_secret" in text
    status, text = said(settings(tmp_path, turn_secret=SECRET, **well))
    assert "PROBLEM   STUN" in text
    assert "PROBLEM   TURN" in text


def test_a_wrong_plan_is_told_with_its_line(tmp_path: Path) -> None:
    wrong = tmp_path / "plan.yaml"
    wrong.write_text("zone: Europe/Moscow\nqueues:\n  sales: {steps: {groups: nobody}}\n")
    status, text = said(settings(tmp_path, plan_file=wrong))
    assert status == 1
    assert f"PROBLEM   The plan is of no use: {wrong}:3" in text


def test_secrets_that_others_can_read_are_a_problem(tmp_path: Path) -> None:
    ours = settings(tmp_path)
    Installation(ours, lambda _: None).prepare()
    ours.secrets_file.chmod(0o644)
    status, text = said(ours)
    assert status == 1
    assert "chmod 600" in text


def test_an_asterisk_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    status, text = said(settings(tmp_path, switch="asterisk", asterisk=tmp_path / "nothing"))
    assert status == 1
    assert "--switch sim" in text


def test_what_should_run_and_does_not_is_a_problem(tmp_path: Path) -> None:
    ours = settings(tmp_path)
    with alone(ours):
        assert doctor.is_up(ours)
        status, text = said(ours)
    assert status == 1
    assert "PROBLEM   The engine does not answer" in text
    assert "PROBLEM   Page and API do not answer" in text
    assert not doctor.is_up(ours)


def test_a_running_installation_is_well(tmp_path: Path) -> None:
    ours = settings(tmp_path)
    with perezvon("up", **ours.environment()) as up:
        up.until_line("Perezvon is running")
        checks = asyncio.run(doctor.Doctor(ours).examine())
        up.process.terminate()
        assert up.wait() == 0
    problems = [check.text for check in checks if check.verdict is Verdict.PROBLEM]
    assert problems == []
    assert "The engine answers" in [check.text for check in checks]


@pytest.mark.asterisk
def test_an_asterisk_that_takes_no_browsers_is_a_problem(tmp_path: Path) -> None:
    anna = Agent(AgentId("anna"), "Anna", DeviceKind.WEBRTC)
    root = tmp_path / "data"
    root.mkdir()
    with asterisk(plan_of((anna,), callers_port=free_udp_port()), tmp_path / "pbx") as running:
        ours = EngineProcess(running, root, changes={"language": "en"}).settings
        with alone(ours):
            assert "ok        Asterisk takes telephones in browsers" in said(ours)[1]
            running.cli("module unload res_pjsip_transport_websocket.so")
            wanted = "takes no telephones in browsers, not loaded: res_pjsip_transport_websocket;"
            assert f"PROBLEM   Asterisk {wanted}" in said(ours)[1]


@pytest.mark.parametrize("key", DOCTOR)
def test_both_languages_take_the_same_values(key: str) -> None:
    fields = [{part.split("}")[0] for part in text.split("{")[1:]} for text in DOCTOR[key].values()]
    assert fields[0] == fields[1]
