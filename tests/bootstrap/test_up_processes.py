"""`perezvon up` with its processes: the engine is back at once, a plan reaches Asterisk."""

import asyncio
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from perezvon import settings as settings_of
from perezvon.asterisk.process import AsteriskProcess, directories
from perezvon.runtime.local import Refused, ask
from perezvon.runtime.ports import Unavailable
from perezvon.settings import Settings
from tests.support.asterisk import pbx
from tests.support.ports import free_port, free_udp_block, free_udp_port
from tests.support.programs import is_idle, perezvon, until

PROGRAMS = 3
"""Engine, web, worker."""


def environment(folder: Path, **changes: object) -> dict[str, str]:
    rtp = free_udp_block(100)
    values: dict[str, object] = {
        "data_dir": folder / "data",
        "sip_port": free_udp_port(),
        "http_port": free_port(),
        "web_port": free_port(),
        "rtp_from": rtp[0],
        "rtp_to": rtp[1],
        "language": "en",
        **changes,
    }
    return {f"PEREZVON_{key.upper()}": str(value) for key, value in values.items()}


def settings(variables: dict[str, str]) -> Settings:
    names = {key.removeprefix("PEREZVON_").lower(): value for key, value in variables.items()}
    return settings_of.load(**names)


def asked(ours: Settings, action: str, **args: object) -> dict[str, Any]:
    return asyncio.run(ask(ours.engine_socket, action, args))


def engine_answers(ours: Settings) -> bool:
    try:
        asked(ours, "health")
    except (Unavailable, Refused):
        return False
    return True


def pid_of(ours: Settings, name: str) -> int:
    return int((ours.run_dir / f"{name}.pid").read_text())


def test_a_killed_engine_is_back_before_a_caller_is_given_up(tmp_path: Path) -> None:
    variables = environment(tmp_path, switch="sim")
    ours = settings(variables)
    # How much sooner is measured where nothing else runs: `bench.restart`.
    given_up_s = ours.dead_man_s - ours.refresh_s
    with perezvon("up", **variables) as up:
        up.until_line("Perezvon is running")
        web = pid_of(ours, "web")
        for _ in range(2):
            engine = pid_of(ours, "engine")
            # The one that will take over has been loaded.
            until(lambda: len(up.children()) == PROGRAMS + 1, "there is a spare engine")
            until(lambda: is_idle(up.children()[-1]), "the spare engine waits")
            killed_at = time.monotonic()
            os.kill(engine, signal.SIGKILL)
            up.until_line("engine: process")
            until(lambda: engine_answers(ours), "the engine answers")
            assert time.monotonic() - killed_at < given_up_s
            up.until_line("engine: works again")
        assert pid_of(ours, "web") == web
        up.process.send_signal(signal.SIGTERM)
        assert up.wait() == 0


def test_a_second_up_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    variables = environment(tmp_path, switch="sim")
    with perezvon("up", **variables) as up:
        up.until_line("Starting")
        with perezvon("up", **variables) as second:
            assert second.wait() == 1
            assert f"process {up.process.pid}" in second.text
        up.process.send_signal(signal.SIGINT)
        assert up.wait() == 0


@pytest.mark.asterisk
def test_an_applied_plan_reaches_a_running_asterisk(tmp_path: Path) -> None:
    variables = environment(tmp_path, asterisk=pbx().command[-1])
    ours = settings(variables)
    process = AsteriskProcess(pbx(), directories(ours.asterisk_dir, ours.recordings_dir))

    def knows(agent: str) -> bool:
        return f" {agent}" in asyncio.run(process.cli("pjsip show endpoints"))

    with perezvon("up", **variables) as up:
        up.until_line("Perezvon is running")
        started = pid_of(ours, "asterisk")
        assert knows("a103")
        assert not knows("a104")
        text = (ours.data_dir / "plan.yaml").read_text()
        more = text.replace("  a103: Third agent\n", "  a103: Third agent\n  a104: Fourth agent\n")
        asked(ours, "plan.apply", text=more)
        up.until_line("was written to Asterisk")
        assert knows("a104")
        # One that nobody gave the carrier's secret for is told of, and the old one stays.
        asked(ours, "plan.apply", text=more + CARRIER)
        up.until_line("PEREZVON_SECRET_CARRIER")
        assert knows("a104")
        assert pid_of(ours, "asterisk") == started
        up.process.send_signal(signal.SIGINT)
        assert up.wait() == 0
    # After a start of the machine there is nobody to ask: it serves by the plan before.
    with perezvon("up", **variables) as up:
        up.until_line("PEREZVON_SECRET_CARRIER")
        up.until_line("Perezvon is running")
        assert knows("a104")
        up.process.send_signal(signal.SIGINT)
        assert up.wait() == 0


CARRIER = "\ntrunks: {carrier: {host: 127.0.0.9, username: shop, secret: carrier}}\n"


def test_an_asterisk_that_cannot_be_had_is_told_with_the_way_out(tmp_path: Path) -> None:
    variables = environment(tmp_path, asterisk=tmp_path / "no-such-program")
    with perezvon("up", **variables) as up:
        assert up.wait() == 1
    assert "no-such-program" in up.text
    assert "perezvon up --switch sim" in up.text
    assert "Traceback" not in up.text


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with perezvon("up", **environment(tmp_path, sip_port=port, language="ru")) as up:
            assert up.wait() == 1
    assert up.lines == [f"порт {port} занят: задайте PEREZVON_SIP_PORT"]
