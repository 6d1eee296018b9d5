"""One Asterisk process: how it comes up, changes, and goes."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from perezvon.asterisk import process as process_module
from perezvon.asterisk import provision
from perezvon.asterisk.install import Pbx
from perezvon.asterisk.process import AsteriskFailed, AsteriskProcess, directories
from tests.support.asterisk import asterisk_running, prepare, secrets_of
from tests.support.plans import NUMBER, plan_of
from tests.support.ports import LOOPBACK, free_udp_port
from tests.support.scenarios import Answering
from tests.support.sipp import Call, Caller, Phone, until, until_now

PLAN = plan_of(callers_port=5070)


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.asterisk
def test_it_boots_in_ten_seconds_and_stops_in_five(tmp_path: Path) -> None:
    async def play() -> None:
        started = time.monotonic()
        async with asterisk_running(PLAN, tmp_path) as running:
            assert time.monotonic() - started < 10
            pid = running.process.pid
            assert pid is not None
            assert "Asterisk 2" in await running.process.cli("core show version")
            stopping = time.monotonic()
        assert time.monotonic() - stopping < 5
        assert not lives(pid)
        assert running.process.pid is None

    asyncio.run(play())


@pytest.mark.asterisk
def test_its_files_are_ours_alone(tmp_path: Path) -> None:
    running = prepare(PLAN, tmp_path)
    for file in running.process.places.etc.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file
    assert running.process.places.root.stat().st_mode & 0o077 == 0


@pytest.mark.asterisk
def test_a_reload_takes_a_new_agent_and_keeps_the_talk_and_the_heartbeat(tmp_path: Path) -> None:
    port = free_udp_port()
    plan = plan_of(("anna",), callers_port=port)
    newer = plan_of(("anna", "vera"), callers_port=port)
    how = Answering(answer_after_ms=100)

    async def play() -> None:
        async with asterisk_running(plan, tmp_path, secrets=secrets_of(newer)) as running:
            call = Call("79160000001", NUMBER)
            with (
                Phone(running, ["anna"], how, tmp_path) as phone,
                Caller(running, [call], tmp_path, port=port, talk_ms=4_000) as caller,
            ):
                await until(lambda: bool(phone.of("answered")), 8, caller.trouble)
                await running.process.cli("dialplan set global CC_HB_t 42")
                running.process.write(provision.files(newer, running.site, running.secrets))
                await running.process.reload()
                members = await running.process.cli("queue show fallback-t")
                assert "PJSIP/vera" in members
                assert "CC_HB_t=42" in await running.process.cli("dialplan show globals")
                password = running.secrets["vera"]
                with Phone(running, ["vera"], how, tmp_path, passwords={"vera": password}):
                    await until(caller.finished, 8, caller.trouble)
            # Its own end, not ours: the talk outlived the reload by seconds.
            assert [one.kind for one in caller.happenings()][-1] == "hung_up"
            assert [one.kind for one in phone.happenings()][-1] == "ended_by_other"

    asyncio.run(play())


@pytest.mark.asterisk
def test_it_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    running = prepare(PLAN, tmp_path)
    script = f"""
import asyncio, signal
from pathlib import Path
from perezvon.asterisk import install, process
places = process.directories(Path({str(running.process.places.root)!r}))
pbx = install.ensure(None, install.default_cache())
one = process.AsteriskProcess(pbx, places)
asyncio.run(one.start())
print(one.pid, flush=True)
signal.pause()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert lives(pid)
        parent.send_signal(signal.SIGKILL)
    until_now(lambda: not lives(pid), 10)


@pytest.mark.asterisk
@pytest.mark.parametrize("which", ["sip_port", "http_port"])
def test_a_taken_port_is_a_clear_error_and_leaves_no_process(tmp_path: Path, which: str) -> None:
    kind = socket.SOCK_DGRAM if which == "sip_port" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as taker:
        taker.bind((LOOPBACK, 0))
        port = taker.getsockname()[1]
        if kind is socket.SOCK_STREAM:
            taker.listen()
        running = prepare(PLAN, tmp_path, **{which: port})
        with pytest.raises(AsteriskFailed, match=f"{LOOPBACK}:{port}: is that port taken"):
            asyncio.run(running.process.start(promises=provision.promises(running.site)))
        assert running.process.pid is None


