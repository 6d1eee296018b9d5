"""`perezvon watch`: the live board in a terminal. Looks on only; Ctrl-C ends it."""

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from perezvon.cli.common import LANG, NOT_THERE, TEXTS, Lang, Language, fail, settings

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from perezvon.runtime.board import Board, Mirror
    from perezvon.store.names import Names

app = typer.Typer()

PERIOD_S: Final = 0.5
AGAIN_AFTER_S: Final = 1.0
PIPE_HEIGHT: Final = 200
"""Rows for who is not a terminal: nothing is cut."""


@app.command("watch")
def watch(
    once: bool = typer.Option(False, "--once", help="One frame, then end / Один кадр"),
    lang: Lang = LANG,
) -> None:
    """The live board / Табло."""
    from rich.console import Console  # noqa: PLC0415 - it takes its time

    from perezvon.runtime.ports import Unavailable  # noqa: PLC0415

    ours = settings()
    language = lang or ours.language
    names = _names(ours.data_dir, ours.database_url or "")
    console = Console(highlight=False)
    try:
        if once:
            asyncio.run(_once(console, ours.engine_socket, language, names))
        else:
            asyncio.run(_stay(console, ours.engine_socket, language, names))
    except Unavailable:
        fail(TEXTS["engine_away"][language], NOT_THERE)
    except KeyboardInterrupt:
        raise typer.Exit from None


async def _once(console: "Console", path: Path, language: Language, names: "Names") -> None:
    from perezvon.runtime.board import Mirror  # noqa: PLC0415 - for a quick start
    from perezvon.runtime.local import follow  # noqa: PLC0415

    mirror = Mirror()
    async with contextlib.aclosing(follow(path)) as messages:
        async for message in messages:
            mirror.take(message)
            break
    console.print(_shown(console, mirror.board, language, names))


async def _stay(console: "Console", path: Path, language: Language, names: "Names") -> None:
    """Draw as long as the watcher likes; an engine that goes away is waited for."""
    from rich.live import Live  # noqa: PLC0415 - it takes its time

    from perezvon.runtime.board import Board, Mirror  # noqa: PLC0415

    seen = [Mirror()]
    following = asyncio.create_task(_follow(path, seen))
    try:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while not following.done():
                board = seen[0].board
                if seen[0].number is None:
                    board = Board(board.at, board.sections | {"guard": {}})
                live.update(_shown(console, board, language, names), refresh=True)
                await asyncio.sleep(PERIOD_S)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _follow(path: Path, seen: "list[Mirror]") -> None:
    from perezvon.runtime.board import Gap, Mirror  # noqa: PLC0415 - for a quick start
    from perezvon.runtime.local import Refused, follow  # noqa: PLC0415
    from perezvon.runtime.ports import Unavailable  # noqa: PLC0415

    while True:
        fresh = Mirror()
        with contextlib.suppress(Unavailable, Refused, Gap):
            async with contextlib.aclosing(follow(path)) as messages:
                async for message in messages:
                    fresh.take(message)
                    seen[0] = fresh
        lost = Mirror()
        lost.board = seen[0].board
        seen[0] = lost
        await asyncio.sleep(AGAIN_AFTER_S)


def _shown(
    console: "Console", board: "Board", language: Language, names: "Names"
) -> "RenderableType":
    from perezvon.cli.frames import View, frame  # noqa: PLC0415 - for a quick start
    from perezvon.store.journal import wall_clock  # noqa: PLC0415

    now = wall_clock()
    height = console.size.height if console.is_terminal else PIPE_HEIGHT
    view = View(language, now, names.clock_since(now), height)
    return frame(board.sections, view)


def _names(directory: Path, url: str) -> "Names":
    """For the zone only; the board has the names."""
    from perezvon.runtime.ports import Unavailable  # noqa: PLC0415 - for a quick start
    from perezvon.store.database import Location, open_journal_reader  # noqa: PLC0415
    from perezvon.store.names import Names  # noqa: PLC0415
    from perezvon.store.plans import newest_plan  # noqa: PLC0415

    try:
        journal = open_journal_reader(Location(directory, url))
        try:
            with journal.read() as connection:
                return Names(newest_plan(connection))
        finally:
            journal.close()
    except Unavailable:
        return Names(None)
