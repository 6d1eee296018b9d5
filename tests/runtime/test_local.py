"""The local socket: what an asker hears from an engine that answers, refuses, fails or is away."""

import asyncio
import json
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from perezvon.runtime import local
from perezvon.runtime.board import FOLLOWER_MESSAGES_MAX, Board, Feed, Mirror
from perezvon.runtime.local import LINE_BYTES_MAX, LocalServer, Refused, ask, follow
from perezvon.runtime.ports import Unavailable


async def echo(args: dict[str, Any]) -> dict[str, Any]:
    return {"echo": args}


async def refuse(args: dict[str, Any]) -> dict[str, Any]:
    raise Refused("unknown_agent", f"no agent {args['agent']!r}", "agent")


async def be_busy(_args: dict[str, Any]) -> dict[str, Any]:
    raise Unavailable("the inbox is full")


async def fail(_args: dict[str, Any]) -> dict[str, Any]:
    raise KeyError("our bug")


async def hang(_args: dict[str, Any]) -> dict[str, Any]:
    await asyncio.Event().wait()
    raise AssertionError


ACTIONS = {"echo": echo, "refuse": refuse, "busy": be_busy, "fail": fail, "hang": hang}


def served(
    path: Path, scenario: Callable[[Feed], Awaitable[None]], bugs: list[str] | None = None
) -> None:
    async def run() -> None:
        feed = Feed(Board(1, {"agents": {"ana": {"status": "available"}}}))
        heard = bugs if bugs is not None else []
        server = LocalServer(path, ACTIONS, feed, lambda name, _bug: heard.append(name))
        await server.start()
        try:
            async with asyncio.timeout(20):
                await scenario(feed)
        finally:
            await server.stop()

    asyncio.run(run())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.sock"


def test_an_action_is_answered(path: Path) -> None:
    async def scenario(_feed: Feed) -> None:
        assert await ask(path, "echo", {"text": "Перезвон \u2028"}) == {
            "echo": {"text": "Перезвон \u2028"}
        }

    served(path, scenario)


def test_a_refusal_tells_its_code_message_and_place(path: Path) -> None:
    async def scenario(_feed: Feed) -> None:
        with pytest.raises(Refused) as refused:
            await ask(path, "refuse", {"agent": "nobody"})
        assert (refused.value.code, refused.value.where) == ("unknown_agent", "agent")
        assert refused.value.message == "no agent 'nobody'"
        with pytest.raises(Refused, match="no such action"):
            await ask(path, "nonsense")

    served(path, scenario)


def test_what_is_not_text_is_refused_before_it_is_sent(path: Path) -> None:
    with pytest.raises(Refused, match="not text"):
        asyncio.run(ask(path, "echo", {"agent": "\udcff"}))


def test_an_engine_that_is_busy_or_away_is_unavailable(path: Path) -> None:
    async def scenario(_feed: Feed) -> None:
        with pytest.raises(Unavailable, match="inbox is full"):
            await ask(path, "busy")
        with pytest.raises(Unavailable, match="in time"):
            await ask(path, "hang", timeout_s=0.1)

    served(path, scenario)
    with pytest.raises(Unavailable, match="away"):
        asyncio.run(ask(path, "echo"))


def test_a_bug_in_an_action_is_told_and_does_not_end_the_engine(path: Path) -> None:
    bugs: list[str] = []

    async def scenario(_feed: Feed) -> None:
        with pytest.raises(Refused, match="failed"):
            await ask(path, "fail")
        assert await ask(path, "echo") == {"echo": {}}

    served(path, scenario, bugs)
    assert bugs == ["fail"]


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"[]\n",
        b"{}\n",
        b'{"action": 1}\n',
        b'{"action": "echo", "args": []}\n',
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b'{"action": "echo", "args": {"a": "\\ud800"}}\n',
    ],
)
def test_a_malformed_request_is_refused(path: Path, line: bytes) -> None:
    async def scenario(_feed: Feed) -> None:
        reader, writer = await asyncio.open_unix_connection(path, limit=LINE_BYTES_MAX)
        writer.write(line)
        assert json.loads(await reader.readline())["error"]["code"] == "malformed"
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        assert await ask(path, "echo") == {"echo": {}}

    served(path, scenario)


