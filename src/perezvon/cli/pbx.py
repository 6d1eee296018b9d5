"""`perezvon pbx`: the private Asterisk of this user."""

from collections.abc import Callable

import typer

from perezvon import settings as settings_of
from perezvon.asterisk import install

app = typer.Typer(help="Asterisk of this machine / Asterisk этой машины", no_args_is_help=True)

TEXTS = {
    "ready": {
        "en": "Asterisk {version} is ready: {program}",
        "ru": "Asterisk {version} готов: {program}",
    },
    "missing": {
        "en": "There is no Asterisk yet. Bring one: perezvon pbx install",
        "ru": "Asterisk ещё нет. Установить: perezvon pbx install",
    },
}


@app.command("install")
def bring(
    upgrade: bool = typer.Option(
        False, "--upgrade", help="Take newer packages, if there are any / Взять новые пакеты"
    ),
) -> None:
    """Find an Asterisk, or unpack one for this user alone / Найти или распаковать Asterisk."""
    _tell(
        lambda ours: install.ensure(
            ours.asterisk, ours.cache_dir, upgrade=upgrade, say=lambda text: print(text, flush=True)
        )
    )


@app.command()
def status() -> None:
    """Say which Asterisk would run / Показать, какой Asterisk будет запущен."""
    _tell(lambda ours: install.find(ours.asterisk, ours.cache_dir))


def _tell(look: Callable[[settings_of.Settings], install.Pbx | None]) -> None:
    try:
        ours = settings_of.load()
        pbx = look(ours)
    except (settings_of.SettingsError, install.AsteriskMissing) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if pbx is None:
        typer.echo(TEXTS["missing"][ours.language], err=True)
        raise typer.Exit(1)
    print(
        TEXTS["ready"][ours.language].format(version=pbx.version, program=pbx.command[-1])
    )  # fmt: skip
