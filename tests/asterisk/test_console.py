"""The client of the switch's command line: what is asked at once, and what limits an answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from perezvon.asterisk import console

WHO = b"vm/123/22.10.1\n"
READ_BYTES = 512
"""What Asterisk reads at once."""


@asynccontextmanager
async def command_line(
    place: Path, answer: Callable[[bytes], Awaitable[bytes]]
) -> AsyncIterator[list[bytes]]:
    """One that says who it is, and to what it reads at once what `answer` makes of it."""
    asked: list[bytes] = []
    lines: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(writer)
        asked.append(await reader.read(READ_BYTES))
        writer.write(WHO + await answer(asked[-1]))
        writer.close()

    server = await asyncio.start_unix_server(serve, place / console.SOCKET)
    try:
        yield asked
    finally:
        server.close()
        for line in lines:
            line.transport.abort()


async def echo(question: bytes) -> bytes:
    return question.removeprefix(console.PREFIX).replace(b"\0", b"\n")


def test_what_fits_into_one_question_is_asked_in_one(tmp_path: Path) -> None:
    async def test() -> None:
        async with command_line(tmp_path, echo) as asked:
            who, text = await console.ask(tmp_path, "first", "second", timeout_s=5)
            assert (who, text) == ("vm/123/22.10.1", "first\nsecond\n")
            assert asked == [b"cli quit after first\0second\0"]

    asyncio.run(test())


def test_more_than_the_switch_reads_at_once_is_asked_in_turn_and_nothing_is_cut(
    tmp_path: Path,
) -> None:
    commands = [f"pjsip qualify {'a' * 60}-{n}" for n in range(20)]

    async def test() -> None:
        async with command_line(tmp_path, echo) as asked:
            _, text = await console.ask(tmp_path, *commands, timeout_s=5)
            assert text.splitlines() == commands
            assert 1 < len(asked) < len(commands)

    asyncio.run(test())


def test_an_answer_without_an_end_is_cut_at_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "ANSWER_BYTES_MAX", 100_000)

    async def endless(_question: bytes) -> bytes:
        return b"x" * 10_000_000

    async def test() -> None:
        async with command_line(tmp_path, endless):
            _, text = await console.ask(tmp_path, "speak", timeout_s=5)
            assert 0 < len(text) < 1_000_000

    asyncio.run(test())


def test_a_command_line_that_is_not_there_or_says_nothing_is_no_answer(tmp_path: Path) -> None:
    async def silent(_question: bytes) -> bytes:
        await asyncio.Event().wait()
        return b""

    async def test() -> None:
        with pytest.raises(console.NoAnswer, match="not there"):
            await console.ask(tmp_path, "anybody", timeout_s=5)
        async with command_line(tmp_path, silent):
            with pytest.raises(console.NoAnswer, match="silent: anybody"):
                await console.ask(tmp_path, "anybody", timeout_s=0.1)
        assert await console.ask(tmp_path, timeout_s=5) == ("", "")

    asyncio.run(test())
