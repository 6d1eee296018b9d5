"""What the command line tells and does, with the system running and without it."""

import asyncio
import json
import os
import pty
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from perezvon import cli
from perezvon.cli.common import moment
from perezvon.core import snapshot
from perezvon.core.facts import Status
from perezvon.core.ids import LegId
from perezvon.settings import Settings
from perezvon.store.database import Name
from tests.api.house import IVAN, OLGA, PETR, House, a_story
from tests.core.office import ANA

KEYS = [
    "arrivals",
    "in_progress",
    "answered",
    "recovered",
    "reached_us",
    "waived",
    "open",
    "debts_open",
    "balanced",
    "reconciliation",
]
LIMIT_S = 30


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.make(arguments[0]), list(arguments))


def with_engine(house: House, act: Callable[[], Result]) -> Result:
    async def scenario() -> Result:
        async with house.engine():
            return await asyncio.to_thread(act)

    return asyncio.run(scenario())


def test_the_ledger_is_counted_without_a_running_system(house: House) -> None:
    a_story(house)
    result = run("ledger", "--json")
    assert result.exit_code == 0
    counts = json.loads(result.output)
    assert list(counts) == KEYS
    assert (counts["arrivals"], counts["answered"], counts["open"]) == (2, 1, 1)
    assert counts["balanced"] is True


def test_a_ledger_out_of_balance_is_an_exit_status(house: House) -> None:
    a_story(house)
    assert run("ledger").exit_code == 0
    with house.books.stored.write() as connection:
        connection.execute(text("UPDATE calls SET state = 'answered' WHERE state = 'open'"))
    result = run("ledger", "--lang", "ru")
    assert result.exit_code == 1
    assert "РЕЕСТР НЕ СХОДИТСЯ" in result.output
    assert json.loads(run("ledger", "--json").output)["balanced"] is False


def test_the_ledger_is_told_in_both_languages(house: House) -> None:
    a_story(house)
    assert "The ledger balances." in run("ledger").output
    assert "Реестр сходится." in run("ledger", "--lang", "ru").output


def test_without_a_second_witness_the_ledger_says_so(house: House) -> None:
    a_story(house)
    assert "No second witness" in run("ledger").output
    assert "Второго свидетеля нет" in run("ledger", "--lang", "ru").output


def test_the_ledger_tells_that_two_accounts_agree(house: House) -> None:
    house.witness(PETR, in_fallback=True)
    house.save()
    result = run("ledger")
    assert result.exit_code == 0
    assert "The two accounts agree." in result.output
    told = json.loads(run("ledger", "--json").output)["reconciliation"]
    assert (told["cel_arrivals"], told["fallback_calls"], told["difference"]) == (1, 1, 0)


def test_a_difference_of_the_two_accounts_is_an_exit_status(house: House) -> None:
    a_story(house)
    house.witness(PETR, in_fallback=False)
    house.save()
    result = run("ledger")
    assert result.exit_code == 1
    assert "The ledger balances." in result.output
    assert "THE TWO ACCOUNTS DIFFER" in result.output
    assert "СВЕРКА НЕ СХОДИТСЯ" in run("ledger", "--lang", "ru").output
    counts = json.loads(run("ledger", "--json").output)
    assert (counts["open"], counts["reconciliation"]["unheard"]) == (2, 1)
    assert counts["reconciliation"]["difference"] == 1


def test_the_ledger_counts_from_a_moment(house: House) -> None:
    a_story(house)
    later = str(house.office.now + 1)
    assert json.loads(run("ledger", "--json", "--since", later).output)["arrivals"] == 0
    early = run("ledger", "--json", "--since", "2020-01-01")
    assert json.loads(early.output)["arrivals"] == 2
    wrong = run("ledger", "--since", "yesterday")
    assert wrong.exit_code == 1
    assert "2026-09-21" in wrong.stderr


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ("30m", 100_000_000_000_000 - 1_800_000),
        ("7d", 100_000_000_000_000 - 604_800_000),
        ("999999d", 13_600_086_400_000),
        ("1790000000000", 1_790_000_000_000),
        ("2026-09-21", 1_789_938_000_000),
        ("2026-09-21T12:00", 1_789_981_200_000),
        ("2026-09-21T12:00Z", 1_789_992_000_000),
        ("-5m", None),
        ("", None),
        ("1y", None),
        ("2026-13-01", None),
    ],
)
def test_a_moment_is_read_in_the_tenants_zone(given: str, at: int | None) -> None:
    assert moment(given, 100_000_000_000_000, "Europe/Moscow") == at