@pytest.mark.asterisk
def test_a_second_one_in_the_same_directory_is_refused_and_the_first_goes_on(
    tmp_path: Path,
) -> None:
    async def play() -> None:
        async with asterisk_running(PLAN, tmp_path) as running:
            second = AsteriskProcess(running.site.pbx, running.site.places)
            with pytest.raises(AsteriskFailed, match="ended with code"):
                await second.start()
            assert "Asterisk 2" in await running.process.cli("core show version")

    asyncio.run(play())


@pytest.mark.asterisk
def test_a_configuration_that_cannot_run_is_told_with_the_logs_end(tmp_path: Path) -> None:
    running = prepare(PLAN, tmp_path)
    running.process.write({"modules.conf": "[modules]\nautoload = no\nrequire = nothing.so\n"})
    with pytest.raises(AsteriskFailed, match=r"nothing\.so"):
        asyncio.run(running.process.start())
    assert running.process.pid is None


@pytest.mark.asterisk
def test_a_path_of_any_length_will_do(tmp_path: Path) -> None:
    async def play() -> None:
        async with asterisk_running(PLAN, tmp_path / ("Каталог с пробелами" * 3)) as running:
            socket_path = running.process.places.socket / "asterisk.ctl"
            assert len(bytes(socket_path)) < 108
            assert "Asterisk 2" in await running.process.cli("core show version")
        assert not running.process.places.socket.exists()

    asyncio.run(play())


@pytest.mark.asterisk
def test_a_killed_one_can_be_started_again_in_its_directory(tmp_path: Path) -> None:
    async def play() -> None:
        async with asterisk_running(PLAN, tmp_path) as running:
            running.process.kill()
            assert await running.process.wait() == -signal.SIGKILL
            with pytest.raises(AsteriskFailed, match="not there"):
                await running.process.cli("core show version")
            await running.process.start(promises=provision.promises(running.site))
            assert running.process.pid is not None

    asyncio.run(play())


@pytest.mark.asterisk
def test_a_stopped_one_that_answers_nothing_is_killed(tmp_path: Path) -> None:
    async def play() -> None:
        async with asterisk_running(PLAN, tmp_path) as running:
            pid = running.process.pid
            assert pid is not None
            running.process.signal(signal.SIGSTOP)
            with pytest.raises(AsteriskFailed, match="silent"):
                await running.process.cli("core show version", timeout_s=0.3)
            await running.process.stop(grace_s=0.3)
            assert not lives(pid)

    asyncio.run(play())


@pytest.mark.asterisk
def test_the_log_is_cut_at_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "LOG_BYTES_MAX", 50_000)

    async def play() -> None:
        async with asterisk_running(PLAN, tmp_path) as running:
            log = running.process.places.log / "messages"
            with log.open("a") as file:
                file.write("x" * 60_000)
            running.process.tend()
            assert log.stat().st_size < 50_000
            await running.process.cli("dialplan reload")
            await until(lambda: "strongly discouraged" in log.read_text(), 3)
            assert log.read_text().startswith("[")

    asyncio.run(play())


def test_cel_is_put_aside_in_segments_and_old_ones_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "CEL_BYTES_MAX", 100)
    running = prepare(PLAN, tmp_path)
    cel = running.process.places.cel
    cel.write_text("x" * 200)
    old = cel.with_name("cel.csv.1")
    old.write_text("long ago")
    os.utime(old, (0, 0))
    running.process.tend()
    (segment,) = cel.parent.glob("cel.csv*")
    assert segment.name.startswith("cel.csv.")
    assert segment.read_text() == "x" * 200


def test_somebody_elses_socket_directory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    places = directories(tmp_path / ("long" * 30))
    assert places.socket.parent == tmp_path
    (tmp_path / "elsewhere").mkdir()
    places.socket.symlink_to(tmp_path / "elsewhere")
    nowhere = Pbx(("asterisk",), {}, tmp_path, tmp_path, "22.10.1", None)
    with pytest.raises(AsteriskFailed, match="somebody else"):
        AsteriskProcess(nowhere, places).write({})


def test_a_path_too_long_for_asterisk_is_told_at_once(tmp_path: Path) -> None:
    nowhere = Pbx(("asterisk",), {}, tmp_path, tmp_path, "22.10.1", None)
    with pytest.raises(AsteriskFailed, match="too long"):
        AsteriskProcess(nowhere, directories(tmp_path / ("x" * 200))).write({})
