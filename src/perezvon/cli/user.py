"""`perezvon user`: who may sign in. For the first one, and for who is locked out: whoever has the
terminal of this machine has its store anyway.
"""

import getpass
import secrets
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from perezvon.api.roles import Role
from perezvon.cli.common import LANG, Lang, Language, fail, opened_views, show_table
from perezvon.cli.words import ANSWERS, HEADS

if TYPE_CHECKING:
    from perezvon.store.database import Database

app = typer.Typer(help="Who may sign in / Кто может входить", no_args_is_help=True)

WORD_BYTES: Final = 12


@app.command("create")
def create(
    login: str = typer.Argument(help="To sign in with / Под этим именем входят"),
    role: Annotated[Role, typer.Option("--role")] = Role.AGENT,
    name: str = typer.Option("", "--name", help="As others see it / Как видят другие"),
    agent: Annotated[
        str | None, typer.Option("--agent", help="Of the plan / Оператор из плана")
    ] = None,
    project: Annotated[
        list[str] | None, typer.Option("--project", help="For a viewer / Для viewer")
    ] = None,
    lang: Lang = LANG,
) -> None:
    """Make a user; his password is asked for / Создать; пароль спросим."""
    from perezvon.store import users  # noqa: PLC0415 - SQLAlchemy takes its time
    from perezvon.store.journal import wall_clock  # noqa: PLC0415
    from perezvon.store.paging import BadQuery  # noqa: PLC0415

    with opened_views(lang) as (views, language):
        if users.find_user(views, login) is not None:
            fail(ANSWERS["login_taken"][language].format(login=login[:100]))
        kept, made = _password(login, language)
        try:
            user = users.create_user(
                views,
                login=login,
                name=name,
                role=role.value,
                password=kept,
                agent=agent,
                projects=project or (),
                language=language,
                must_change_password=bool(made),
                now=wall_clock(),
            )
        except BadQuery as error:
            fail(str(error))
        except users.LoginTaken:
            fail(ANSWERS["login_taken"][language].format(login=login[:100]))
        _note(views, "user create", user.login, {"role": role.value, "agent": agent})
    print(f"{user.login}  {user.role}  {made}".rstrip())
    if made:
        print(ANSWERS["password_once"][language])


@app.command("list")
def show(lang: Lang = LANG) -> None:
    """Show who may sign in / Показать, кто может входить."""
    from perezvon.store import users  # noqa: PLC0415 - SQLAlchemy takes its time
    from perezvon.store.names import Names  # noqa: PLC0415

    with opened_views(lang) as (views, language):
        found = users.list_users(views)
    names = Names(None)

    def moment(at: int | None) -> str:
        return "" if at is None else f"{names.moment(at)}Z"

    head = ("login", "role", "name", "agent", "codes", "signed_in", "disabled")
    show_table(
        [HEADS[key][language] for key in head],
        [
            (
                user.login,
                user.role,
                user.name,
                user.agent or "",
                "+" if user.has_totp else "",
                moment(user.signed_in_at),
                moment(user.disabled_at),
            )
            for user in found
        ],
    )


@app.command("password")
def password(
    login: str = typer.Argument(),
    keep_codes: bool = typer.Option(
        False, "--keep-codes", help="Codes are still asked for / Коды останутся"
    ),
    lang: Lang = LANG,
) -> None:
    """Give a new password and take the codes away; his sessions end / Новый пароль, без кодов."""
    from perezvon.store import users  # noqa: PLC0415 - SQLAlchemy takes its time

    with opened_views(lang) as (views, language):
        user = users.find_user(views, login)
        if user is None:
            fail(ANSWERS["login_unknown"][language].format(login=login[:100]))
        kept, made = _password(user.login, language)
        without = {} if keep_codes else {"has_totp": False, "totp": None}
        users.change_user(views, user.id, password=kept, must_change_password=bool(made), **without)
        _note(views, "user password", user.login, {"codes": keep_codes})
    print(f"{user.login}  {made}".rstrip())
    if made:
        print(ANSWERS["password_once"][language])


@app.command("disable")
def disable(login: str = typer.Argument(), lang: Lang = LANG) -> None:
    """Let him in no more, and out at once / Больше не впускать."""
    _switch(login, lang, disabled=True)


@app.command("enable")
def enable(login: str = typer.Argument(), lang: Lang = LANG) -> None:
    """Let him in again / Снова впускать."""
    _switch(login, lang, disabled=False)


def _switch(login: str, lang: Lang, *, disabled: bool) -> None:
    from perezvon.store import users  # noqa: PLC0415 - SQLAlchemy takes its time
    from perezvon.store.journal import wall_clock  # noqa: PLC0415

    with opened_views(lang) as (views, language):
        user = users.find_user(views, login)
        if user is None:
            fail(ANSWERS["login_unknown"][language].format(login=login[:100]))
        try:
            users.change_user(views, user.id, disabled_at=wall_clock() if disabled else None)
        except users.LastManager:
            fail(ANSWERS["last_manager"][language])
        _note(views, "user disable" if disabled else "user enable", user.login, {})
    said = "user_disabled" if disabled else "user_enabled"
    print(ANSWERS[said][language].format(login=user.login))


def _note(views: "Database", action: str, login: str, detail: dict[str, object]) -> None:
    """Into the audit log, as what is done over the network."""
    from perezvon.store import audit  # noqa: PLC0415 - SQLAlchemy takes its time
    from perezvon.store.journal import wall_clock  # noqa: PLC0415

    audit.note(
        views,
        wall_clock(),
        kind="terminal",
        who=getpass.getuser(),
        who_id="",
        address="",
        action=action,
        object_={"login": login},
        status=200,
        detail=detail,
    )


def _password(login: str, language: Language) -> tuple[str, str]:
    """Its digest, and the password itself when it was made by us. Typed twice in a terminal, one
    line of what is piped in; an empty one: we make it, and he changes it.
    """
    from perezvon.store import passwords  # noqa: PLC0415 - a hash function takes its time
    from perezvon.store.paging import BadQuery  # noqa: PLC0415

    if sys.stdin.isatty():
        typed = typer.prompt(
            ANSWERS["password"][language], default="", hide_input=True, show_default=False
        )
        if typed and typed != typer.prompt(ANSWERS["password_again"][language], hide_input=True):
            fail(ANSWERS["passwords_differ"][language])
    else:
        typed = sys.stdin.readline(1_000).rstrip("\r\n")
    if not typed:
        made = secrets.token_urlsafe(WORD_BYTES)
        return passwords.hashed(made), made
    try:
        passwords.check_rules(typed, login)
    except BadQuery as error:
        fail(str(error))
    return passwords.hashed(typed), ""
