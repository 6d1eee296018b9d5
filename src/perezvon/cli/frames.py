"""One frame of the live board for a terminal: a pure function of the board, the time, the size.

What is wrong comes first. Alerts have a line for each kind, so that fifty silent telephones do
not hide a dead heartbeat.

Text of the world is shown as text: neither the markup of the screen's library nor a terminal's
control signs in a caller's name do anything.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from perezvon.cli.common import Language, plain, word
from perezvon.cli.words import BALANCE, BOARD, CALL_STATES, HEADS, LEDGER, STATUSES
from perezvon.runtime.alert_words import meaning
from perezvon.runtime.alerts import AlertKind

Sections: TypeAlias = dict[str, dict[str, dict[str, Any]]]

STYLES: Final = {
    "available": "green",
    "ringing": "bold yellow",
    "talking": "cyan",
    "wrap_up": "blue",
    "paused": "magenta",
    "signed_out": "dim",
}
ROWS_MIN: Final = 3
ABOUT_MAX: Final = 5
"""Named in the line of an alert; of more, how many."""
LATE_MS: Final = 20_000
"""Who waits longer is shown in red."""


@dataclass(frozen=True, slots=True)
class View:
    """How to show it, and to whom."""

    language: Language
    now: int
    clock: Callable[[int], str]
    height: int = 40

    def say(self, key: str, **values: object) -> str:
        return BOARD[key][self.language].format(**values)

    def passed(self, since_at: int | None) -> str:
        """`4:07` since then."""
        if since_at is None:
            return ""
        seconds = max(0, self.now - since_at) // 1000
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def frame(sections: Sections, view: View) -> RenderableType:
    """Alerts, waiting, talking, agents, debts, ledger; each with the count of what does not fit."""
    warnings = [*_warnings(sections, view), *_alerts(sections.get("alerts", {}), view)]
    rows_max = max(ROWS_MIN, (view.height - 20 - len(warnings)) // 4)
    parts = [
        *warnings,
        _waiting(sections.get("waiting", {}), view, rows_max),
        _talking(sections.get("talking", {}), view, rows_max),
        _agents(sections.get("agents", {}), view, 2 * rows_max),
        _debts(sections.get("debts", {}), view, rows_max),
        _ledger(sections.get("ledger", {}).get("all", {}), view),
    ]
    return Group(*parts)


def _warnings(sections: Sections, view: View) -> Iterable[Text]:
    """What the board shows without an alert, or sooner."""
    alerts = sections.get("alerts", {}).values()
    engine = sections.get("guard", {}).get("engine", {})
    if not engine.get("up"):
        yield Text(view.say("away"), style="bold white on red")
    elif engine.get("beating") is False and not any(
        row["kind"] == AlertKind.GUARD_DOWN for row in alerts
    ):
        yield Text(view.say("halted"), style="bold white on red")
    told = {row["about"] for row in alerts}
    down = [
        name
        for name, row in sections.get("trunks", {}).items()
        if not row.get("up") and name not in told
    ]
    if down:
        yield Text(plain(view.say("trunk_down", names=", ".join(down))), style="bold red")


def _alerts(rows: dict[str, dict[str, Any]], view: View) -> Iterable[Text]:
    """A line for each kind, the one with the oldest alert first."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows.values(), key=lambda row: int(row["since_at"])):
        kinds.setdefault(str(row["kind"]), []).append(row)
    most = max(ROWS_MIN, view.height // 4)
    for kind, alike in list(kinds.items())[:most]:
        line = Text(f"{view.passed(alike[0]['since_at']):>7}  ", style="bold red")
        about = [str(row["about"]) for row in alike if row["about"]]
        if about:
            names = ", ".join(about[:ABOUT_MAX])
            if len(about) > ABOUT_MAX:
                names += " " + view.say("more", count=len(about) - ABOUT_MAX)
            line.append(plain(f"{names}: "))
        told = meaning(kind, view.language)
        line.append(plain(told.happened))
        line.append(plain(f" {told.callers}"), "not bold")
        yield line
    if len(kinds) > most:
        yield Text(view.say("more", count=len(kinds) - most), style="bold red")


def _table(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[Text | str]], view: View, most: int
) -> RenderableType:
    name = f"{BOARD[title][view.language]}: {len(rows)}"
    if not rows:
        return Text(name, style="bold")
    table = Table(
        title=Text(name, style="bold"),
        title_justify="left",
        box=None,
        pad_edge=False,
        expand=False,
        header_style="dim",
    )
    for head in heads:
        table.add_column(Text(HEADS[head][view.language]), no_wrap=True, overflow="ellipsis")
    for row in rows[:most]:
        table.add_row(*(cell if isinstance(cell, Text) else Text(plain(cell)) for cell in row))
    if len(rows) > most:
        table.add_row(Text(view.say("more", count=len(rows) - most), style="dim"))
    return table


