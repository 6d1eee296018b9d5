"""`perezvon ledger`: how every inbound attempt ended, and what the second witness says of it.

Exit status 1 when the sums disagree, or the two accounts do.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from perezvon.cli.common import LANG, Lang, Language, opened_books, settings, since_of
from perezvon.cli.words import BALANCE, LEDGER, NO_WITNESS, RECONCILED, RECONCILIATION

if TYPE_CHECKING:
    from perezvon.store.reconciliation import Reconciliation

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
        width = max(len(words[language]) for words in (LEDGER | RECONCILIATION).values())
        for key, words in LEDGER.items():
            print(f"{words[language].ljust(width)}  {counts[key]:>7}")
        print(BALANCE[counted.balanced][language])
        for line in counted.wrong:
            print(f"- {line}")
        print()
        for line in _reconciled(counted.reconciliation, language, width):
            print(line)
    raise typer.Exit(0 if counted.balanced and not counted.reconciliation.difference else 1)


def _reconciled(counts: "Reconciliation", language: Language, width: int) -> Iterator[str]:
    """The two accounts of the same attempts, below each other."""
    if not counts.has_witness:
        yield NO_WITNESS[language]
        return
    for key, words in RECONCILIATION.items():
        yield f"{words[language].ljust(width)}  {getattr(counts, key):>7}"
    yield RECONCILED[counts.difference == 0][language]