def test_without_any_store_nothing_is_made(ours: Settings) -> None:
    for command in (["ledger"], ["calls"], ["debts"], ["explain", "c1"], ["agents"]):
        result = run(*command)
        assert result.exit_code == 2
        assert "perezvon up" in result.stderr
    assert not (ours.data_dir / "perezvon.db").exists()


def test_calls_and_debts_are_listed_with_numbers(house: House) -> None:
    a_story(house)
    calls = run("calls").output
    assert IVAN in calls
    assert "called back" not in calls
    assert len(run("calls", "--limit", "1").output.splitlines()) == 2
    (first, _) = [json.loads(line) for line in run("calls", "--json").output.splitlines()]
    assert (first["number"], first["state"]) == (OLGA, "open")
    debts = run("debts", "--lang", "ru").output
    assert OLGA in debts
    assert "должны" in debts
    assert json.loads(run("debts", "--json").output)["owner"] == "ana"


def test_a_name_cannot_steer_the_terminal(house: House) -> None:
    person = house.directory.person_of(IVAN, "\x1b[2J[red]evil")
    assert person
    a_story(house)
    house.office.engine.agents[ANA].reason = "\x1b[31mred"
    house.save()
    result = with_engine(house, lambda: run("watch", "--once"))
    assert "\x1b" not in result.output


def test_a_call_is_explained(house: House) -> None:
    a_story(house)
    first = json.loads(run("calls", "--json").output.splitlines()[0])
    english = run("explain", first["id"]).output
    assert "2026-09-21 Europe/Moscow" in english
    assert "Ringing: Bob. Rule: longest idle, step 1." in english
    assert "Мы должны перезвонить" in run("explain", first["debt"], "--lang", "ru").output
    assert run("explain", first["id"], "--full").exit_code == 0
    unknown = run("explain", "nothing")
    assert (unknown.exit_code, unknown.output) == (1, "There is no call and no debt nothing.\n")


def test_every_choice_is_shown_with_how_everybody_stood(house: House) -> None:
    a_story(house)
    first = json.loads(run("calls", "--json").output.splitlines()[0])
    told = run("explain", first["id"], "--full").output
    choices = told.split("\n\n")[1:]
    assert choices[0].splitlines()[1:] == [
        "  Ana: talking (talking, 17:13:24)",
        "  Bob: chosen (ringing, 17:13:33)",
    ]
    assert "выбран" in run("explain", first["id"], "--full", "--lang", "ru").output


def test_a_snapshot_between_changes_nothing_of_what_a_replay_tells(house: House) -> None:
    a_story(house)
    seq = house.seq
    state = snapshot.take(house.office.engine)
    (talk,) = (each for each in house.office.engine.calls.values() if each.won)
    house.hang_up(LegId(str(talk.client)))
    leg = house.call("+79160000003")
    house.office.later(12_000)
    house.hang_up(leg)
    house.save()
    newest = json.loads(run("calls", "--json").output.splitlines()[0])["id"]
    from_the_beginning = run("explain", newest, "--full").output
    assert "chosen" in from_the_beginning
    house.journal.save_snapshot(seq, house.office.now, state)
    with sqlite3.connect(house.location.file(Name.JOURNAL)) as journal:
        journal.execute("DELETE FROM journal WHERE seq <= ?", [seq])
    journal.close()
    assert run("explain", newest, "--full").output == from_the_beginning
    oldest = json.loads(run("calls", "--json").output.splitlines()[-1])["id"]
    forgotten = run("explain", oldest, "--full")
    assert forgotten.exit_code == 2
    assert "does not reach back so far" in forgotten.stderr
    assert "Answered by Ana" in forgotten.stdout


