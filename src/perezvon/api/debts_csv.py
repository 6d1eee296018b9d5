"""The list of debts as a file for spreadsheets: one line an episode, in Russian or English.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and what clients
and agents are called is not ours to trust: such a cell gets an apostrophe. A telephone number,
digits with one plus before them, stays as it is, so that whoever reads the file again has it.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from perezvon.core.ids import SECOND
from perezvon.metrics.explanation_words import WORDS, Language, Words
from perezvon.store.debts import DebtRow, Reaction
from perezvon.store.episodes import Episode, Ring, Try
from perezvon.store.names import Names

EXPORT_MAX: Final = 50_000

MARK: Final = "\ufeff"
"""By it spreadsheets know the encoding."""
DELIMITERS: Final[Mapping[Language, str]] = {"ru": ";", "en": ","}
"""What spreadsheets of a language expect: where a comma is in numbers, it is not between cells."""

_FORMULA: Final = re.compile(r"^[=+\-@\t\r\n]")
_NUMBER: Final = re.compile(r"^\+?[0-9]{1,20}$")


def _two(ru: str, en: str) -> Words:
    return {"ru": ru, "en": en}


COLUMNS: Final = (
    _two("Номер", "Number"),
    _two("Имя", "Name"),
    _two("Очередь", "Queue"),
    _two("Реакция", "Reaction"),
    _two("Причина пропуска", "Missed because"),
    _two("Первый звонок", "First call"),
    _two("Последний звонок", "Last call"),
    _two("Звонков", "Calls"),
    _two("Ждал, с", "Waited, s"),
    _two("Кому звонили", "Rung"),
    _two("Наших попыток", "Our attempts"),
    _two("Итоги попыток", "What came of them"),
    _two("Первая реакция, с", "First reaction, s"),
    _two("Ответственный", "Owner"),
    _two("Срок", "Due"),
    _two("Закрыт", "Settled"),
    _two("Кто закрыл", "Settled by"),
    _two("Почему снят", "Waived because"),
    _two("Долг", "Debt"),
)
REACTIONS: Final[Mapping[Reaction, Words]] = {
    Reaction.NOBODY: _two("никто не перезвонил", "nobody called back"),
    Reaction.TRIED: _two("звонили, не дозвонились", "called, not reached yet"),
    Reaction.REACHED_US: _two("дозвонился сам", "got through himself"),
    Reaction.SOON: _two("перезвонили за 20 минут", "called back within 20 minutes"),
    Reaction.SAME_DAY: _two("перезвонили за 23 часа", "called back within 23 hours"),
    Reaction.LATE: _two("перезвонили позже 23 часов", "called back after 23 hours"),
    Reaction.WAIVED: _two("долг снят", "waived"),
}
OUTCOMES: Final[Mapping[str, Words]] = {
    "answered": _two("взял трубку", "picked up"),
    "rescinded": _two("снят", "withdrawn"),
    "missed": _two("пропустил", "missed"),
    "refused": _two("отклонил", "declined"),
    "unreachable": _two("недоступен", "unreachable"),
    "dropped_at_answer": _two("обрыв при ответе", "dropped at answer"),
    "reached": _two("поговорили", "talked"),
    "no_answer": _two("не ответил", "no answer"),
    "busy": _two("занято", "busy"),
    "bad_number": _two("нет такого номера", "bad number"),
    "trunk_failed": _two("отказ оператора связи", "carrier failed"),
    "left_waiting": _two("не дождался оператора", "left before an agent came"),
    "cancelled": _two("отменена", "cancelled"),
    "never_made": _two("не состоялась", "never made"),
}
UNDER_WAY: Final = _two("идёт", "under way")
SECONDS: Final = _two("с", "s")
CUT: Final = _two(
    "Показано {count} строк, остальные не вошли: сузьте период.",
    "{count} rows are shown, the rest did not fit: narrow the period.",
)


@dataclass(frozen=True, slots=True)
class Client:
    """As the asker may see him."""

    number: str
    name: str


class Export:
    """Pieces of one file, in order: `head`, `lines` for each page, at the limit `cut`."""

    def __init__(self, language: Language, names: Names) -> None:
        self._language = language
        self._names = names

    def head(self) -> str:
        return MARK + self._written([[each[self._language] for each in COLUMNS]])

    def lines(
        self,
        debts: Sequence[DebtRow],
        episodes: Mapping[str, Episode],
        clients: Mapping[str, Client],
    ) -> str:
        return self._written(
            self._cells(debt, episodes[debt.id], clients[debt.person]) for debt in debts
        )

    def cut(self) -> str:
        return self._written([[CUT[self._language].format(count=EXPORT_MAX)]])

    def _cells(self, debt: DebtRow, episode: Episode, client: Client) -> list[str]:
        reason = WORDS["reason"].get(debt.reason)
        return [
            client.number,
            client.name,
            self._names.of("queue", debt.queue),
            REACTIONS[debt.reaction][self._language],
            reason[self._language] if reason else debt.reason,
            self._moment(debt.first_at),
            self._moment(debt.last_at),
            str(debt.calls),
            _seconds(debt.waited_ms),
            "; ".join(self._ring(ring) for ring in episode.rung),
            str(debt.dials),
            "; ".join(self._try(each) for each in episode.tries),
            _seconds(debt.reaction_ms),
            self._names.of("agent", debt.owner) if debt.owner else "",
            self._moment(debt.due_at),
            self._moment(debt.settled_at),
            self._names.of("agent", debt.settled_by) if debt.settled_by else "",
            debt.settled_reason or "",
            debt.id,
        ]

    def _ring(self, ring: Ring) -> str:
        length = _seconds(ring.ring_ms)
        told = f" {length} {SECONDS[self._language]}" if length else ""
        return f"{self._names.of('agent', ring.agent)}{told} ({self._outcome(ring.outcome)})"

    def _try(self, each: Try) -> str:
        return f"{self._moment(each.started_at)} {self._outcome(each.outcome)}"

    def _outcome(self, outcome: str | None) -> str:
        if outcome is None:
            return UNDER_WAY[self._language]
        known = OUTCOMES.get(outcome)
        return known[self._language] if known else outcome

    def _moment(self, at: int | None) -> str:
        return "" if at is None else self._names.moment(at)

    def _written(self, rows: Iterable[Sequence[str]]) -> str:
        text = io.StringIO(newline="")
        written = csv.writer(text, delimiter=DELIMITERS[self._language])
        written.writerows([harmless(cell) for cell in row] for row in rows)
        return text.getvalue()


def harmless(cell: str) -> str:
    """No formula, whoever wrote it; numbers of telephones stay."""
    if _FORMULA.match(cell) and not _NUMBER.match(cell):
        return f"'{cell}"
    return cell


def _seconds(length_ms: int | None) -> str:
    return "" if length_ms is None else str(round(length_ms / SECOND))
