"""queue_log of the fallback queue, ours and others'."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perezvon.asterisk.queue_log import QueueRow, is_connect, parse_line
from perezvon.core.ids import AgentId, LegId

CONNECT = "1795313470|1795313468.0|fallback-t|anna|CONNECT|2|t-x/1|1"


def test_an_answer_in_the_fallback_names_the_agent() -> None:
    row = parse_line(CONNECT)
    assert row == QueueRow(
        1_795_313_470_000, LegId("1795313468.0"), "fallback-t", AgentId("anna"), "CONNECT",
        ("2", "t-x/1", "1"),
    )  # fmt: skip
    assert row is not None
    assert is_connect(row, "t")
    assert not is_connect(row, "other")


def test_a_member_without_a_name_is_known_by_his_telephone() -> None:
    row = parse_line(CONNECT.replace("|anna|", "|PJSIP/anna|"))
    assert row is not None
    assert row.agent == "anna"


def test_nobody_is_no_agent() -> None:
    row = parse_line("1795313468|1795313468.0|fallback-t|NONE|ENTERQUEUE||+79161234567|1")
    assert row is not None
    assert row.agent is None
    assert not is_connect(row, "t")


@pytest.mark.parametrize(
    "line", ["", "|", "1795313470|1795313468.0|fallback-t|anna", "noon|a|b|c|CONNECT", "1||b|c|d"]
)
def test_what_is_no_row_is_nothing(line: str) -> None:
    assert parse_line(line) is None


@given(st.text(max_size=100))
def test_no_line_makes_reading_fail(line: str) -> None:
    row = parse_line(line)
    assert row is None or not is_connect(row, "t")


SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "asterisk_samples"


@pytest.mark.samples
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples of other systems on this machine")
@pytest.mark.parametrize(
    "name", ["queue_log_malariapbx_2023.log", "queue_log_sql_2013_excerpt.log"]
)
def test_logs_of_other_systems_are_read(name: str) -> None:
    rows = [parse_line(line) for line in (SAMPLES / name).read_text().splitlines() if line]
    assert rows
    assert all(row is not None for row in rows)
    assert "CONNECT" in {row.event for row in rows if row is not None}
