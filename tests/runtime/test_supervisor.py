"""The supervisor with real little programs: restarted alone, stopped in order, none left."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from perezvon.runtime import supervisor as sv
from perezvon.runtime.supervisor import Backoff, Child, Happening, StartError, Supervisor, What

DEADLINE_S = 15
FOREVER = "import signal\nprint('here', flush=True)\nwhile True: signal.pause()"
STUBBORN = (
    "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('here', flush=True)\nwhile True: signal.pause()"
)
QUICK = Backoff(waits_ms=(20, 40, 60))


def child(tmp: Path, name: str, code: str, **more: object) -> Child:
    kwargs = {"backoff": QUICK, "stop_ms": 300, "alive_every_ms": 30, "alive_wait_ms": 500, **more}
    log = tmp / f"{name}.log"
    return Child(name, (sys.executable, "-u", "-c", code), log, **kwargs)  # type: ignore[arg-type]


def says(log: Path, word: str) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return word in sv.tail_of(log)

    return check


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.01)


def is_running(pid: int) -> bool:
    """A zombie that its new parent did not collect yet does not run."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def running(supervisor: Supervisor, name: str) -> int:
    pid = supervisor.pid_of(name)
    assert pid is not None
    return pid


def test_a_killed_child_comes_back_alone(tmp_path: Path) -> None:
    async def story() -> None:
        supervisor = Supervisor([child(tmp_path, n, FOREVER) for n in ("engine", "web")])
        await supervisor.start()
        engine, web = running(supervisor, "engine"), running(supervisor, "web")
        os.kill(engine, signal.SIGKILL)
        await until(lambda: supervisor.pid_of("engine") not in {None, engine})
        assert supervisor.pid_of("web") == web
        await supervisor.stop()

    asyncio.run(story())


def test_the_first_restart_is_within_a_second_by_default(tmp_path: Path) -> None:
    async def story() -> None:
        supervisor = Supervisor([child(tmp_path, "engine", FOREVER, backoff=Backoff())])
        await supervisor.start()
        engine = running(supervisor, "engine")
        killed_at = asyncio.get_running_loop().time()
        os.kill(engine, signal.SIGKILL)
        await until(lambda: supervisor.pid_of("engine") not in {None, engine})
        assert asyncio.get_running_loop().time() - killed_at < 1
        await supervisor.stop()

    asyncio.run(story())


def test_in_a_storm_the_waits_grow_and_it_is_never_given_up(tmp_path: Path) -> None:
    starts: list[float] = []

    def note(happening: Happening) -> None:
        if happening.what is What.STARTED:
            starts.append(asyncio.get_running_loop().time())

    async def story() -> None:
        broken = child(tmp_path, "engine", "pass", backoff=Backoff(waits_ms=(10, 100, 200)))
        supervisor = Supervisor([broken], tell=note)
        await supervisor.start()
        await until(lambda: len(starts) >= 7)
        await supervisor.stop()

    asyncio.run(story())
    gaps = [late - early for early, late in itertools.pairwise(starts)]
    assert gaps[0] < gaps[-1]
    assert all(gap >= 0.2 for gap in gaps[3:])


def test_a_spare_that_is_loaded_takes_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sv, "SPARE_AFTER_MS", 10)
    loaded_then_here = (
        "import os, signal, sys\nprint('loaded', os.getpid(), flush=True)\n"
        "sys.stdin.readline()\nprint('here', os.getpid(), flush=True)\n"
        "while True: signal.pause()"
    )

    async def story() -> None:
        log = tmp_path / "engine.log"
        supervisor = Supervisor([child(tmp_path, "engine", loaded_then_here, spare=True)])
        await supervisor.start()

        async def killed_and_taken_over() -> None:
            await until(lambda: supervisor.spare_of("engine") is not None)
            spare = supervisor.spare_of("engine")
            await until(lambda: f"loaded {spare}" in sv.tail_of(log))
            assert f"here {spare}" not in sv.tail_of(log)
            os.kill(running(supervisor, "engine"), signal.SIGKILL)
            await until(lambda: supervisor.pid_of("engine") == spare)
            await until(lambda: f"here {spare}" in sv.tail_of(log))

        await killed_and_taken_over()
        await killed_and_taken_over()
        # A spare that is gone is no harm: the next one is loaded anew.
        await until(lambda: supervisor.spare_of("engine") is not None)
        lost, active = supervisor.spare_of("engine"), running(supervisor, "engine")
        assert lost is not None
        os.kill(lost, signal.SIGKILL)
        await until(lambda: supervisor.spare_of("engine") is None)
        os.kill(active, signal.SIGKILL)
        await until(lambda: supervisor.pid_of("engine") not in {None, active, lost})
        await until(lambda: f"here {supervisor.pid_of('engine')}" in sv.tail_of(log))
        await supervisor.stop()

    asyncio.run(story())


def test_children_start_one_after_the_other_and_stop_in_reverse(tmp_path: Path) -> None:
    told: list[tuple[str, What]] = []

    async def story() -> None:
        names = ("asterisk", "engine", "web")
        children = [
            child(tmp_path, n, FOREVER, ready=says(tmp_path / f"{n}.log", "here")) for n in names
        ]
        supervisor = Supervisor(children, tell=lambda h: told.append((h.name, h.what)))
        await supervisor.start()
        pids = [running(supervisor, name) for name in names]
        await supervisor.stop()
        assert not any(is_running(pid) for pid in pids)

    asyncio.run(story())
    started = [name for name, what in told if what is What.READY]
    stopped = [name for name, what in told if what is What.STOPPED]
    assert started == ["asterisk", "engine", "web"]
    assert stopped == ["web", "engine", "asterisk"]
    assert told.index(("asterisk", What.READY)) < told.index(("engine", What.STARTED))


