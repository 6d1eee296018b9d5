"""`perezvon doctor`: looks at the machine and at what runs, and says what to do."""

import sys

import typer

from perezvon import settings as settings_of
from perezvon.bootstrap import doctor as doctor_of

app = typer.Typer()


@app.command("doctor")
def doctor() -> None:
    """Check machine and system; exit 1 on a problem / Проверить машину и систему."""
    try:
        ours = settings_of.load()
    except settings_of.SettingsError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    raise typer.Exit(doctor_of.run(ours, print))
