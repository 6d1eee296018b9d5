"""`perezvon explain CALL`: why a call or a debt went as it did."""

import typer

from perezvon.cli.common import LANG, Lang, fail, opened_books, plain, settings
from perezvon.cli.words import ANSWERS

app = typer.Typer()


@app.command("explain")
def show(
    id_: str = typer.Argument(metavar="CALL", help="Id of a call or a debt / Номер записи"),
    lang: Lang = LANG,
    full: bool = typer.Option(
        False, "--full", help="Each offer by itself / Каждый вызов оператора отдельно"
    ),
) -> None:
    """Why a call or a debt went as it did / Почему со звонком вышло так."""
    from perezvon.metrics.explanation import explain, render  # noqa: PLC0415 - for a quick start
    from perezvon.store.explanations import story_of_call, story_of_debt  # noqa: PLC0415
    from perezvon.store.names import Names  # noqa: PLC0415

    ours = settings()
    language = lang or ours.language
    with opened_books(ours) as books:
        facts = story_of_call(books.stored, id_) or story_of_debt(books.stored, id_)
        names = Names(books.plan())
    if not facts:
        fail(ANSWERS["unknown_story"][language].format(id=id_[:100]))
    lines = explain(facts) if not full else [line for fact in facts for line in explain([fact])]
    print(names.day(facts[0].at), names.zone)
    for text in render(lines, language, names.clock_since(facts[0].at), names.of):
        print(plain(text))