def test_a_line_without_an_end_is_cut_off(path: Path) -> None:
    async def scenario(_feed: Feed) -> None:
        reader, writer = await asyncio.open_unix_connection(path, limit=LINE_BYTES_MAX)
        writer.write(b"x" * (LINE_BYTES_MAX + 100_000))
        assert json.loads(await reader.readline())["error"]["code"] == "too_large"
        writer.close()
        with pytest.raises(Refused, match="at most"):
            await ask(path, "echo", {"text": "x" * LINE_BYTES_MAX})

    served(path, scenario)


def test_more_clients_than_allowed_are_turned_away(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "CLIENTS_MAX", 3)

    async def scenario(_feed: Feed) -> None:
        held = [await asyncio.open_unix_connection(path) for _ in range(3)]
        with pytest.raises(Unavailable, match=r"too many|away"):
            await ask(path, "echo")
        held[0][1].close()
        await held[0][1].wait_closed()
        async with asyncio.timeout(5):
            while True:
                try:
                    assert await ask(path, "echo") == {"echo": {}}
                    break
                except Unavailable:
                    await asyncio.sleep(0.01)
        for _reader, writer in held[1:]:
            writer.close()

    served(path, scenario)


def test_a_follower_sees_the_board_and_its_changes(path: Path) -> None:
    async def scenario(feed: Feed) -> None:
        mirror = Mirror()
        messages = follow(path)
        mirror.take(await anext(messages))
        assert mirror.board.sections == {"agents": {"ana": {"status": "available"}}}
        feed.publish(Board(2, {"agents": {"ana": {"status": "talking"}}}))
        message = await anext(messages)
        assert (message["type"], message["number"]) == ("delta", 1)
        mirror.take(message)
        assert mirror.board == Board(2, {"agents": {"ana": {"status": "talking"}}})
        await messages.aclose()
        async with asyncio.timeout(5):
            while feed._followers:
                await asyncio.sleep(0.01)

    served(path, scenario)


def test_a_follower_who_does_not_read_gets_a_new_snapshot(path: Path) -> None:
    async def scenario(feed: Feed) -> None:
        messages = follow(path)
        await anext(messages)
        long = "x" * 50_000
        for n in range(1, 200):
            feed.publish(Board(n, {"agents": {"ana": {"reason": f"{n} {long}"}}}))
            await asyncio.sleep(0)
        assert all(len(one._pending) <= FOLLOWER_MESSAGES_MAX for one in feed._followers)
        numbers: list[int] = []
        kinds: list[str] = []
        while not numbers or numbers[-1] < 199:
            message = await anext(messages)
            numbers.append(message["number"])
            kinds.append(message["type"])
        assert "snapshot" in kinds
        assert len(numbers) < 199
        await messages.aclose()

    served(path, scenario)


def test_a_follower_hears_when_the_engine_goes(path: Path) -> None:
    async def run() -> None:
        server = LocalServer(path, {}, Feed())
        await server.start()
        messages = follow(path)
        await anext(messages)
        await server.stop()
        with pytest.raises(Unavailable):
            await anext(messages)

    asyncio.run(run())


def test_only_the_owner_may_open_the_socket_and_it_goes_with_the_engine(path: Path) -> None:
    async def scenario(_feed: Feed) -> None:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    served(path, scenario)
    assert not path.exists()


def test_a_stale_socket_file_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    assert path.exists()

    async def scenario(_feed: Feed) -> None:
        assert await ask(path, "echo") == {"echo": {}}

    served(path, scenario)


def test_a_living_engine_and_a_foreign_file_are_left_alone(path: Path) -> None:
    async def scenario(_feed: Feed) -> None:
        with pytest.raises(Refused, match="another engine"):
            await LocalServer(path, {}, Feed()).start()
        assert await ask(path, "echo") == {"echo": {}}

    served(path, scenario)
    path.write_text("precious")
    with pytest.raises(Refused, match="another file"):
        asyncio.run(LocalServer(path, {}, Feed()).start())
    assert path.read_text() == "precious"


def test_a_path_that_is_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="at most"):
        asyncio.run(LocalServer(tmp_path / ("x" * 120), {}, Feed()).start())