def test_a_child_that_follows_nobody_does_not_wait(tmp_path: Path) -> None:
    async def story() -> None:
        slow = child(tmp_path, "engine", FOREVER, ready=says(tmp_path / "web.log", "here"))
        web = child(tmp_path, "web", FOREVER, follows=False)
        supervisor = Supervisor([slow, web])
        await supervisor.start()
        assert supervisor.pid_of("web") is not None
        await supervisor.stop()

    asyncio.run(story())


def test_a_child_deaf_to_sigterm_is_killed(tmp_path: Path) -> None:
    async def story() -> None:
        deaf = child(tmp_path, "deaf", STUBBORN, ready=says(tmp_path / "deaf.log", "here"))
        supervisor = Supervisor([deaf])
        await supervisor.start()
        pid = running(supervisor, "deaf")
        await supervisor.stop()
        assert not is_running(pid)

    asyncio.run(story())


def test_a_child_that_does_not_answer_three_times_is_restarted(tmp_path: Path) -> None:
    told: list[Happening] = []
    answers = [(), ("ari",), ("sip",), ("ari",), (), ("ari",), ("ari", "sip"), ("ari", "sip")]

    async def alive() -> tuple[str, ...]:
        return answers.pop(0) if answers else ()

    async def story() -> None:
        supervisor = Supervisor([child(tmp_path, "pbx", FOREVER, alive=alive)], tell=told.append)
        await supervisor.start()
        first = running(supervisor, "pbx")
        await until(lambda: supervisor.pid_of("pbx") not in {None, first})
        assert answers == []
        await supervisor.stop()

    asyncio.run(story())
    assert [h.detail for h in told if h.what is What.HUNG] == ["ari, sip"]


def test_a_frozen_child_is_restarted_too(tmp_path: Path) -> None:
    async def story() -> None:
        log = tmp_path / "pbx.log"
        frozen = False

        async def alive() -> bool:
            return not frozen

        pbx = child(tmp_path, "pbx", FOREVER, alive=sv.names(alive, "pbx"), abort_ms=50)
        supervisor = Supervisor([pbx])
        await supervisor.start()
        await until(lambda: "here" in sv.tail_of(log))
        first = running(supervisor, "pbx")
        os.kill(first, signal.SIGSTOP)
        frozen = True
        await until(lambda: supervisor.pid_of("pbx") not in {None, first})
        frozen = False
        assert not is_running(first)
        await supervisor.stop()

    asyncio.run(story())


@pytest.mark.parametrize("turns", range(4))
def test_a_question_that_is_called_off_ends_at_once(turns: int) -> None:
    """An engine that died while it was asked was missed for 4 s: the answer came together with
    the cancellation, which `asyncio.wait_for` of Python 3.11 swallows.
    """

    async def story() -> None:
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        async def alive() -> bool:
            return await answer

        asking = asyncio.create_task(sv._asked(alive, 60_000, late=False))
        for _ in range(3):
            await asyncio.sleep(0)
        answer.set_result(False)
        for _ in range(turns):
            await asyncio.sleep(0)
        if asking.cancel():
            with pytest.raises(asyncio.CancelledError):
                await asking

    asyncio.run(story())


def test_a_child_that_cannot_start_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    async def story() -> None:
        good = child(tmp_path, "asterisk", FOREVER)
        log = tmp_path / "engine.log"
        bad = child(tmp_path, "engine", "raise SystemExit('no such plan')", ready=says(log, "here"))
        supervisor = Supervisor([good, bad])
        starting = asyncio.create_task(supervisor.start())
        await until(lambda: supervisor.pid_of("asterisk") is not None)
        asterisk = running(supervisor, "asterisk")
        with pytest.raises(StartError, match="engine did not start") as error:
            await starting
        assert "no such plan" in error.value.tail
        assert not is_running(asterisk)

    asyncio.run(story())


def test_a_long_log_is_cut_and_the_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"a" * 2_000)
        sv.cut_log(log, bytes_max=1_000)
        writer.write(b"after")
        sv.cut_log(log, bytes_max=1_000)
    assert log.read_bytes() == b"after"
    assert log.with_name("web.log.1").stat().st_size == 2_000


SUPERVISE = """
import asyncio, sys
from pathlib import Path
from perezvon.runtime.supervisor import Child, Supervisor
async def main():
    code = "import signal\\nwhile True: signal.pause()"
    children = [Child(n, (sys.executable, "-c", code), Path(sys.argv[1]) / n) for n in "ab"]
    supervisor = Supervisor(children)
    await supervisor.start()
    print(supervisor.pid_of("a"), supervisor.pid_of("b"), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        pids = [int(word) for word in supervisor.stdout.readline().split()]
        assert len(pids) == 2
        assert all(is_running(pid) for pid in pids)
        supervisor.kill()
    asyncio.run(until(lambda: not any(is_running(pid) for pid in pids)))
