"""Every file obeys our rules of writing, and every rule bites."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy import rules
from tests.tidy.tree import ROOT, name_of, python_files, text

LATER = "TO" + "DO"
MOCK = "from unittest import mo" + "ck"
SLEEP = "import time\ntime.sl" + "eep(0.1)"
ASYNC_SLEEP = "import asyncio\nawait asyncio.sl" + "eep({})"

BITES: list[tuple[rules.Rule, str, str]] = [
    (
        rules.functions_fit_a_screen,
        "def f():\n" + "    a()\n" * 60,
        "def f():\n" + "    a()\n" * 59,
    ),
    (rules.files_stay_short, '"""A."""\n' + "a = 1\n" * 500, '"""A."""\n' + "a = 1\n" * 499),
    (
        rules.files_stay_short,
        '"""A."""\n' + "a = 1\n" * 500,
        '"""Long because one table."""\n' + "a = 1\n" * 500,
    ),
    (rules.modules_say_their_role, "import os", '"""A role."""\nimport os'),
    (rules.nothing_is_left_for_later, f"a = 1  # {LATER}: more", "a = 1  # more"),
    (rules.words_are_the_glossarys, "def free_operators(): ...", "def free_agents(): ..."),
    (rules.words_are_the_glossarys, "class HuntGroup: ...", "class Group: ..."),
    (rules.words_are_the_glossarys, "def make_call_back(): ...", "def make_callback(): ..."),
    (rules.time_is_named_by_its_unit, "wait_seconds = 3", "wait_ms = 3_000"),
    (rules.channels_stay_in_the_switch, "def end(channel_id): ...", "def end(leg): ..."),
    (rules.fakes_not_mocks, MOCK, "from perezvon.sim.world import World"),
    (rules.fakes_not_mocks, "def test_it(mocker): ...", "def test_it(world): ..."),
    (rules.tests_do_not_sleep, SLEEP, "import threading\nthreading.Event().wait(0.1)"),
    (rules.tests_do_not_sleep, ASYNC_SLEEP.format(1), ASYNC_SLEEP.format(0.01)),
]


@pytest.mark.parametrize(("rule", "bad", "good"), BITES)
def test_a_rule_bites_and_lets_good_code_be(rule: rules.Rule, bad: str, good: str) -> None:
    assert list(rule(bad))
    assert not list(rule(good))


def test_every_rule_is_shown_to_bite_and_says_why() -> None:
    every = {*rules.EVERYWHERE, *rules.IN_SOURCE, *rules.IN_CORE, *rules.IN_TESTS}
    assert every == {rule for rule, _, _ in BITES}
    assert all(rule.__doc__ for rule in every)


def _broken(some: tuple[rules.Rule, ...], paths: tuple[Path, ...]) -> list[str]:
    return [
        f"{name_of(path)}: {finding} ({rule.__name__})"
        for path in paths
        for rule in some
        for finding in rule(text(path))
    ]


def test_every_file_obeys() -> None:
    assert not _broken(rules.EVERYWHERE, python_files())


def test_the_source_speaks_the_glossarys_words() -> None:
    assert not _broken(rules.IN_SOURCE, python_files("src"))


def test_the_deciding_part_names_time_by_its_unit_and_knows_no_switch() -> None:
    deciding = python_files("src/perezvon/core", "src/perezvon/metrics")
    assert not _broken(rules.IN_CORE, deciding)


def test_tests_use_working_fakes_and_do_not_sleep() -> None:
    assert not _broken(rules.IN_TESTS, python_files("tests"))


@pytest.mark.parametrize(
    ("code", "source"),
    [
        ("ERA001", "# total = wait_ms + talk_ms\n"),
        ("T201", "print(1)\n"),
        ("BLE001", "try:\n    pass\nexcept Exception:\n    pass\n"),
        ("DTZ005", "import datetime\n\ndatetime.datetime.now()\n"),
    ],
)
def test_ruff_sees_what_we_leave_to_it(code: str, source: str) -> None:
    """Commented-out code, prints, broad excepts and clocks without a zone need no rule of ours,
    as long as nobody takes them out of ruff's settings.
    """
    ruff = [sys.executable, "-m", "ruff", "check", "--output-format=concise"]
    done = subprocess.run(
        [*ruff, "--stdin-filename", "src/perezvon/core/example.py", "-"],
        cwd=ROOT,
        input=f'"""An example."""\n\n{source}',
        capture_output=True,
        text=True,
        check=False,
    )
    assert code in done.stdout
