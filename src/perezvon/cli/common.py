"""What commands share: settings, the books, words in two languages, and text fit for a terminal."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, NoReturn, TypeAlias
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from perezvon.settings import Settings
    from perezvon.store.books import Books
    from perezvon.store.database import Database

Language: TypeAlias = Literal["ru", "en"]
Words: TypeAlias = dict[Language, str]

FAILED: Final = 1
NOT_THERE: Final = 2
"""Exit status: nothing is wrong with what was asked, but the system is not there to be asked."""

UNIT_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_AGO: Final = re.compile(r"(\d{1,6})([smhd])")
_MOMENT: Final = re.compile(r"\d{12,15}")

TEXTS: Final[dict[str, Words]] = {
    "no_store": {
        "ru": "Здесь ещё ничего не записано: {place}. Запустите perezvon up.",
        "en": "Nothing is kept here yet: {place}. Run perezvon up.",
    },
    "store_away": {
        "ru": "База данных недоступна: {what}",
        "en": "The database is away: {what}",
    },
    "engine_away": {
        "ru": "Perezvon не работает (или не отвечает). Запустите perezvon up.",
        "en": "Perezvon is not running (or does not answer). Run perezvon up.",
    },
    "bad_since": {
        "ru": "--since: нужны 30m, 24h, 7d, дата 2026-09-21 или 2026-09-21T12:00",
        "en": "--since: give 30m, 24h, 7d, a date 2026-09-21 or 2026-09-21T12:00",
    },
}

Lang: TypeAlias = Language | None
LANG: Final = typer.Option(None, "--lang", help="ru | en")


def settings() -> "Settings":
    from perezvon import settings as settings_of  # noqa: PLC0415 - pydantic takes its time

    try:
        return settings_of.load()
    except settings_of.SettingsError as error:
        fail(str(error))


@contextmanager
def opened_books(ours: "Settings") -> Iterator["Books"]:
    """The store, copied up to now, with or without a running system."""
    from perezvon.runtime.ports import Unavailable  # noqa: PLC0415 - SQLAlchemy takes its time
    from perezvon.store.books import Books  # noqa: PLC0415
    from perezvon.store.database import Location, Name  # noqa: PLC0415

    location = Location(ours.data_dir, ours.database_url or "")
    if location.is_sqlite and not location.file(Name.JOURNAL).exists():
        # Before anything is opened: that would leave an empty database in a wrong folder.
        fail(TEXTS["no_store"][ours.language].format(place=ours.data_dir), NOT_THERE)
    try:
        books = Books.open(location)
        try:
            books.complete()
            yield books
        finally:
            books.close()
    except Unavailable as error:
        fail(TEXTS["store_away"][ours.language].format(what=error), NOT_THERE)


def fail(text: str, status: int = FAILED) -> NoReturn:
    print(plain(text), file=sys.stderr)
    raise typer.Exit(status)


def plain(text: str) -> str:
    """Text from the world, without what could steer a terminal."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)


def word(table: Mapping[str, Words], key: str, language: Language) -> str:
    """A code that this release does not know is shown as it is."""
    found = table.get(key)
    return key if found is None else found[language]


def moment(text: str, now: int, zone: str) -> int | None:
    """`24h` ago, a date or a time of day in this zone, or milliseconds; None when none of these."""
    if ago := _AGO.fullmatch(text):
        return max(0, now - int(ago[1]) * UNIT_MS[ago[2]])
    if _MOMENT.fullmatch(text):
        return int(text)
    try:
        when = datetime.fromisoformat(text)
        if when.tzinfo is None:
            when = when.replace(tzinfo=ZoneInfo(zone))
        return int(when.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def since_of(text: str | None, books: "Books", language: Language) -> int | None:
    from perezvon.store.journal import wall_clock  # noqa: PLC0415 - SQLAlchemy takes its time
    from perezvon.store.names import Names  # noqa: PLC0415

    if text is None:
        return None
    at = moment(text, wall_clock(), Names(books.plan()).zone)
    if at is None:
        fail(TEXTS["bad_since"][language])
    return at


def show_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they need to be; wide cells are never cut, so that a pipe gets all."""
    cells = [[plain(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for row in cells:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


@contextmanager
def opened_views(lang: Lang) -> Iterator[tuple["Database", Language]]:
    """For what may be made before the first start: the store is made where there is none."""
    from perezvon.runtime.ports import Unavailable  # noqa: PLC0415 - SQLAlchemy takes its time
    from perezvon.settings import SettingsError  # noqa: PLC0415
    from perezvon.store.database import Location, open_views  # noqa: PLC0415

    ours = settings()
    language = lang or ours.language
    try:
        ours.prepare()
        views = open_views(Location(ours.data_dir, ours.database_url or ""))
        try:
            yield views, language
        finally:
            views.close()
    except SettingsError as error:
        fail(str(error))
    except Unavailable as error:
        fail(TEXTS["store_away"][language].format(what=error), NOT_THERE)
