"""A talk between a caller and a browser on a real Asterisk, heard again from its recording."""

import shutil
from pathlib import Path
from threading import Event

import pytest

from perezvon.bootstrap.recorder import Recorder, RecorderOptions
from perezvon.core.ids import MINUTE
from perezvon.store.books import Books
from perezvon.store.calls import list_calls
from perezvon.store.database import Location
from perezvon.store.journal import wall_clock
from perezvon.store.recordings import recordings_of
from tests.support.browser import MICROPHONE_HZ, House, both_ways, house
from tests.support.hearing import loudest_tones
from tests.support.sipp import until_now
from tests.support.tone import Ear

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("browser")]

CALLER_HZ = 440


def recorded(place: House) -> str:
    """What the worker makes of it; the recording."""
    books = Books.open(Location(place.engine.settings.data_dir))
    folder = place.engine.settings.recordings_dir
    # Of an installation they are one folder; a test's switch has one of its own.
    wavs = place.running.process.places.recordings
    try:
        until_now(lambda: list_calls(books.fresh()).items[0].ended_at is not None, 15, lambda: "")
        for path in Path(wavs).glob("*.wav"):
            shutil.move(path, folder / path.name)
        options = RecorderOptions(Location(place.engine.settings.data_dir), folder)
        recorder = Recorder(options, Event(), lambda: wall_clock() + MINUTE)
        recorder.work()
        recorder.close()
        (call,) = list_calls(books.fresh()).items
        (row,) = recordings_of(books.stored, call.id)
        assert not list(folder.glob("*.wav"))
        return row.id
    finally:
        books.close()


def test_the_agent_is_heard_on_the_left_and_the_caller_on_the_right(tmp_path: Path) -> None:
    with house(tmp_path, ("anna",)) as place, place.browser() as browser, Ear(CALLER_HZ) as ear:
        phone = place.softphone(browser, "anna")
        phone.until("state === 'ready'")
        place.engine.sign_in("anna")
        with place.caller(ear) as caller:
            phone.talk()
            both_ways(phone.page, ear)
            phone.do("hangUp()")
            until_now(lambda: bool(caller.of("ended_by_other")), 15, caller.trouble)
        page = place.page(browser, None, "supervisor")
        page.goto("/")
        heard = loudest_tones(page, recorded(place))
    assert heard["sides"] == 2
    assert abs(heard["left"] - MICROPHONE_HZ) <= 20, heard
    assert abs(heard["right"] - CALLER_HZ) <= 20, heard
    assert heard["seconds"] > 1
