"""The figures of a soak, which of them had to be zero, and the table of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scripts.soak.hand import Done
from scripts.soak.judge import Judgement
from scripts.soak.vitals import Sample, descriptors_of, slope_of
from tests.support.silence import Silence

SILENT_S_MAX = 15
TOLD_MAX = 5


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    measured: str
    zero: int | None = None
    """The number that had to be zero; None where nothing had to."""

    @property
    def wrong(self) -> bool:
        return bool(self.zero)

    @property
    def wanted(self) -> str:
        return "" if self.zero is None else "0"


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was seen, when it was quiet again or did not become so."""

    done: Sequence[Done]
    judgement: Judgement
    silences: Sequence[Silence]
    """The longest of each caller."""
    stranded_s: float
    left_over: dict[str, int]
    """Channels and bridges on the switch."""
    ledger: dict[str, Any]
    in_cel: int
    calls: int
    refused: int
    attempts: int
    samples: dict[str, list[Sample]]
    stopped_at: float
    """When the callers stopped; seconds, monotonic."""


def rows_of(found: Findings) -> list[Row]:
    judgement, ledger = found.judgement, found.ledger
    silent = [one for one in found.silences if one.length_s > SILENT_S_MAX]
    longest = max(found.silences, key=lambda one: one.length_s, default=None)
    difference = int(ledger["reconciliation"]["difference"])
    return [
        Row("calls", str(found.calls)),
        Row("faults", _kinds(found.done)),
        Row("longest from a fault to a beating engine, s", _longest(found.done)),
        _zero("lost: neither served nor rung, and not owed", judgement.lost),
        _zero("silent for over 15 s", [f"{one.number} {one.length_s:.1f} s {one.when}"
                                       for one in silent]),
        Row("longest silence, s", "" if longest is None else
            f"{longest.length_s:.1f} ({longest.when}, {longest.number})"),
        Row("in our hands without an engine for over 15 s", f"{found.stranded_s:.1f} s at most",
            int(found.stranded_s > SILENT_S_MAX)),
        _zero("talks that neither side ended", judgement.cut_without_cause),
        _zero("call-backs rung twice or beyond those on record", [
            *judgement.rung_beyond_attempts.elements(), *judgement.rung_after_settlement.elements(),
        ]),
        Row("channels left on the switch", str(found.left_over["channels"]),
            found.left_over["channels"]),
        Row("bridges left on the switch", str(found.left_over["bridges"]),
            found.left_over["bridges"]),
        _zero("callers who are not in the ledger", judgement.unknown),
        Row("ledger", _sums(ledger), int(not ledger["balanced"]) + int(ledger["in_progress"])),
        Row("reconciliation difference", str(difference), difference),
        Row("INVITEs / arrivals in CEL / in the ledger",
            f"{found.calls} / {found.in_cel} / {ledger['arrivals']}",
            abs(found.in_cel - int(ledger["arrivals"]))),
        Row("served / called back / owed still", f"{len(judgement.served)} / "
            f"{len(judgement.rung)} / {len(judgement.owed)}"),
        Row("cut by a kill of the switch / call-backs dialled / calls refused",
            f"{len(judgement.cut)} / {found.attempts} / {found.refused}"),
        *(row for name, samples in found.samples.items()
          for row in _vitals(name, samples, found.stopped_at)),
    ]  # fmt: skip


def text_of(rows: Sequence[Row]) -> str:
    """For a terminal."""
    width = max(len(row.what) for row in rows)
    return "\n".join(
        f"{'!!' if row.wrong else '  '} {row.what.ljust(width)}  {row.measured}" for row in rows
    )


def _zero(what: str, those: Sequence[str] | frozenset[str]) -> Row:
    named = ", ".join(sorted(those)[:TOLD_MAX])
    return Row(what, f"{len(those)} ({named})" if those else "0", len(those))


def _kinds(done: Sequence[Done]) -> str:
    counted = Counter(one.fault.kind.value for one in done)
    told = ", ".join(f"{kind} {count}" for kind, count in sorted(counted.items()))
    return f"{len(done)} ({told})" if done else "0"


def _longest(done: Sequence[Done]) -> str:
    slowest = max(done, key=lambda one: one.well_s, default=None)
    return "" if slowest is None else f"{slowest.well_s:.1f} ({slowest.fault})"


def _sums(ledger: dict[str, Any]) -> str:
    names = ("answered", "recovered", "reached_us", "waived", "open", "in_progress")
    told = ", ".join(f"{name.replace('_', ' ')} {ledger[name]}" for name in names)
    return f"{'balanced' if ledger['balanced'] else 'NOT BALANCED'}: {told}"


def _vitals(name: str, samples: Sequence[Sample], stopped_at: float) -> list[Row]:
    most = max((one.resident for one in samples), default=0) / 1_000_000
    return [
        Row(f"{name}: memory slope, MB/h", str(slope_of(samples, stopped_at))),
        Row(f"{name}: memory at most, MB", f"{most:.0f}"),
        Row(f"{name}: descriptors warm / when quiet / at most", descriptors_of(samples)),
    ]
