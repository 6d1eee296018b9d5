"""`perezvon agents`: who is there; and choosing a status for one."""

import asyncio
import getpass
from typing import TYPE_CHECKING

import typer

from perezvon.cli.common import (
    LANG,
    NOT_THERE,
    TEXTS,
    Lang,
    Language,
    fail,
    opened_books,
    settings,
    show_table,
    word,
)
from perezvon.cli.words import ANSWERS, BOARD, HEADS, STATUSES

if TYPE_CHECKING:
    from perezvon.settings import Settings

app = typer.Typer()


@app.command("agents")
def agents(
    agent: str = typer.Argument(None, help="Id of an agent / Кто"),
    status: str = typer.Argument(None, help="available | paused | signed_out"),
    reason: str = typer.Argument("", help="Of a pause / Причина перерыва"),
    lang: Lang = LANG,
) -> None:
    """Show agents, or choose a status for one / Показать операторов или задать статус."""
    ours = settings()
    language = lang or ours.language
    if agent is None:
        _show(ours, language)
    elif status not in ("available", "paused", "signed_out"):
        fail(ANSWERS["bad_status"][language])
    else:
        _choose(ours, language, agent, status, reason)


def _show(ours: "Settings", language: Language) -> None:
    from perezvon.store.agents import list_agents  # noqa: PLC0415 - SQLAlchemy takes its time
    from perezvon.store.names import Names  # noqa: PLC0415

    with opened_books(ours) as books:
        known = {row.id: row for row in list_agents(books.stored)}
        plan = books.plan()
        names = Names(plan)
    rows = []
    for id_ in [str(agent.id) for agent in plan.agents] if plan is not None else list(known):
        row = known.get(id_)
        rows.append(
            (
                id_,
                names.of("agent", id_),
                word(STATUSES, row.status if row else "signed_out", language),
                names.moment(row.since_at) if row and row.since_at else "",
                row.reason if row else "",
                "" if row is None or row.reachable else BOARD["unreachable"][language],
            )
        )
    head = ("id", "agent", "status", "since", "reason", "phone")
    show_table([HEADS[key][language] for key in head], rows)


def _choose(ours: "Settings", language: Language, agent: str, status: str, reason: str) -> None:
    from perezvon.runtime.local import Refused, ask  # noqa: PLC0415 - for a quick start
    from perezvon.runtime.ports import Unavailable  # noqa: PLC0415

    args = {"agent": agent, "status": status, "reason": reason, "by": getpass.getuser()}
    try:
        reply = asyncio.run(ask(ours.engine_socket, "agent.status", args))
    except Unavailable:
        fail(TEXTS["engine_away"][language], NOT_THERE)
    except Refused as refused:
        if refused.code == "unknown_agent":
            fail(ANSWERS["unknown_agent"][language].format(agent=agent[:100]))
        fail(ANSWERS["refused"][language].format(message=f"{refused.where}: {refused.message}"))
    now = word(STATUSES, str(reply.get("status")), language)
    wanted = reply.get("wanted")
    key = "status_later" if wanted else "status_set"
    shown = word(STATUSES, str(wanted), language)
    print(ANSWERS[key][language].format(agent=agent, status=now, wanted=shown))
