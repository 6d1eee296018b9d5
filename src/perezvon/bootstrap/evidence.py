"""The evidence of a call: all that is known of it, in one file that may be handed on.

Read from what lies on the disk, so it works while the engine is away. Numbers are masked and
names are out unless told otherwise; keys and passwords are out always. What is not in it is
named in `manifest.json`, with the reason: evidence that is silent about its gaps proves nothing.
"""

import csv
import dataclasses
import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import yaml
from sqlalchemy import select

from perezvon.asterisk import cel, install, sip_trace
from perezvon.asterisk.call_trace import CallTrace, Ids, trace_of
from perezvon.asterisk.traces import TRACE, WIRE
from perezvon.bootstrap.asterisk import places
from perezvon.bootstrap.evidence_words import MISSING, README
from perezvon.bootstrap.redaction import NAME, Redactor
from perezvon.core.ids import MINUTE, SECOND, Instant, PlanVersion
from perezvon.core.plan import Plan
from perezvon.metrics.explanation import explain, render
from perezvon.runtime import ring
from perezvon.runtime.ports import Unavailable
from perezvon.settings import Settings
from perezvon.store import plan_export, schema
from perezvon.store.books import Books
from perezvon.store.calls import get_call
from perezvon.store.codec import encode_fact
from perezvon.store.database import Location, open_journal_reader
from perezvon.store.explanations import rows_of_call, rows_of_debt
from perezvon.store.facts import FactRow
from perezvon.store.names import Names
from perezvon.store.plans import get_plan

BEFORE_MS: Final = 10 * SECOND
AFTER_MS: Final = 1 * MINUTE
CEL_ROWS_MAX: Final = 5_000
PLANS_MAX: Final = 5
SEQS_AT_ONCE: Final = 500
HIDDEN_KEYS: Final = frozenset({"name", "username", "secret"})
"""Of a plan: names of people and of firms, and accounts at carriers."""


class NotFound(LookupError):  # noqa: N818 - says what is
    """There is neither a call nor a debt of this id."""


@dataclass
class Bundle:
    """File name to text, and what is not there and why: keys of `evidence_words.MISSING`."""

    files: dict[str, str] = field(default_factory=dict)
    missing: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, text: str) -> None:
        if text.strip():
            self.files[name] = text

    def add_lines(self, name: str, rows: Sequence[Any]) -> None:
        lines = (json.dumps(row, ensure_ascii=False, default=str) for row in rows)
        self.add(name, "".join(f"{line}\n" for line in lines))

    def lack(self, key: str, **values: Any) -> None:  # noqa: ANN401 - what the words name
        self.missing[key] = values


@dataclass(frozen=True)
class Story:
    """A call with its debt and its call-backs, as the store has it."""

    id: str
    rows: list[FactRow]
    ids: frozenset[str]
    since: Instant
    until: Instant


def gather(books: Books, settings: Settings, id_: str, *, with_numbers: bool = False) -> Bundle:
    """`NotFound` for an unknown id; `Unavailable` when the store is away."""
    story = _story(books, id_)
    plans = _plans(settings, story)
    ids = Ids(story.ids)
    trace = trace_of(settings.trace_dir, ids, story.since, story.until)
    rows = list(_cel_rows(settings, ids, story))
    wire = sip_trace.wire_of(
        settings.trace_dir, trace.sip_calls, _unknown(rows, trace), story.since, story.until
    )
    redactor = Redactor(
        *_known(books, story, plans, trace, rows, wire.messages), with_numbers=with_numbers
    )
    bundle = Bundle()
    _add_story(bundle, books, story, redactor, plans, with_numbers=with_numbers)
    _add_journal(bundle, settings, story, redactor)
    bundle.add_lines("ari/events.jsonl", [redactor.tree(one) for one in trace.events])
    bundle.add_lines("ari/requests.jsonl", [redactor.tree(one) for one in trace.requests])
    bundle.add("cel.csv", _csv(rows, redactor))
    bundle.add("sip/ladder.txt", redactor.known(sip_trace.ladder(
        dataclasses.replace(one, text=redactor.sip(one.text)) for one in wire.messages
    )))  # fmt: skip
    bundle.add("sip/messages.txt", "\n".join(_messages(wire.messages, redactor)))
    sound = sip_trace.quality(wire.messages, wire.reports)
    if sound:
        bundle.add("rtp.json", json.dumps(sound, indent=1))
    _tell_gaps(bundle, settings, story, trace, wire, sound, rows)
    _sign(bundle, settings, story, redactor)
    return bundle


