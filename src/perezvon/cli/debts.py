"""`perezvon debts`: whom we owe a call, who sees to it and until when."""

import dataclasses
import json
from typing import Annotated

import typer

from perezvon.cli.common import LANG, Lang, opened_books, settings, show_table, word
from perezvon.cli.words import ANSWERS, BOARD, HEADS, STATES

app = typer.Typer()


@app.command("debts")
def show(
    limit: Annotated[int, typer.Option("--limit", min=1, max=500)] = 50,
    everything: bool = typer.Option(False, "--all", help="Settled ones too / И закрытые"),
    as_json: bool = typer.Option(False, "--json", help="For programs / Для программ"),
    lang: Lang = LANG,
) -> None:
    """Whom we owe a call / Кому мы должны перезвонить."""
    from perezvon.store.debts import DebtState, Wanted, list_debts  # noqa: PLC0415 - for a quick start
    from perezvon.store.names import Names  # noqa: PLC0415

    ours = settings()
    language = lang or ours.language
    with opened_books(ours) as books:
        states = () if everything else (DebtState.OPEN,)
        rows = list_debts(books.stored, Wanted(states=states), limit=limit).items
        persons = books.persons(row.person for row in rows)
        names = Names(books.plan())
    numbers = {id_: person.number for id_, person in persons.items()}
    if as_json:
        for row in rows:
            known = {"number": numbers.get(row.person)}
            print(json.dumps(dataclasses.asdict(row) | known, ensure_ascii=False))
        return
    if not rows:
        print(ANSWERS["empty"][language])
        return

    def moment(at: int | None) -> str:
        return "" if at is None else names.moment(at)

    head = ("opened", "client", "state", "owner", "due", "next", "attempts", "calls", "id")
    show_table(
        [HEADS[key][language] for key in head],
        [
            (
                moment(row.opened_at),
                numbers.get(row.person, BOARD["withheld"][language]),
                word(STATES, row.state, language),
                names.of("agent", row.owner or ""),
                moment(row.due_at),
                moment(row.next_attempt_at),
                str(row.attempts),
                str(row.calls),
                row.id,
            )
            for row in rows
        ],
    )
