"""`perezvon calls`: the newest inbound attempts and how each stands."""

import dataclasses
import json
from typing import Annotated

import typer

from perezvon.cli.common import LANG, Lang, opened_books, settings, show_table, since_of, word
from perezvon.cli.words import ANSWERS, BOARD, HEADS, STATES

app = typer.Typer()


@app.command("calls")
def show(
    limit: Annotated[int, typer.Option("--limit", min=1, max=500)] = 20,
    since: str = typer.Option(None, "--since", help="24h, 7d, 2026-09-21"),
    as_json: bool = typer.Option(False, "--json", help="For programs / Для программ"),
    lang: Lang = LANG,
) -> None:
    """The newest calls / Последние звонки."""
    from perezvon.metrics.explanation_words import duration  # noqa: PLC0415 - for a quick start
    from perezvon.store.calls import list_calls  # noqa: PLC0415
    from perezvon.store.names import Names  # noqa: PLC0415

    ours = settings()
    language = lang or ours.language
    with opened_books(ours) as books:
        start = since_of(since, books, language)
        rows = list_calls(books.stored, limit=limit, since=start).items
        persons = books.persons(row.person for row in rows)
        names = Names(books.plan())
    numbers = {id_: person.number for id_, person in persons.items()}
    if as_json:
        for row in rows:
            known = {"number": numbers.get(row.person or "")}
            print(json.dumps(dataclasses.asdict(row) | known, ensure_ascii=False))
        return
    if not rows:
        print(ANSWERS["empty"][language])
        return
    head = ("received", "client", "queue", "state", "waited", "agent", "talk", "debt", "id")
    show_table(
        [HEADS[key][language] for key in head],
        [
            (
                names.moment(row.received_at),
                numbers.get(row.person or "", BOARD["withheld"][language]),
                names.of("queue", row.queue),
                word(STATES, row.state, language),
                "" if row.wait_ms is None else duration(row.wait_ms, language),
                names.of("agent", row.agent or ""),
                "" if row.talk_ms is None else duration(row.talk_ms, language),
                row.debt or "",
                row.id,
            )
            for row in rows
        ],
    )