def write(bundle: Bundle, path: Path) -> None:
    """One zip, for nobody else's eyes. `FileExistsError` rather than one that is overwritten."""
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in sorted(bundle.files.items()):
            made.writestr(name, text)


def _story(books: Books, id_: str) -> Story:
    rows = rows_of_call(books.stored, id_) or rows_of_debt(books.stored, id_)
    if not rows:
        raise NotFound(id_)
    ids = {
        str(getattr(row.fact, name))
        for row in rows
        for name in ("call", "debt", "leg")
        if getattr(row.fact, name, None)
    }
    times = [row.fact.at for row in rows]
    return Story(id_, rows, frozenset(ids), min(times) - BEFORE_MS, max(times) + AFTER_MS)


def _plans(settings: Settings, story: Story) -> list[Plan]:
    wanted = dict.fromkeys(
        str(getattr(row.fact, "plan")) for row in story.rows if getattr(row.fact, "plan", None)  # noqa: B009 - of some
    )  # fmt: skip
    journal = open_journal_reader(Location(settings.data_dir, settings.database_url or ""))
    try:
        with journal.read() as connection:
            found = [get_plan(connection, PlanVersion(one)) for one in list(wanted)[:PLANS_MAX]]
    finally:
        journal.close()
    return [plan for plan in found if plan is not None]


def _cel_rows(settings: Settings, ids: Ids, story: Story) -> Iterator[list[str]]:
    """Raw rows of these channels, the put aside segments included."""
    path = places(settings).cel
    count = 0
    for file in sorted(path.parent.glob(f"{path.name}*"), key=lambda one: one.stat().st_mtime):
        if file.stat().st_mtime * 1_000 < story.since:
            continue
        with file.open(encoding="utf-8", errors="replace", newline="\n") as lines:
            for line in lines:
                if not ids.in_text(line.encode()):
                    continue
                try:
                    row = next(csv.reader((line.rstrip("\n"),)), [])
                except csv.Error:
                    continue
                at = cel.instant(row[1]) if len(row) == cel.FIELD_COUNT else None
                if at is not None and story.since <= at <= story.until and count < CEL_ROWS_MAX:
                    count += 1
                    yield row


def _unknown(rows: Sequence[Sequence[str]], trace: CallTrace) -> list[sip_trace.UnknownCaller]:
    """Callers' legs that CEL has and ARI has not."""
    told = set(trace.sip_calls.values())
    return [
        sip_trace.UnknownCaller(
            row[2], re.sub(r"\D", "", row[7]), (cel.instant(row[1]) or 0) * 1_000
        )
        for row in rows
        if row[0] == cel.CelKind.START.value and row[2] not in told and row[7]
    ]


