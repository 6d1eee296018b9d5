"""`perezvon ledger`: how every inbound attempt ended. Exit status 1 when the sums disagree."""

import json

import typer

from perezvon.cli.common import LANG, Lang, opened_books, settings, since_of
from perezvon.cli.words import BALANCE, LEDGER

app = typer.Typer()


@app.command("ledger")
def show(
    since: str = typer.Option(None, "--since", help="24h, 7d, 2026-09-21, 2026-09-21T12:00"),
    as_json: bool = typer.Option(False, "--json", help="For programs / Для программ"),
    lang: Lang = LANG,
) -> None:
    """How every inbound attempt ended / Чем закончилось каждое обращение."""
    from perezvon.store import ledger  # noqa: PLC0415 - SQLAlchemy takes its time

    ours = settings()
    language = lang or ours.language
    with opened_books(ours) as books:
        counted = ledger.count(books.stored, since_of(since, books, language))
    counts = counted.as_dict()
    if as_json:
        print(json.dumps(counts))
    else:
        width = max(len(words[language]) for words in LEDGER.values())
        for key, words in LEDGER.items():
            print(f"{words[language].ljust(width)}  {counts[key]:>7}")
        print(BALANCE[counted.balanced][language])
        for line in counted.wrong:
            print(f"- {line}")
    raise typer.Exit(0 if counted.balanced else 1)
