"""The web process as it is started: it answers before there is an engine, and ends when told."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.support.ports import LOOPBACK, free_port

LIMIT_S = 30


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    own = {
        "PEREZVON_SETTINGS": "",
        "PEREZVON_DATA_DIR": str(tmp_path / "data"),
        "PEREZVON_CACHE_DIR": str(tmp_path / "cache"),
        "PEREZVON_WEB_PORT": str(free_port()),
        "PEREZVON_LANGUAGE": "en",
    }
    return os.environ | own


def start(environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "perezvon", "web"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def first_answer(url: str, process: subprocess.Popen[str]) -> httpx.Response:
    deadline = time.monotonic() + LIMIT_S
    while True:
        try:
            return httpx.get(url, trust_env=False)
        except httpx.TransportError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            threading.Event().wait(0.05)


def test_it_answers_without_an_engine_and_ends_well_when_told(environment: dict[str, str]) -> None:
    process = start(environment)
    try:
        base = f"http://{LOOPBACK}:{environment['PEREZVON_WEB_PORT']}/api/v1"
        health = first_answer(f"{base}/health", process)
        assert (health.status_code, health.json()["store"]) == (503, True)
        assert "server" not in health.headers
        assert httpx.get(f"{base}/calls", trust_env=False).status_code == 401
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 0, said
        assert "Traceback" not in said
    finally:
        process.kill()
        process.communicate()


def test_a_port_that_is_taken_is_told_with_the_setting_to_change(
    environment: dict[str, str],
) -> None:
    with socket.create_server((LOOPBACK, int(environment["PEREZVON_WEB_PORT"]))):
        process = start(environment)
        try:
            _, said = process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
            process.communicate()
    assert process.returncode == 1
    assert "PEREZVON_WEB_PORT" in said
    assert "Traceback" not in said
