"""`perezvon plan`, by its command line, against an engine's socket that answers."""

import asyncio
import json
import os
import queue
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from perezvon.cli.plan import app
from perezvon.runtime.board import Board, Feed
from perezvon.runtime.local import LocalServer, Refused
from perezvon.settings import Settings, load
from perezvon.store.plan_file import dump, parse

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "examples/plans/three-phones.yaml"


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of the test's own, with a folder short enough for a socket."""
    for name in list(os.environ):
        if name.startswith("PEREZVON_"):
            monkeypatch.delenv(name)
    with tempfile.TemporaryDirectory(prefix="pv") as folder:
        monkeypatch.setenv("PEREZVON_SETTINGS", "")
        monkeypatch.setenv("PEREZVON_DATA_DIR", f"{folder}/d")
        monkeypatch.setenv("PEREZVON_CACHE_DIR", f"{folder}/c")
        monkeypatch.setenv("PEREZVON_LANGUAGE", "en")
        settings = load()
        settings.prepare()
        yield settings


def run(*words: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, list(words), input=text)


class Desk:
    """An engine's end that keeps one plan and refuses a stale base, as the real one does."""

    def __init__(self) -> None:
        self.plan = parse(SHOP.read_text(encoding="utf-8"))
        self.asked: list[dict[str, Any]] = []

    async def apply(self, args: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(args)
        if args["base"] and args["base"] != self.plan.version and not args["force"]:
            raise Refused("stale_base", f"the running plan is {self.plan.version}", "base")
        was, self.plan = self.plan, parse(args["text"])
        if was.tenant != self.plan.tenant:
            raise Refused("other_tenant", "a plan cannot change its tenant", "tenant")
        return {"version": self.plan.version, "was": was.version}

    async def export(self, _args: dict[str, Any]) -> dict[str, Any]:
        return {"version": self.plan.version, "text": dump(self.plan)}


@pytest.fixture
def desk(ours: Settings) -> Iterator[Desk]:
    """Served from a thread, since the command line has an event loop of its own."""
    desk = Desk()
    stops: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    async def serve() -> None:
        actions = {"plan.apply": desk.apply, "plan.export": desk.export}
        server = LocalServer(ours.engine_socket, actions, Feed(Board(1, {})))
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        await server.start()
        stops.put(lambda: loop.call_soon_threadsafe(done.set))
        await done.wait()
        await server.stop()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    stop = stops.get(timeout=10)
    try:
        yield desk
    finally:
        stop()
        thread.join(10)


def test_a_good_file_is_told_with_its_size_and_version(ours: Settings) -> None:
    result = run("check", str(SHOP))
    assert result.exit_code == 0
    version = parse(SHOP.read_text(encoding="utf-8")).version
    assert "in order: 1 queues, 3 agents, 1 numbers" in result.stdout
    assert version in result.stdout
    assert not ours.engine_socket.exists()


@pytest.mark.parametrize(("language", "words"), [("en", "is missing"), ("ru", "не указано")])
def test_a_wrong_file_is_told_by_file_and_line_in_the_language_of_the_terminal(
    language: str, words: str, tmp_path: Path, ours: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ours.language == "en"
    monkeypatch.setenv("PEREZVON_LANGUAGE", language)
    file = tmp_path / "p.yaml"
    file.write_text("queues:\n  q: {}\n")
    for command in ("check", "apply"):
        result = run(command, str(file))
        assert result.exit_code == 1
        assert f"{file}:1: zone: {words}" in result.stderr
        assert f"{file}:2: queues.q.steps: {words}" in result.stderr


@pytest.mark.usefixtures("ours")
def test_a_file_that_is_not_there_or_not_text_is_an_error_and_no_traceback(tmp_path: Path) -> None:
    result = run("check", str(tmp_path / "none.yaml"))
    assert (result.exit_code, result.stderr.strip()) == (
        1,
        f"{tmp_path / 'none.yaml'}: No such file or directory",
    )
    (tmp_path / "bad.yaml").write_bytes(b"zone: UTC\n\xff")
    assert "bad.yaml:2: is not UTF-8 text" in run("check", str(tmp_path / "bad.yaml")).stderr


@pytest.mark.usefixtures("ours")
def test_a_file_may_come_by_the_input() -> None:
    assert run("check", "-", text=SHOP.read_text(encoding="utf-8")).exit_code == 0


@pytest.mark.usefixtures("ours")
def test_the_schema_is_json() -> None:
    assert json.loads(run("schema").stdout)["title"] == "PlanFile"


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("words", [["export"], ["apply", str(SHOP)]])
def test_an_engine_that_is_away_is_told_plainly(words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 1
    assert "not running here" in result.stderr
    assert "perezvon up" in result.stderr


def test_what_is_exported_can_be_changed_and_applied(desk: Desk, tmp_path: Path) -> None:
    exported = run("export").stdout
    assert parse(exported) == desk.plan
    file = tmp_path / "p.yaml"
    file.write_text(exported.replace("Анна", "Яна"))
    before = desk.plan.version
    result = run("apply", str(file))
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(f"Version {desk.plan.version} is in force; before it {before}.")
    assert desk.plan.agents[0].name == "Яна"
    assert "already" in run("apply", str(file)).stdout


def test_a_stale_base_is_refused_unless_forced(desk: Desk) -> None:
    refused = run("apply", str(SHOP), "--base", "0123")
    assert refused.exit_code == 1
    assert f"the running plan is {desk.plan.version}" in refused.stderr
    assert run("apply", str(SHOP), "--base", "0123", "--force").exit_code == 0
    assert [asked["force"] for asked in desk.asked] == [False, True]


def test_what_the_engine_refuses_is_told_in_its_words(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("tenant: other\n" + SHOP.read_text(encoding="utf-8"))
    result = run("apply", str(file))
    assert (result.exit_code, result.stderr.strip()) == (
        1,
        "Not taken: a plan cannot change its tenant",
    )
    assert desk.asked[0]["by"] == "cli"


def test_wrong_settings_are_told_and_nothing_else_happens(
    ours: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEREZVON_WEB_PORT", "x")
    result = run("check", str(SHOP))
    assert result.exit_code == 1
    assert "variable PEREZVON_WEB_PORT" in result.stderr
    assert ours.web_port == 8080
