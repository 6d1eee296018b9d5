"""COMMAND LINE: one file per noun, each a thin asker of the layers below.

Only the file of the command that is asked for is loaded, and each loads what is heavy when it
runs: `perezvon ledger` must not wait for what `perezvon up` needs.
"""

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Final

import typer

COMMANDS: Final = {
    "up": "up",
    "watch": "watch",
    "alerts": "alerts",
    "ledger": "ledger",
    "calls": "calls",
    "debts": "debts",
    "explain": "explain",
    "evidence": "evidence",
    "agents": "agents",
    "doctor": "doctor",
    "engine": "up",
    "web": "up",
    "worker": "up",
}
"""Command: the file whose `app` has it."""

GROUPS: Final = ("plan", "pbx", "token", "user")
"""Files whose `app` has commands under the file's own name."""


def run(arguments: Sequence[str]) -> None:
    """Do what the arguments say, and exit."""
    make(arguments[0] if arguments else "")(list(arguments), prog_name="perezvon")


def make(wanted: str = "") -> typer.Typer:
    """Make the command line of one command, or of all when there is none of this name."""
    root = typer.Typer(
        help="Call centre on Asterisk in which no call is lost"
        " / Контакт-центр на Asterisk, где не теряется ни один звонок",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    root.callback()(_root)
    alone = wanted in COMMANDS or wanted in GROUPS
    files = [wanted] if wanted in GROUPS else [COMMANDS[wanted]] if alone else _all_files()
    for file in files:
        app = import_module(f"perezvon.cli.{file}").app
        if file in GROUPS:
            root.add_typer(app, name=file)
        else:
            root.registered_commands += app.registered_commands
    return root


def _all_files() -> list[str]:
    return [*dict.fromkeys(COMMANDS.values()), *GROUPS]


def _tell_version(wanted: bool) -> None:
    if wanted:
        print(version("perezvon"))
        raise typer.Exit


def _root(
    _version: bool = typer.Option(
        False,
        "--version",
        is_eager=True,
        callback=_tell_version,
        help="Show the version / Показать версию",
    ),
) -> None:
    pass
