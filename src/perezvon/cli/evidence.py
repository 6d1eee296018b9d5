"""`perezvon evidence CALL`: all that is known of a call, in one file to hand on."""

from pathlib import Path

import typer

from perezvon.cli.common import LANG, Lang, fail, opened_books, settings
from perezvon.cli.words import ANSWERS, EVIDENCE

app = typer.Typer()


@app.command("evidence")
def show(
    id_: str = typer.Argument(metavar="CALL", help="Id of a call or a debt / Код звонка или долга"),
    out: Path | None = typer.Option(None, "--out", help="The file to make / Какой файл сделать"),
    with_numbers: bool = typer.Option(
        False, "--with-numbers", help="With numbers and names / С номерами и именами"
    ),
    lang: Lang = LANG,
) -> None:
    """All that is known of a call, in one file / Всё о звонке одним файлом."""
    from perezvon.bootstrap import evidence  # noqa: PLC0415 - for a quick start
    from perezvon.bootstrap.evidence_words import MISSING  # noqa: PLC0415

    ours = settings()
    language = lang or ours.language
    path = out or Path(f"evidence-{id_.replace('/', '-')[:60]}.zip")
    with opened_books(ours) as books:
        try:
            bundle = evidence.gather(books, ours, id_, with_numbers=with_numbers)
        except evidence.NotFound:
            fail(ANSWERS["unknown_story"][language].format(id=id_[:100]))
    try:
        evidence.write(bundle, path)
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    print(EVIDENCE["made"][language].format(path=path, count=len(bundle.files)))
    if with_numbers:
        print(EVIDENCE["with_numbers"][language])
    for key, values in sorted(bundle.missing.items()):
        print(f"- {MISSING[key][language].format(**values)}")
