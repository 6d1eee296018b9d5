"""The switch's command line, over its socket as `asterisk -rx` speaks to it: no process, no port.

For what ARI has no word for, and with texts of ours alone. A question takes half a millisecond; a
manager interface (AMI) for the same would take a sixth of Asterisk's time for each call, whether
anybody listens or not. See the decision on it.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

SOCKET = "asterisk.ctl"

QUESTION_BYTES_MAX = 500
"""Asterisk reads 512 at once, and takes what is in them for the commands."""

ANSWER_BYTES_MAX = 4_000_000
PREFIX = b"cli quit after "


class NoAnswer(Exception):  # noqa: N818 - the condition, as a person would call it
    """Nobody is there, or says nothing in time."""


async def ask(directory: Path, *commands: str, timeout_s: float) -> tuple[str, str]:
    """Who answers (`host/pid/version`), and what; nothing for no command. `NoAnswer`."""
    who, texts = "", []
    try:
        async with asyncio.timeout(timeout_s):
            for question in _questions(commands):
                who, _, text = (await _ask(directory / SOCKET, question)).partition("\n")
                texts.append(text)
    except TimeoutError:
        raise NoAnswer(f"Asterisk's command line was silent: {commands[0]}") from None
    except OSError as error:
        raise NoAnswer(f"Asterisk's command line is not there: {error}") from error
    return who, "".join(texts)


async def _ask(socket: Path, question: bytes) -> str:
    reader, writer = await asyncio.open_unix_connection(socket)
    answer = b""
    with contextlib.closing(writer):
        writer.write(question)
        while len(answer) < ANSWER_BYTES_MAX and (part := await reader.read(65_536)):
            answer += part
    return answer.decode(errors="replace")


def _questions(commands: tuple[str, ...]) -> Iterator[bytes]:
    """As many commands in each as Asterisk reads at once."""
    question = PREFIX
    for command in commands:
        assert command.isprintable(), command
        line = command.encode() + b"\0"
        assert len(PREFIX) + len(line) <= QUESTION_BYTES_MAX, command
        if len(question) + len(line) > QUESTION_BYTES_MAX:
            yield question
            question = PREFIX
        question += line
    if question != PREFIX:
        yield question
