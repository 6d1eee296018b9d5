"""The demo as a newcomer starts it: the whole story over real SIP, and nothing left behind."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.asterisk import pbx
from tests.support.programs import is_running, perezvon, until

pytestmark = pytest.mark.asterisk

STORY_S = 180
"""What a newcomer is promised."""
PROGRAMS = 5
"""The town, asterisk, engine, web, worker."""


TALK_BYTES = 4_000 * 5
"""Of a recording of five seconds: people of the town speak, and the worker keeps it as an MP3."""


def test_a_newcomer_sees_the_whole_story(tmp_path: Path) -> None:
    pbx()
    with perezvon(
        "up", "--demo", "--data", str(tmp_path / "demo"), "--for", str(STORY_S),
        PEREZVON_LANGUAGE="en",
    ) as demo:  # fmt: skip
        demo.until_line("answers +7 916 111-00-01", STORY_S)
        demo.until_line("a missed call", STORY_S)
        demo.until_line("A debt is open", STORY_S)
        demo.until_line("Calling +7", STORY_S)
        demo.until_line("The debt is settled", STORY_S)
        demo.until_line("the ledger is in balance")
        assert demo.wait() == 0, demo.text
    assert "OUT OF BALANCE" not in demo.text
    assert ", starting it again" not in demo.text
    talks = list((tmp_path / "demo" / "recordings" / "kept").rglob("*.mp3"))
    assert any(one.stat().st_size > TALK_BYTES for one in talks), talks


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left_behind(tmp_path: Path, number: signal.Signals) -> None:
    pbx()
    with perezvon("up", "--demo", "--data", str(tmp_path / "demo"), PEREZVON_LANGUAGE="en") as demo:
        demo.until_line("Starting")
        until(lambda: len(demo.children()) >= PROGRAMS, "all programs run", 60)
        children = demo.children()
        os.kill(demo.process.pid, number)
        assert demo.wait() == (0 if number is not signal.SIGKILL else -number)
        until(lambda: not any(is_running(pid) for pid in children), "no child runs", 5)


def test_a_folder_with_things_of_others_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear diary")
    with perezvon("up", "--demo", "--data", str(tmp_path)) as demo:
        assert demo.wait() == 1
    assert str(tmp_path) in demo.text
    assert (tmp_path / "letter").exists()
