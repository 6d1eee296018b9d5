"""CEL rows as Asterisk writes them, and as a crash or a stranger leaves them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perezvon.asterisk.cel import Arrival, CelKind, arrivals, instant, is_arrival, parse_line
from perezvon.core.ids import LegId

START = (
    '"CHAN_START","1795313468.540267","1795313468.0","1795313468.0","inbound-t","+74951234567",'
    '"PJSIP/trunk-carrier-00000000","+79161234567",""'
)
OURS = (
    '"CHAN_START","1795313468.554888","t-xc1/1c","t-xc1/1c","inbound-t","s",'
    '"PJSIP/trunk-carrier-00000001","",""'
)
HANGUP = (
    '"HANGUP","1795313468.607263","1795313468.0","1795313468.0","guard-t","s",'
    '"PJSIP/trunk-carrier-00000000","+79161234567",'
    '"{""hangupcause"":17,""hangupsource"":""x"",""dialstatus"":""""}"'
)
END = HANGUP.replace("HANGUP", "CHAN_END", 1).replace("607263", "607300")


def test_a_row_is_read() -> None:
    row = parse_line(HANGUP)
    assert row is not None
    assert (row.kind, row.at, row.leg, row.cause) == (
        CelKind.HANGUP, 1_795_313_468_607, "1795313468.0", 17,
    )  # fmt: skip


def test_an_arrival_is_a_start_on_a_trunk_by_itself() -> None:
    start, ours = parse_line(START), parse_line(OURS)
    assert start is not None
    assert ours is not None
    assert is_arrival(start, "t")
    assert not is_arrival(start, "other")
    assert not is_arrival(ours, "t")
    second_half = parse_line(START.replace('"1795313468.0","1795313468.0"', '"1.2","1.1"'))
    assert second_half is not None
    assert not is_arrival(second_half, "t")


@pytest.mark.parametrize(
    "line",
    ["", '"CHAN_START"', START[:60], START + ',"more"', START.replace("1795313468.540267", "noon"),
     START.replace('"1795313468.0","1795313468.0"', '"",""'), START.replace("CHAN_START", "HOLD"),
     '"CHAN_START","1","a"b","c","d","e","f","g","h"', "\x00" * 50],
)  # fmt: skip
def test_what_is_no_row_is_nothing(line: str) -> None:
    assert parse_line(line) is None


@pytest.mark.parametrize("extra", ["", "{", "[]", '{""hangupcause"":""x""}', "[" * 5_000])
def test_a_cause_that_cannot_be_read_is_none(extra: str) -> None:
    row = parse_line(HANGUP[: HANGUP.index('"{')] + f'"{extra}"')
    assert row is not None
    assert row.cause is None


@given(st.text(max_size=200))
def test_no_line_makes_reading_fail(line: str) -> None:
    assert parse_line(line) is None


def test_moments_are_read_to_the_millisecond() -> None:
    assert instant("1795313468.540267") == 1_795_313_468_540
    assert instant("1795313468") == 1_795_313_468_000
    assert instant("1795313468.5") == 1_795_313_468_500
    assert instant("-1.5") is None
    assert instant("9" * 30) is None


def test_all_arrivals_of_a_file_are_told_the_unfinished_last(tmp_path: Path) -> None:
    file = tmp_path / "cel.csv"
    waits = START.replace("1795313468.0", "1795313469.7").replace("540267", "600000")
    file.write_text(f"{START}\n{waits}\n{OURS}\nspoilt\n{HANGUP}\n{END}\n")
    assert list(arrivals(file, "t")) == [
        Arrival(LegId("1795313468.0"), "+74951234567", "+79161234567", 1_795_313_468_540,
                1_795_313_468_607),
        Arrival(LegId("1795313469.7"), "+74951234567", "+79161234567", 1_795_313_468_600),
    ]  # fmt: skip


SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "asterisk_samples"


@pytest.mark.samples
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples of other systems on this machine")
@pytest.mark.parametrize("name", ["CELMaster1.csv", "CELMaster2.csv", "good.csv", "buggy.csv"])
def test_files_of_other_systems_give_no_row_of_ours(name: str) -> None:
    lines = (SAMPLES / name).read_text(errors="replace").splitlines()
    assert lines
    assert [parse_line(line) for line in lines] == [None] * len(lines)
