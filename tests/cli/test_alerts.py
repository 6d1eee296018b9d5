"""Alerts where people look: above the board, and as a command of their own."""

import asyncio
import io
import json
import re
from collections.abc import Callable

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from perezvon import cli
from perezvon.cli.common import Language
from perezvon.cli.frames import ABOUT_MAX, Sections, View, frame
from perezvon.core.ids import MINUTE, SECOND
from perezvon.runtime.actions import engine_actions
from perezvon.runtime.alert_words import MEANINGS
from perezvon.runtime.alerts import AlertKind
from perezvon.runtime.local import LocalServer
from tests.api.house import House

NOW = 1_790_000_000_000
WELL: Sections = {"guard": {"engine": {"up": True, "beating": True}}}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.make(arguments[0]), list(arguments))


def with_engine(house: House, act: Callable[[], Result]) -> Result:
    async def scenario() -> Result:
        async with house.engine():
            return await asyncio.to_thread(act)

    return asyncio.run(scenario())


def alert(kind: str, about: str = "", *, ago_ms: int) -> dict[str, object]:
    return {"kind": kind, "about": about, "since_at": NOW - ago_ms, "detail": ""}


def sections(*alerts: dict[str, object], **others: dict[str, dict[str, object]]) -> Sections:
    rows = {f"{each['kind']}/{each['about']}": each for each in alerts}
    return {**WELL, **others, "alerts": rows}


def drawn(board: Sections, language: Language = "en", height: int = 200) -> list[str]:
    console = Console(file=io.StringIO(), width=250, force_terminal=False)
    console.print(frame(board, View(language, NOW, str, height)))
    assert isinstance(console.file, io.StringIO)
    return [line.strip() for line in console.file.getvalue().splitlines()]


# Above the board.


def test_the_oldest_alert_is_the_first_line_of_the_board_with_how_long_it_lasts() -> None:
    lines = drawn(
        sections(
            alert("journal_slow", ago_ms=7 * SECOND), alert("trunk_down", "mts", ago_ms=4 * MINUTE)
        )
    )
    assert lines[0].startswith("4:00  mts: The carrier does not answer. Calls over this trunk")
    assert lines[1].startswith("0:07  A commit to the journal takes over a second.")
    assert lines[2] == "Waiting: 0"


@pytest.mark.parametrize("kind", AlertKind)
@pytest.mark.parametrize("language", ["ru", "en"])
def test_each_kind_is_told_in_words(kind: AlertKind, language: Language) -> None:
    line = drawn(sections(alert(kind, "it", ago_ms=SECOND)), language)[0]
    assert line == f"0:01  it: {MEANINGS[kind][language].text}"


def test_many_alerts_of_a_kind_have_one_line_and_do_not_hide_another_kind() -> None:
    phones = [alert("phone_away", f"a{number}", ago_ms=MINUTE) for number in range(50)]
    lines = drawn(sections(*phones, alert("guard_down", ago_ms=SECOND)), height=24)
    assert lines[0].startswith(f"1:00  a0, a1, a2, a3, a4 and {50 - ABOUT_MAX} more: ")
    assert lines[1].startswith("0:01  The engine gives no heartbeat.")


def test_more_kinds_than_fit_are_counted() -> None:
    lines = drawn(sections(*(alert(kind, ago_ms=SECOND) for kind in AlertKind)), height=24)
    assert lines[6] == f"and {len(AlertKind) - 6} more"
    assert lines[7].startswith("Waiting")


def test_what_an_alert_says_is_not_said_twice() -> None:
    trunks: dict[str, dict[str, object]] = {"mts": {"up": False}, "tele2": {"up": False}}
    stopped: dict[str, dict[str, object]] = {"engine": {"up": True, "beating": False}}
    told = drawn(
        sections(
            alert("guard_down", ago_ms=SECOND),
            alert("trunk_down", "mts", ago_ms=SECOND),
            guard=stopped,
            trunks=trunks,
        )
    )
    assert told[0] == "trunk down: tele2"
    assert told[3].startswith("Waiting")
    untold = drawn(sections(guard=stopped, trunks=trunks))
    assert untold[:2] == ["callers go to the fallback queue", "trunk down: mts, tele2"]


def test_an_alert_cannot_steer_the_terminal_and_one_of_another_release_is_shown() -> None:
    line = drawn(sections(alert("moon_away", "\x1b[2J[red]it", ago_ms=SECOND)))[0]
    assert line == "0:01  \ufffd[2J[red]it: moon_away"


def test_a_frame_of_a_running_engine_has_its_alerts(house: House) -> None:
    house.alerts.raise_(AlertKind.PHONE_AWAY, "ana")
    house.save()
    frames = with_engine(house, lambda: run("watch", "--once"))
    assert frames.exit_code == 0
    assert "ana: The telephone of an agent who is signed in" in frames.output.splitlines()[0]


# As a command of their own.


def test_open_alerts_are_listed_with_what_to_do_and_are_an_exit_status(house: House) -> None:
    house.alerts.raise_(AlertKind.TRUNK_DOWN, "mts", "the carrier does not answer")
    house.alerts.raise_(AlertKind.TRUNK_DOWN, "tele2")
    result = with_engine(house, lambda: run("alerts"))
    assert result.exit_code == 1
    head, first, second, _, *words = result.output.splitlines()
    assert head.split() == ["lasts", "alert", "about", "detail"]
    assert re.search(r"trunk_down +mts +the carrier does not answer$", first)
    assert re.search(r"trunk_down +tele2$", second)
    assert words == [
        "trunk_down: The carrier does not answer.",
        "  Callers: Calls over this trunk do not come in; call-backs wait and use up no attempt.",
        "  What to do: Check the network and the trunk's address in the plan; ring the carrier.",
    ]
    assert (
        "Что делать: Проверьте сеть"
        in with_engine(house, lambda: run("alerts", "--lang", "ru")).output
    )


def test_no_open_alert_is_said_and_is_status_zero(house: House) -> None:
    house.alerts.raise_(AlertKind.TRUNK_DOWN, "mts")
    house.alerts.clear(AlertKind.TRUNK_DOWN, "mts")
    result = with_engine(house, lambda: run("alerts"))
    assert (result.exit_code, result.output) == (0, "No alert is open.\n")
    for_programs = with_engine(house, lambda: run("alerts", "--json"))
    assert (for_programs.exit_code, for_programs.output) == (0, "")


def test_a_program_gets_a_line_for_each_with_the_keys_of_the_api(house: House) -> None:
    house.alerts.raise_(AlertKind.REGISTRATION_LOST, "mts", "refused")
    result = with_engine(house, lambda: run("alerts", "--json"))
    assert result.exit_code == 1
    (told,) = [json.loads(line) for line in result.output.splitlines()]
    assert list(told) == ["kind", "about", "since_at", "detail", "text", "advice"]
    assert (told["kind"], told["about"]) == ("registration_lost", "mts")
    assert told["since_at"] == house.office.now


@pytest.mark.usefixtures("house")
def test_an_engine_that_is_away_is_neither_well_nor_an_alert() -> None:
    away = run("alerts")
    assert (away.exit_code, "perezvon up" in away.stderr) == (2, True)


def test_an_engine_of_another_release_that_does_not_say_is_not_taken_for_well(
    house: House,
) -> None:
    async def scenario() -> Result:
        actions = engine_actions(lambda: house.office.engine, lambda _event: asyncio.sleep(0))
        server = LocalServer(house.socket, actions, house.feed)
        await server.start()
        try:
            return await asyncio.to_thread(run, "alerts")
        finally:
            await server.stop()

    assert asyncio.run(scenario()).exit_code == 2
