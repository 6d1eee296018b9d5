"""`perezvon explain CALL`: why a call or a debt went as it did."""

from typing import TYPE_CHECKING

import typer

from perezvon.cli.common import (
    LANG,
    NOT_THERE,
    Lang,
    Language,
    fail,
    opened_books,
    plain,
    settings,
    word,
)
from perezvon.cli.words import ANSWERS, STATUSES, WHY

if TYPE_CHECKING:
    from perezvon.store.books import Books
    from perezvon.store.facts import FactRow
    from perezvon.store.names import Names

app = typer.Typer()


@app.command("explain")
def show(
    id_: str = typer.Argument(metavar="CALL", help="Id of a call or a debt / Код звонка или долга"),
    lang: Lang = LANG,
    full: bool = typer.Option(
        False, "--full", help="How everybody stood at each choice / Кто как стоял при выборе"
    ),
) -> None:
    """Why a call or a debt went as it did / Почему со звонком вышло так."""
    from perezvon.metrics.explanation import explain, render  # noqa: PLC0415 - for a quick start
    from perezvon.store.explanations import rows_of_call, rows_of_debt  # noqa: PLC0415
    from perezvon.store.names import Names  # noqa: PLC0415

    ours = settings()
    language = lang or ours.language
    with opened_books(ours) as books:
        rows = rows_of_call(books.stored, id_) or rows_of_debt(books.stored, id_)
        if not rows:
            fail(ANSWERS["unknown_story"][language].format(id=id_[:100]))
        names = Names(books.plan())
        start = rows[0].fact.at
        print(names.day(start), names.zone)
        lines = explain(row.fact for row in rows)
        for text in render(lines, language, names.clock_since(start), names.of):
            print(plain(text))
        if full:
            _show_choices(books, rows, names, language)


def _show_choices(
    books: "Books", rows: "list[FactRow]", names: "Names", language: Language
) -> None:
    from perezvon.metrics.explanation_words import WORDS  # noqa: PLC0415 - for a quick start
    from perezvon.store.replay import TooLongAgo  # noqa: PLC0415

    clock = names.clock_since(rows[0].fact.at)
    try:
        choices = books.decisions(rows)
    except TooLongAgo as reason:
        fail(ANSWERS["too_long_ago"][language].format(why=reason), NOT_THERE)
    for choice in choices:
        offer = choice.offer
        print()
        print(plain(f"{clock(offer.at)}  {names.of('queue', offer.queue)}, {offer.offer}"))
        for one in choice.people:
            status = word(STATUSES, one.status, language)
            why = word(WHY | WORDS["excluded"], one.why, language)
            since = clock(one.since_at)
            name = names.of("agent", one.agent)
            print(plain(f"  {name}: {why} ({status}, {since} {one.reason}".rstrip() + ")"))