def _known(
    books: Books,
    story: Story,
    plans: Collection[Plan],
    trace: CallTrace,
    rows: Collection[Sequence[str]],
    messages: Collection[sip_trace.Message],
) -> tuple[set[str], set[str]]:
    """Numbers and names that must not be anywhere."""
    persons = books.persons(getattr(row.fact, "person", None) for row in story.rows).values()
    numbers = {person.number for person in persons} | {row[7] for row in rows}
    names = {person.name for person in persons}
    names |= {agent.name for plan in plans for agent in plan.agents if agent.name != agent.id}
    for one in trace.events:
        for party in _parties(one["event"]):
            numbers.add(str(party.get("number") or ""))
            names.add(str(party.get("name") or ""))
    for message in messages:
        head = message.text.partition("\r\n\r\n")[0]
        numbers |= set(re.findall(r"(?:sips?:|tel:)\+?(\d{7,15})", head))
        names |= set(re.findall(r'^(?:From|To|f|t)[ \t]*:[ \t]*"([^"\r\n]+)"', head, re.I | re.M))  # noqa: FURB167 - on one line
    ids = {agent.id for plan in plans for agent in plan.agents} | story.ids
    return numbers, {name for name in names if name not in ids and not name.isdigit()}


def _parties(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        for key, item in value.items():
            if key in {"caller", "connected"} and isinstance(item, dict) and "number" in item:
                yield item
            yield from _parties(item)


def _add_story(
    bundle: Bundle,
    books: Books,
    story: Story,
    redactor: Redactor,
    plans: Sequence[Plan],
    *,
    with_numbers: bool,
) -> None:
    call = get_call(books.stored, story.id)
    if call is not None:
        told = redactor.tree(dataclasses.asdict(call))
        bundle.add("call.json", json.dumps(told, indent=1, ensure_ascii=False))
    facts = [
        {"seq": row.seq, "n": row.n, **redactor.tree(json.loads(encode_fact(row.fact)))}
        for row in story.rows
    ]
    bundle.add_lines("facts.jsonl", facts)
    names = Names(plans[-1] if plans else books.plan())
    clock = names.clock_since(story.rows[0].fact.at)
    lines = explain(row.fact for row in story.rows)
    for language in ("ru", "en"):
        of = names.of if with_numbers else lambda _kind, id_: id_
        text = "\n".join(render(lines, language, clock, of))
        bundle.add(f"explanation.{language}.txt", redactor.text(f"{names.zone}\n{text}\n"))
    for plan in plans:
        bundle.add(f"plan-{plan.version}.yaml", _plan_text(plan, redactor))
    if not plans:
        bundle.lack("plan")


def _plan_text(plan: Plan, redactor: Redactor) -> str:
    text = plan_export.dump(plan)
    if redactor.with_numbers:
        return text
    shown = redactor.tree(_hidden(yaml.safe_load(text)))
    body = yaml.safe_dump(shown, allow_unicode=True, sort_keys=False)
    return f"# Plan of Perezvon, version {plan.version}; numbers and names are left out\n{body}"


def _hidden(value: Any) -> Any:  # noqa: ANN401 - any YAML
    if isinstance(value, dict):
        return {k: NAME if k in HIDDEN_KEYS else _hidden(item) for k, item in value.items()}
    return [_hidden(item) for item in value] if isinstance(value, list) else value


def _add_journal(bundle: Bundle, settings: Settings, story: Story, redactor: Redactor) -> None:
    """The inputs that these facts came of, as the engine had them."""
    table = schema.journal
    seqs = sorted({row.seq for row in story.rows})
    kept: list[dict[str, Any]] = []
    journal = open_journal_reader(Location(settings.data_dir, settings.database_url or ""))
    try:
        with journal.read() as connection:
            for at in range(0, len(seqs), SEQS_AT_ONCE):
                wanted = table.c.seq.in_(seqs[at : at + SEQS_AT_ONCE])
                # A journal begun anew counts anew: its rows are of another time.
                of_then = table.c.at.between(story.since, story.until)
                kept += [
                    {
                        "seq": row.seq, "at": row.at, "epoch": row.epoch,
                        "event": redactor.tree(json.loads(row.body)),
                    }
                    for row in connection.execute(
                        select(table).where(wanted, of_then).order_by(table.c.seq)
                    )
                ]  # fmt: skip
    except Unavailable as error:
        bundle.lack("journal", why=str(error))
    finally:
        journal.close()
    bundle.add_lines("journal.jsonl", kept)
    if len(kept) < len(seqs):
        bundle.lack("journal_rows", count=len(seqs) - len(kept))


def _csv(rows: Sequence[Sequence[str]], redactor: Redactor) -> str:
    if not rows:
        return ""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(("event", "at", "leg", "linked", "context", "exten", "channel", "number", "extra"))
    for row in rows:
        event, at, leg, linked, *others = row
        ids = (redactor.known(one) for one in (leg, linked))
        out.writerow((event, at, *ids, *(redactor.text(one) for one in others)))
    return text.getvalue()


def _messages(messages: Sequence[sip_trace.Message], redactor: Redactor) -> Iterator[str]:
    for one in messages:
        yield redactor.known(f"=== {one.at_us} {one.leg} {one.source} -> {one.target}")
        yield redactor.sip(one.text).replace("\r\n", "\n")


def _tell_gaps(
    bundle: Bundle,
    settings: Settings,
    story: Story,
    trace: CallTrace,
    wire: sip_trace.Wire,
    sound: Mapping[str, Any],
    rows: Collection[Sequence[str]],
) -> None:
    """What is not there, each with its reason."""
    if settings.switch != "asterisk":
        bundle.lack("simulated")
        return
    if not settings.trace_mb:
        bundle.lack("trace_off")
        return
    _tell_ring(bundle, settings, TRACE, "ari", story, is_empty=not trace.events)
    if not rows:
        bundle.lack("cel")
    for what, kept in (("ari", trace), ("sip", wire)):
        if kept.dropped:
            bundle.lack(f"{what}_dropped", count=kept.dropped)
        if kept.cut:
            bundle.lack(f"{what}_cut")
    if not settings.hep_port and not wire.messages:
        bundle.lack("hep_off")
        return
    _tell_ring(bundle, settings, WIRE, "sip", story, is_empty=not wire.messages)
    seen = {message.leg for message in wire.messages}
    if silent := sorted({row[2] for row in rows if row[6].startswith("PJSIP/")} - seen):
        bundle.lack("sip_legs", legs=silent)
    if quiet := sorted(seen - sound.keys()):
        bundle.lack("rtp", legs=quiet)


def _tell_ring(
    bundle: Bundle, settings: Settings, name: str, what: str, story: Story, *, is_empty: bool
) -> None:
    begins = ring.begins_at(settings.trace_dir, name)
    if begins is None:
        bundle.lack(f"{what}_never")
    elif begins // 1_000 > story.since + BEFORE_MS:
        bundle.lack(f"{what}_later", begins_at=begins // 1_000)
    elif is_empty:
        bundle.lack(f"{what}_nothing")


def _sign(bundle: Bundle, settings: Settings, story: Story, redactor: Redactor) -> None:
    """The manifest, and what the files are."""
    bundle.add("README.txt", README)
    manifest = {
        "call": redactor.known(story.id),
        "ids": sorted(redactor.known(one) for one in story.ids),
        "from": story.since,
        "to": story.until,
        "redacted": not redactor.with_numbers,
        "perezvon": version("perezvon"),
        "asterisk": _asterisk_version(settings),
        "missing": [
            {
                "what": key, **values,
                "ru": MISSING[key]["ru"].format(**values),
                "en": MISSING[key]["en"].format(**values),
            }
            for key, values in sorted(bundle.missing.items())
        ],
        "files": {
            name: {
                "lines": text.count("\n"),
                "sha256": hashlib.sha256(text.encode()).hexdigest(),
            }
            for name, text in sorted(bundle.files.items())
        },
    }  # fmt: skip
    bundle.add("manifest.json", json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")


def _asterisk_version(settings: Settings) -> str | None:
    if settings.switch != "asterisk":
        return None
    try:
        pbx = install.find(settings.asterisk, settings.cache_dir)
    except install.AsteriskMissing:
        return None
    return pbx.version if pbx is not None else None
