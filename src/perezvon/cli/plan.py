"""`perezvon plan`: check a plan file, put it in force, see the one that is in force."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from perezvon import settings as settings_of
from perezvon.core.plan import Plan
from perezvon.runtime.local import Refused, ask
from perezvon.runtime.ports import Unavailable
from perezvon.store.plan_file import PlanFileError, json_schema, parse
from perezvon.store.plan_yaml import BYTES_MAX

app = typer.Typer(
    help="The plan: who answers what / План: кто на что отвечает", no_args_is_help=True
)

TEXTS = {
    "good": {
        "en": "{file} is in order: {queues} queues, {agents} agents, {numbers} numbers "
        "(version {version})",
        "ru": "{file} в порядке: очередей {queues}, операторов {agents}, номеров {numbers} "
        "(версия {version})",
    },
    "applied": {
        "en": "Version {version} is in force; before it {was}.",
        "ru": "Действует версия {version}; до неё была {was}.",
    },
    "same": {
        "en": "Version {version} is in force already.",
        "ru": "Версия {version} уже действует.",
    },
    "away": {
        "en": "Perezvon is not running here ({why}). Start it: perezvon up",
        "ru": "Perezvon здесь не запущен ({why}). Запустить: perezvon up",
    },
    "refused": {"en": "Not taken: {why}", "ru": "Не принято: {why}"},
    "stale": {
        "en": "Not taken: {why}, and yours was made from another. Export it and change that one, "
        "or use --force.",
        "ru": "Не принято ({why}), а ваш сделан из другого. Выгрузите действующий и измените его "
        "или добавьте --force.",
    },
    "unreadable": {"en": "{file}: {why}", "ru": "{file}: {why}"},
}

APPLY_TIMEOUT_S = 20
"""A large plan takes the engine a moment."""

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="The plan file; - is the input / Файл плана")
]


@app.command()
def check(file: FileArgument) -> None:
    """Tell everything that is wrong with a plan file / Проверить файл плана."""
    language = _settings().language
    _, plan = _read(file, language)
    _say(
        "good",
        language,
        file=file,
        queues=len(plan.queues),
        agents=len(plan.agents),
        numbers=len(plan.dids),
        version=plan.version,
    )


@app.command()
def schema() -> None:
    """Print the JSON Schema of plan files, for editors / Показать JSON Schema файла плана."""
    print(json.dumps(json_schema(), ensure_ascii=False, indent=2))


@app.command()
def export() -> None:
    """Print the plan that is in force / Показать действующий план."""
    ours = _settings()
    print(_ask(ours, "plan.export", {}).get("text", ""), end="")


@app.command()
def apply(
    file: FileArgument,
    force: Annotated[
        bool, typer.Option("--force", help="Whatever is in force / Что бы ни действовало")
    ] = False,
    base: Annotated[
        str,
        typer.Option(
            metavar="VERSION",
            help="Only if this version is still in force / Только если действует эта версия",
        ),
    ] = "",
) -> None:
    """Put a plan in force; calls that go on keep theirs / Ввести план в действие."""
    ours = _settings()
    text, plan = _read(file, ours.language)
    args = {"text": text, "base": base, "force": force, "by": "cli"}
    answer = _ask(ours, "plan.apply", args)
    was = answer.get("was", "")
    _say("same" if was == plan.version else "applied", ours.language, version=plan.version, was=was)


def _read(file: Path, language: str) -> tuple[str, Plan]:
    try:
        # Bytes that are not UTF-8 are the parser's to tell, with their line.
        text = _bytes_of(file).decode("utf-8", "surrogateescape")
        return text, parse(text, str(file))
    except PlanFileError as error:
        typer.echo(error.text(language), err=True)
    except OSError as error:
        _fail("unreadable", language, file=file, why=error.strerror)
    raise typer.Exit(1)


def _bytes_of(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read(BYTES_MAX + 1)
    with file.open("rb") as opened:
        return opened.read(BYTES_MAX + 1)


def _ask(ours: settings_of.Settings, action: str, args: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return asyncio.run(ask(ours.engine_socket, action, args, APPLY_TIMEOUT_S))
    except Unavailable as away:
        _fail("away", ours.language, why=away)
    except Refused as refused:
        # The engine's words for a plan file are lines already: file, line, path, reason.
        code = "stale" if refused.code == "stale_base" else "refused"
        _fail(code, ours.language, why=refused.message)


def _settings() -> settings_of.Settings:
    try:
        return settings_of.load()
    except settings_of.SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _say(code: str, language: str, **params: object) -> None:
    print(TEXTS[code][language].format(**params))


def _fail(code: str, language: str, **params: object) -> NoReturn:
    typer.echo(TEXTS[code][language].format(**params), err=True)
    raise typer.Exit(1) from None
