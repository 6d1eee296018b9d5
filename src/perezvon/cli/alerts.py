"""`perezvon alerts`: what is wrong now, what callers notice of it, and what to do.

Exit status 1 when an alert is open, 0 when none is, 2 when the engine does not say.
"""

import asyncio
import json
from typing import TYPE_CHECKING, Any

import typer

from perezvon.cli.common import (
    FAILED,
    LANG,
    NOT_THERE,
    TEXTS,
    Lang,
    Language,
    fail,
    plain,
    settings,
    show_table,
)
from perezvon.cli.words import ALERTS, ANSWERS, HEADS

if TYPE_CHECKING:
    from pathlib import Path

app = typer.Typer()


@app.command("alerts")
def show(
    as_json: bool = typer.Option(False, "--json", help="For programs / Для программ"),
    lang: Lang = LANG,
) -> None:
    """What is wrong now; exit 1 if anything is / Тревоги: что сейчас не так."""
    from perezvon.runtime.alert_words import meaning  # noqa: PLC0415 - for a quick start

    ours = settings()
    language = lang or ours.language
    rows = _open_ones(ours.engine_socket, language)
    if as_json:
        for row in rows:
            told = meaning(row["kind"], language)
            known = {"text": told.text, "advice": told.advice}
            print(json.dumps(row | known, ensure_ascii=False))
    elif rows:
        _show(rows, language)
    else:
        print(ALERTS["none"][language])
    raise typer.Exit(FAILED if rows else 0)


def _open_ones(socket: "Path", language: Language) -> list[dict[str, Any]]:
    """Oldest first."""
    from perezvon.runtime.local import Refused, ask  # noqa: PLC0415 - for a quick start
    from perezvon.runtime.ports import Unavailable  # noqa: PLC0415

    try:
        return list(asyncio.run(ask(socket, "alerts"))["items"])
    except Unavailable:
        fail(TEXTS["engine_away"][language], NOT_THERE)
    except Refused as refused:
        fail(ANSWERS["refused"][language].format(message=refused.message), NOT_THERE)


def _show(rows: list[dict[str, Any]], language: Language) -> None:
    """A row for each, then each kind once in words."""
    from perezvon.metrics.explanation_words import duration  # noqa: PLC0415 - for a quick start
    from perezvon.runtime.alert_words import meaning  # noqa: PLC0415
    from perezvon.runtime.clock import wall_ms  # noqa: PLC0415

    now = wall_ms()
    show_table(
        [HEADS[key][language] for key in ("lasts", "alert", "about", "detail")],
        [
            (
                duration(max(0, now - row["since_at"]), language),
                row["kind"],
                row["about"],
                row["detail"],
            )
            for row in rows
        ],
    )
    for kind in dict.fromkeys(row["kind"] for row in rows):
        told = meaning(kind, language)
        print(f"\n{plain(kind)}: {plain(told.happened)}")
        for key, text in (("callers", told.callers), ("advice", told.advice)):
            if text:
                print(f"  {ALERTS[key][language]}: {text}")
