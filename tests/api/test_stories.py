"""The page of one call: its story, with call-backs; a search by number; evidence to take along."""

import asyncio
import io
import zipfile

import httpx
import pytest

from perezvon.bootstrap.evidence_child import EvidenceChild
from perezvon.runtime.ports import Unavailable
from perezvon.settings import Settings
from tests.api.house import IVAN, OLGA, House, a_story
from tests.core.office import ANA


def test_a_missed_call_tells_its_stages_its_debt_and_its_callbacks(house: House) -> None:
    a_story(house)
    house.office.later(60_000)
    house.save()

    async def scenario(client: httpx.AsyncClient) -> None:
        newest = (await client.get("/calls")).json()["items"][0]
        story = (await client.get(f"/calls/{newest['id']}/story")).json()
        assert (story["kind"], story["state"], story["number"]) == ("call", "open", OLGA)
        assert (story["queue_name"], story["zone"]) == ("Sales", "Europe/Moscow")
        assert (story["debt"]["id"], story["debt"]["owner_name"]) == (newest["debt"], "Ana")
        call, *callbacks = story["parts"]
        assert [stage["stage"] for stage in call["stages"]][:2] == ["waiting", "ringing"]
        assert call["stages"][1]["outcome"] == "missed"
        assert [part["kind"] for part in callbacks] == ["callback"] * len(callbacks)
        assert callbacks

    house.serve(scenario, "act")


def test_a_callback_has_a_page_and_a_reason_of_its_own(house: House) -> None:
    a_story(house)
    house.office.later(60_000)
    house.save()

    async def scenario(client: httpx.AsyncClient) -> None:
        attempt = (await client.get("/attempts")).json()["items"][0]
        story = (await client.get(f"/calls/{attempt['call']}/story")).json()
        assert (story["kind"], story["number"]) == ("callback", OLGA)
        assert story["outcome"] == attempt["outcome"]
        assert [part["call"] for part in story["parts"]] == [attempt["call"]]
        assert story["debt"]["first_call"] != attempt["call"]
        told = (await client.get(f"/calls/{attempt['call']}/explanation?lang=en")).json()["lines"]
        assert told[0]["key"] == "attempt_started"
        assert told[-1]["key"] == f"attempt_{attempt['outcome']}"
        heard = (await client.get(f"/calls/{attempt['call']}/recordings")).json()
        assert heard["items"] == []

    house.serve(scenario, "act")


def test_a_wrap_up_ends_with_the_agents_next_status(house: House) -> None:
    leg = house.call(IVAN)
    house.office.all_ring()
    house.office.answer(ANA)
    house.hang_up(leg)
    ended_at = house.office.now
    house.office.later(60_000)
    house.save()

    async def scenario(client: httpx.AsyncClient) -> None:
        (call,) = (await client.get("/calls")).json()["items"]
        (part,) = (await client.get(f"/calls/{call['id']}/story")).json()["parts"]
        (wrap_up,) = (one for one in part["stages"] if one["stage"] == "wrap_up")
        assert (wrap_up["from_at"], wrap_up["to_at"]) == (ended_at, ended_at + 10_000)

    house.serve(scenario, "act")


def test_numbers_of_a_story_are_masked_for_who_only_reads(house: House) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        for call in (await client.get("/calls")).json()["items"]:
            text = (await client.get(f"/calls/{call['id']}/story")).text
            assert OLGA not in text
            assert IVAN not in text
            assert "Иван" not in text

    house.serve(scenario)


@pytest.mark.parametrize(
    "written", [IVAN, "8 (916) 123-45-67", "8916 123 45 67", " +7-916-123-45-67 "]
)
def test_a_client_is_found_by_his_number_however_it_is_written(house: House, written: str) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        found = (await client.post("/persons/search", json={"number": written})).json()
        calls = (await client.get("/calls", params={"person": found["person"]})).json()["items"]
        assert [call["number"] for call in calls] == [IVAN]

    house.serve(scenario, "act")


def test_what_is_no_number_finds_nobody_and_a_search_is_not_in_the_audit_log(house: House) -> None:
    a_story(house)

    async def scenario(client: httpx.AsyncClient) -> None:
        for text in ("Иван", "+", "anonymous", "9" * 60):
            reply = await client.post("/persons/search", json={"number": text})
            assert reply.json() == {"person": None}
        assert (await client.post("/persons/search", json={"number": "x" * 300})).status_code == 422
        assert (await client.get("/audit")).json()["items"] == []

    house.serve(scenario, "admin")


def test_evidence_comes_as_a_zip_without_numbers_and_leaves_a_trace(house: House) -> None:
    a_story(house)
    settings = Settings(data_dir=house.location.directory, switch="sim")
    house.evidence = EvidenceChild(settings)

    async def scenario(client: httpx.AsyncClient) -> None:
        newest = (await client.get("/calls")).json()["items"][0]
        reply = await client.get(f"/calls/{newest['id']}/evidence", timeout=60)
        assert reply.status_code == 200, reply.text
        assert reply.headers["content-disposition"].startswith("attachment; filename=")
        with zipfile.ZipFile(io.BytesIO(reply.content)) as bundle:
            assert "manifest.json" in bundle.namelist()
            text = b"".join(bundle.read(name) for name in bundle.namelist())
        assert OLGA.removeprefix("+").encode() not in text
        (row,) = (await client.get("/audit")).json()["items"]
        assert row["action"] == "GET /calls/{call}/evidence"
        assert (await client.get("/calls/nothing/evidence")).status_code == 404

    house.serve(scenario, "admin")


def test_only_one_evidence_is_gathered_at_a_time(house: House) -> None:
    a_story(house)
    child = EvidenceChild(Settings(data_dir=house.location.directory, switch="sim"))

    async def scenario() -> None:
        replies = await asyncio.gather(child("c1"), child("c1"), return_exceptions=True)
        assert all(isinstance(reply, Unavailable) for reply in replies)
        assert "other evidence" in str(replies[1])

    asyncio.run(scenario())
