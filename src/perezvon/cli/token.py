"""`perezvon token`: the keys of the API. The store keeps a digest; the secret is shown once."""

from enum import StrEnum
from typing import Annotated

import typer

from perezvon.cli.common import (
    LANG,
    Lang,
    fail,
    opened_views,
    show_table,
)
from perezvon.cli.words import ANSWERS

app = typer.Typer(help="Keys of the API / Ключи API", no_args_is_help=True)


class Scope(StrEnum):
    """What a token may do; each of the first three may what those before it may."""

    READ = "read"
    ACT = "act"
    ADMIN = "admin"
    INTEGRATOR = "integrator"


@app.command("create")
def create(
    name: str = typer.Argument(help="Who will use it / Кто будет пользоваться"),
    scope: Annotated[Scope, typer.Option("--scope")] = Scope.READ,
    quiet: bool = typer.Option(False, "--quiet", help="Print the secret alone / Только ключ"),
    lang: Lang = LANG,
) -> None:
    """Make a token and show its secret / Создать ключ и показать его."""
    from perezvon.store.journal import wall_clock  # noqa: PLC0415 - SQLAlchemy takes its time
    from perezvon.store.paging import BadQuery  # noqa: PLC0415
    from perezvon.store.tokens import create_token  # noqa: PLC0415

    with opened_views(lang) as (views, language):
        try:
            token, secret = create_token(views, name, {scope.value}, wall_clock())
        except BadQuery as error:
            fail(str(error))
    if quiet:
        print(secret)
        return
    print(f"{token.id}  {scope.value}  {secret}")
    print(ANSWERS["token_once"][language])


@app.command("list")
def show(lang: Lang = LANG) -> None:
    """Show tokens without their secrets / Показать ключи без секретов."""
    from perezvon.store.names import Names  # noqa: PLC0415 - SQLAlchemy takes its time
    from perezvon.store.tokens import list_tokens  # noqa: PLC0415

    with opened_views(lang) as (views, _language):
        tokens = list_tokens(views)
    names = Names(None)

    def moment(at: int | None) -> str:
        return "" if at is None else f"{names.moment(at)}Z"

    show_table(
        ("id", "scopes", "name", "created", "used", "revoked"),
        [
            (
                token.id,
                " ".join(sorted(token.scopes)),
                token.name,
                moment(token.created_at),
                moment(token.last_used_at),
                moment(token.revoked_at),
            )
            for token in tokens
        ],
    )


@app.command("revoke")
def revoke(
    id_: str = typer.Argument(metavar="ID", help="From `token list`"), lang: Lang = LANG
) -> None:
    """Make a token worthless / Отозвать ключ."""
    from perezvon.store.journal import wall_clock  # noqa: PLC0415 - SQLAlchemy takes its time
    from perezvon.store.tokens import revoke_token  # noqa: PLC0415

    with opened_views(lang) as (views, language):
        done = revoke_token(views, id_, wall_clock())
    if not done:
        fail(ANSWERS["token_unknown"][language].format(id=id_[:100]))
    print(ANSWERS["token_revoked"][language].format(id=id_))