def test_agents_are_shown(house: House) -> None:
    house.save()
    assert "Ana" in run("agents").output
    assert "свободен" in run("agents", "--lang", "ru").output


def test_a_status_is_chosen(house: House) -> None:
    result = with_engine(house, lambda: run("agents", "ana", "paused", "lunch"))
    assert (result.exit_code, result.output) == (0, "ana: paused\n")
    state = house.office.engine.agents[ANA]
    assert (state.status, state.reason) == (Status.PAUSED, "lunch")


def test_a_status_that_cannot_be_is_refused(house: House) -> None:
    unknown = with_engine(house, lambda: run("agents", "zoe", "paused"))
    assert (unknown.exit_code, unknown.stderr) == (1, "The plan has no agent zoe.\n")
    assert run("agents", "ana", "talking").exit_code == 1
    assert run("agents", "ana").exit_code == 1
    away = run("agents", "ana", "paused")
    assert (away.exit_code, "perezvon up" in away.stderr) == (2, True)


def test_tokens_are_made_listed_and_revoked(house: House) -> None:
    made = run("token", "create", "wall board", "--scope", "act", "--quiet")
    secret = made.output.strip()
    assert secret.startswith("pz_")
    listed = run("token", "list").output
    assert secret not in listed
    (line,) = [line for line in listed.splitlines() if "wall board" in line]
    assert run("token", "revoke", line.split()[0]).exit_code == 0
    assert run("token", "revoke", line.split()[0]).exit_code == 1
    assert run("token", "create", "x", "--scope", "god").exit_code != 0
    assert run("token", "create", " ").exit_code == 1
    assert len(house.tokens) == 3


def test_one_frame_of_the_board(house: House) -> None:
    house.call(IVAN)
    house.save()
    frame = with_engine(house, lambda: run("watch", "--once"))
    assert frame.exit_code == 0
    assert "Waiting: 1" in frame.output
    assert IVAN in frame.output
    assert "Ana, Bob" in frame.output
    assert "The ledger balances." in frame.output
    russian = with_engine(house, lambda: run("watch", "--once", "--lang", "ru"))
    assert "Ждут: 1" in russian.output
    away = run("watch", "--once")
    assert (away.exit_code, "perezvon up" in away.stderr) == (2, True)


def test_the_board_lives_in_a_terminal_until_ctrl_c(house: House) -> None:
    async def scenario() -> tuple[int, bytes]:
        async with house.engine():
            return await asyncio.to_thread(_watch_in_a_terminal)

    status, shown = asyncio.run(scenario())
    assert status == 0, shown[-2_000:]
    assert b"Traceback" not in shown


def _watch_in_a_terminal() -> tuple[int, bytes]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "perezvon", "watch"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    deadline = time.monotonic() + LIMIT_S
    try:
        while b"Ana" not in shown and time.monotonic() < deadline:
            shown += _read(ours)
        assert b"Ana" in shown, shown[-2_000:]
        process.send_signal(signal.SIGINT)
        while process.poll() is None and time.monotonic() < deadline:
            shown += _read(ours)
        assert process.returncode is not None, shown[-2_000:]
        return process.returncode, shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read(descriptor: int) -> bytes:
    ready, _, _ = select.select([descriptor], [], [], 0.1)
    try:
        return os.read(descriptor, 65_536) if ready else b""
    except OSError:  # the other end is closed: nothing more will come
        return b""


def test_every_command_is_in_the_help() -> None:
    shown = CliRunner().invoke(cli.make(), ["--help"], env={"COLUMNS": "200"}).output
    for name in (
        "up",
        "watch",
        "alerts",
        "ledger",
        "calls",
        "debts",
        "explain",
        "agents",
        "plan",
        "token",
    ):
        assert f" {name} " in shown
    assert " engine " not in shown


def test_the_version_is_told(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "perezvon", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT_S,
    )
    assert done.stdout.strip().count(".") >= 1
