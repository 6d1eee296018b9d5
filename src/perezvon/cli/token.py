"""`perezvon token`: the keys of the API. The store keeps a digest; the secret is shown once."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from perezvon.cli.common import (
    LANG,
    NOT_THERE,
    TEXTS,
    Lang,
    Language,
    fail,
    settings,
    show_table,
)
from perezvon.cli.words import ANSWERS

if TYPE_CHECKING:
    from perezvon.store.database import Database

app = typer.Typer(help="Keys of the API / Ключи API", no_args_is_help=True)


class Scope(StrEnum):
    """What a token may do; each may what those before it may."""

    READ = "read"
    ACT = "act"
    ADMIN = "admin"


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

    with _views(lang) as (views, language):
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

    with _views(lang) as (views, _language):
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

    with _views(lang) as (views, language):
        done = revoke_token(views, id_, wall_clock())
    if not done:
        fail(ANSWERS["token_unknown"][language].format(id=id_[:100]))
    print(ANSWERS["token_revoked"][language].format(id=id_))


@contextmanager
def _views(lang: Lang) -> Iterator[tuple["Database", Language]]:
    """Tokens may be made before the first start, so the store is made where there is none."""
    from perezvon.runtime.ports import Unavailable  # noqa: PLC0415 - SQLAlchemy takes its time
    from perezvon.settings import SettingsError  # noqa: PLC0415
    from perezvon.store.database import Location, open_views  # noqa: PLC0415

    ours = settings()
    language = lang or ours.language
    try:
        ours.prepare()
        views = open_views(Location(ours.data_dir, ours.database_url or ""))
        try:
            yield views, language
        finally:
            views.close()
    except SettingsError as error:
        fail(str(error))
    except Unavailable as error:
        fail(TEXTS["store_away"][language].format(what=error), NOT_THERE)