def _client(row: dict[str, Any], view: View) -> str:
    number = str(row.get("number") or "") or view.say("withheld")
    name = str(row.get("name") or "")
    return f"{number} {name}".strip()


def _waiting(rows: dict[str, dict[str, Any]], view: View, most: int) -> RenderableType:
    heads = ("client", "queue", "state", "waited", "ringing")
    shown = [
        (
            _client(row, view),
            str(row["queue"]),
            word(CALL_STATES, str(row["state"]), view.language),
            Text(
                view.passed(row["since_at"]),
                style="bold red" if view.now - row["since_at"] > LATE_MS else "",
            ),
            Text(plain(", ".join(row["ringing_names"])), style=STYLES["ringing"]),
        )
        for row in rows.values()
    ]
    return _table("waiting", heads, shown, view, most)


def _talking(rows: dict[str, dict[str, Any]], view: View, most: int) -> RenderableType:
    heads = ("client", "queue", "agent", "since")
    shown = [
        (
            _client(row, view),
            str(row["queue"]),
            str(row["agent_name"]),
            view.passed(row["since_at"]),
        )
        for row in rows.values()
    ]
    return _table("talking", heads, shown, view, most)


def _agents(rows: dict[str, dict[str, Any]], view: View, most: int) -> RenderableType:
    heads = ("agent", "status", "since", "reason", "phone")
    order = list(STYLES)
    shown = []
    for row in sorted(rows.values(), key=lambda row: _rank(order, str(row["status"]))):
        status = str(row["status"])
        reason = str(row["reason"])
        if row["wanted"]:
            then = word(STATUSES, str(row["wanted"]), view.language)
            reason = f"{reason} {view.say('then', status=then)}".strip()
        shown.append(
            (
                str(row["name"]),
                Text(word(STATUSES, status, view.language), style=STYLES.get(status, "")),
                view.passed(row["since_at"]),
                reason,
                Text("" if row["reachable"] else view.say("unreachable"), style="bold red"),
            )
        )
    return _table("agents", heads, shown, view, most)


def _rank(order: Sequence[str], status: str) -> int:
    return order.index(status) if status in order else len(order)


def _debts(rows: dict[str, dict[str, Any]], view: View, most: int) -> RenderableType:
    heads = ("client", "since", "calls", "owner", "next", "due")
    shown = [
        (
            _client(row, view),
            view.passed(row["missed_at"]),
            str(row["calls"]),
            str(row["owner_name"]),
            _next(row, view),
            Text(view.say("overdue"), style="bold red")
            if row["overdue"]
            else view.clock(row["due_at"]),
        )
        for row in rows.values()
    ]
    return _table("debts", heads, shown, view, most)


def _next(row: dict[str, Any], view: View) -> str:
    if row["attempting"]:
        return view.say("attempting")
    if row["next_at"] is None:
        return view.say("by_hand")
    return view.say("now") if row["next_at"] <= view.now else view.clock(row["next_at"])


def _ledger(counts: dict[str, Any], view: View) -> RenderableType:
    if not counts:
        return Text("")
    words = [f"{words[view.language]} {counts[key]}" for key, words in LEDGER.items()]
    line = Text(" · ".join(words))
    balanced = bool(counts["balanced"])
    line.append("  " + BALANCE[balanced][view.language], "green" if balanced else "bold red")
    return line
