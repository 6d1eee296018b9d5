"""Hearing recordings over HTTP: in parts, by who may, and every listening in the audit log."""

import asyncio
from dataclasses import replace
from pathlib import Path
from threading import Event

import httpx
import pytest

from perezvon.bootstrap.recorder import Recorder, RecorderOptions
from perezvon.core.events import PlanChanged
from perezvon.core.ids import MINUTE, ProjectId
from perezvon.core.plan import Project
from perezvon.store.plans import with_version
from perezvon.store.recordings import recordings_of
from tests.api.house import House
from tests.bootstrap.test_recorder import call_of, ended_talk, talk
from tests.support.tones import write_take

SIZE = 12_384


def recorded(house: House) -> tuple[str, str, bytes]:
    """A talk with its MP3: call, recording, bytes."""
    stem = ended_talk(house)
    write_take(house.recordings, stem, at_ms=house.office.now)
    house.books.fresh()
    options = RecorderOptions(house.location, house.recordings)
    recorder = Recorder(options, Event(), lambda: house.office.now + MINUTE)
    recorder.work()
    recorder.close()
    call = call_of(house, stem)
    (row,) = recordings_of(house.books.stored, call)
    return call, row.id, (house.recordings / row.file).read_bytes()


def test_a_call_lists_its_recordings_and_each_can_be_heard_and_drawn(house: House) -> None:
    call, id_, data = recorded(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        listed = (await client.get(f"/calls/{call}/recordings")).json()
        (item,) = listed["items"]
        assert (item["id"], item["duration_ms"], item["size"]) == (id_, 3_000, len(data))
        assert listed["is_pending"] is False
        heard = await client.get(f"/recordings/{id_}")
        assert (heard.status_code, heard.content) == (200, data)
        assert heard.headers["content-type"] == "audio/mpeg"
        assert heard.headers["accept-ranges"] == "bytes"
        assert heard.headers["content-disposition"].startswith("inline")
        kept = await client.get(f"/recordings/{id_}?download=true")
        assert kept.headers["content-disposition"] == f'attachment; filename="{id_}.mp3"'
        peaks = (await client.get(f"/recordings/{id_}/peaks")).json()
        assert (len(peaks["agent"]), len(peaks["client"])) == (30, 30)

    house.serve(scenario, "act")


PARTS = {
    "bytes=0-99": (0, 99),
    "bytes=100-": (100, None),
    "bytes=-50": (-50, None),
    "Bytes= 5-5": (5, 5),
    "bytes=10-999999999": (10, None),
    "bytes=-999999999": (0, None),
}


@pytest.mark.parametrize("header", PARTS)
def test_a_part_is_served_as_a_part(house: House, header: str) -> None:
    _, id_, data = recorded(house)
    first, last = PARTS[header]
    wanted = data[first:] if last is None else data[first : last + 1]

    async def scenario(client: httpx.AsyncClient) -> None:
        part = await client.get(f"/recordings/{id_}", headers={"Range": header})
        begins = len(data) + first if first < 0 else first
        assert (part.status_code, part.content) == (206, wanted)
        ends = begins + len(wanted) - 1
        assert part.headers["content-range"] == f"bytes {begins}-{ends}/{len(data)}"
        assert part.headers["content-length"] == str(len(wanted))

    house.serve(scenario, "act")


NO_PARTS = [
    "bytes=999999999-", "bytes=5-2", "bytes=-0", "bytes=-", "bytes=", "bytes=a-b", "bytes=0-1,4-5",
    "bytes=0-" + "9" * 60, "bytes=--5", "bytes=" + ",".join("0-" for _ in range(60)),
]  # fmt: skip


@pytest.mark.parametrize("header", NO_PARTS)
def test_no_part_and_many_parts_are_refused(house: House, header: str) -> None:
    _, id_, data = recorded(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.get(f"/recordings/{id_}", headers={"Range": header})
        assert (reply.status_code, reply.json()["error"]["code"]) == (416, "no_such_range")
        assert reply.headers["content-range"] == f"bytes */{len(data)}"

    house.serve(scenario, "act")


def test_a_part_of_another_version_is_the_whole(house: House) -> None:
    _, id_, data = recorded(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        path = f"/recordings/{id_}"
        tag = (await client.get(path)).headers["etag"]
        for asked, status in ((tag, 206), ('"other"', 200)):
            headers = {"Range": "bytes=0-9", "If-Range": asked}
            assert (await client.get(path, headers=headers)).status_code == status
        unknown = await client.get(path, headers={"Range": "pages=1-2"})
        assert (unknown.status_code, unknown.content) == (200, data)

    house.serve(scenario, "act")


def test_no_id_leads_out_of_the_folder(house: House) -> None:
    recorded(house)
    (house.recordings / "secret.mp3").write_bytes(b"secret")
    ids = ["../secret", "..%2fsecret", "secret", "kept", "%2e%2e%2fjournal.db", "x" * 200, "%00"]

    async def scenario(client: httpx.AsyncClient) -> None:
        for id_ in ids:
            for path in (f"/recordings/{id_}", f"/recordings/{id_}/peaks"):
                reply = await client.get(path)
                assert reply.status_code in (404, 422), (id_, reply.status_code)
                assert b"secret" not in reply.content

    house.serve(scenario, "act")


def test_a_recording_whose_file_is_gone_is_told_so(house: House) -> None:
    _, id_, _ = recorded(house)
    for path in Path(house.recordings).rglob("*.mp3"):
        path.unlink()

    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.get(f"/recordings/{id_}")
        assert (reply.status_code, reply.json()["error"]["code"]) == (410, "gone")

    house.serve(scenario, "act")


def test_a_call_that_goes_on_has_a_recording_to_come(house: House) -> None:
    stem, _ = talk(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        listed = (await client.get(f"/calls/{call_of(house, stem)}/recordings")).json()
        assert listed == {"items": [], "is_pending": True}
        assert (await client.get("/calls/nothing/recordings")).status_code == 404

    house.serve(scenario, "act")


def with_project(house: House) -> None:
    """The one number is the shop's."""
    project = ProjectId("shop")
    dids = tuple(replace(did, project=project) for did in house.plan.dids)
    plan = replace(house.plan, dids=dids, projects=(Project(project, "Shop"),))
    house.office.tell(PlanChanged(with_version(plan)))
    house.save()


def test_a_viewer_hears_what_came_to_his_project_and_nothing_else(house: House) -> None:
    with_project(house)
    call, id_, _ = recorded(house)
    house.user("viewer", "theirs", projects=frozenset({"shop"}))
    house.user("viewer", "others", projects=frozenset({"other"}))
    paths = (f"/calls/{call}/recordings", f"/recordings/{id_}", f"/recordings/{id_}/peaks")

    async def scenario() -> None:
        app = house.app()
        for login, status in (("theirs", 200), ("others", 404)):
            async with house.page(app, login) as client:
                for path in paths:
                    assert (await client.get(path)).status_code == status, (login, path)

    asyncio.run(scenario())


def test_each_hearing_is_in_the_audit_log_once_however_many_parts_it_has(house: House) -> None:
    _, id_, _ = recorded(house)
    house.user("supervisor", "boss")

    async def scenario() -> None:
        app = house.app()
        async with house.page(app, "boss") as client:
            for first in (0, 1_000, 2_000):
                await client.get(f"/recordings/{id_}", headers={"Range": f"bytes={first}-"})
            await client.get(f"/recordings/{id_}/peaks")
        async with house.client(app, "admin") as client:
            rows = (await client.get("/audit")).json()["items"]
        heard = [row for row in rows if row["action"] == "GET /recordings/{recording}"]
        assert [(row["who"], row["object"], row["status"]) for row in heard] == [
            ("the supervisor", {"recording": id_}, 206)
        ]

    asyncio.run(scenario())
