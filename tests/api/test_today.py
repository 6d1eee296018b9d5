"""What the web process adds to the live board: groups, targets, and today's counts."""

import asyncio
import dataclasses
from collections.abc import Callable

import msgspec
import pytest

from perezvon.api.today import midnight
from perezvon.core.ids import HOUR
from perezvon.core.plan import Targets
from perezvon.runtime.board import Mirror, Rows
from perezvon.store.plans import with_version
from tests.api.house import IVAN, OLGA, House, a_story
from tests.core.office import START

LIMIT_S = 20


def board_of(house: House, true: Callable[[dict[str, Rows]], bool]) -> dict[str, Rows]:
    """The board of somebody who looks until it is so."""

    async def look() -> dict[str, Rows]:
        live = house.app().state.live
        async with house.engine(), live.running():
            mirror = Mirror()
            async with asyncio.timeout(LIMIT_S):
                with live.followed(house.principal("act"), None) as follower:
                    while not true(mirror.board.sections):
                        mirror.take(msgspec.json.decode(await follower.next()))
            return mirror.board.sections

    return asyncio.run(look())


def counted(sections: dict[str, Rows]) -> bool:
    return "queues_today" in sections and "agents" in sections


def test_today_is_counted_by_queue_and_by_agent(house: House) -> None:
    a_story(house)
    leg = house.call(IVAN)
    house.office.later(2_000)
    house.hang_up(leg)
    house.save()
    house.wall = house.office.now
    sections = board_of(house, counted)
    assert sections["queues_today"]["sales"] == {
        "arrivals": 3,
        "answered": 1,
        "in_target": 1,
        "missed": 1,
    }
    assert sections["agents_today"]["ana"]["answered"] == 1
    assert sections["agents_today"]["bob"]["missed"] == 1


def test_an_answer_that_took_longer_than_the_target_is_not_in_it(house: House) -> None:
    house.call(IVAN)
    house.office.all_ring()
    house.office.later(4_000)
    house.office.answer(next(iter(house.office.rings())))
    house.save()
    house.wall = house.office.now
    strict = dataclasses.replace(house.plan, targets=Targets(wait_ms=1_000))
    house.apply(with_version(strict))
    sections = board_of(house, counted)
    assert sections["targets"]["all"]["wait_ms"] == 1_000
    counts = sections["queues_today"]["sales"]
    assert (counts["answered"], counts["in_target"]) == (1, 0)


def test_yesterday_is_not_today(house: House) -> None:
    a_story(house)
    house.wall = house.office.now + 24 * HOUR
    sections = board_of(house, lambda sections: "groups" in sections)
    assert "queues_today" not in sections
    assert "agents_today" not in sections


def test_groups_are_shown_by_their_names(house: House) -> None:
    sections = board_of(house, lambda sections: "groups" in sections)
    assert sections["groups"] == {"all": {"name": "All", "leader": None}}


def test_the_oldest_debt_of_a_queue_is_shown(house: House) -> None:
    a_story(house)
    began = house.office.now
    leg = house.call(OLGA)
    house.office.later(12_000)
    house.hang_up(leg)
    house.save()
    sections = board_of(house, lambda sections: "queues" in sections)
    assert sections["queues"]["sales"]["oldest_debt_at"] == began


@pytest.mark.parametrize(
    ("zone", "hours"), [("UTC", 14), ("Europe/Moscow", 17), ("Asia/Vladivostok", 0)]
)
def test_a_day_begins_at_midnight_of_the_tenants_zone(zone: str, hours: int) -> None:
    assert (START - midnight(START, zone)) // HOUR == hours
